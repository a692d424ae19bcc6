/**
 * HTTP/2: the page's requests, and WebSockets bootstrapped with extended CONNECT (RFC 8441).
 *
 * @module
 */
import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import process from 'node:process';
import { getRequestListener } from '@hono/node-server';
import type { ListenOptions, Peer, Upgrade } from '../../core/engine.ts';
import { proofOf, standardRequest } from './http.ts';
import { Patience } from './patience.ts';
import { peerOf } from './peer.ts';
import { open, SessionStream } from './stream.ts';

/** Streams that a client may have open in one session: WebSockets and requests together. */
const MAX_STREAMS = 256;
/** What a client may send on a stream before it is read, in bytes: what one paused WebSocket can hold. */
const STREAM_WINDOW = 128 * 1024;
/**
 * What a client may send on all streams of a session before it is taken from the wire. Every runtime takes it whether or
 * not a stream is paused, so that none keeps another from receiving.
 *
 * Bun gives a stream new room only where half of its window is used up at a moment when half of this one is. For no
 * stream to wait for ever, half of this must have come once more before a stream that just missed such a moment is full.
 */
const SESSION_WINDOW = process.versions.bun === undefined ? 2 * STREAM_WINDOW : (3 * STREAM_WINDOW) / 4;
/**
 * In MiB. What waits for slow readers counts too, at most 256 KiB a stream, and a session over its limit refuses streams:
 * so it has room for all of them. How much may wait for a connection is for core to say.
 */
const SESSION_MEMORY = 128;
/** Headers that say something of an HTTP/1.1 connection (RFC 9113 section 8.2.2). */
const CONNECTION_HEADERS = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];

/** What is known of a session. */
interface Session {
  readonly peer: Peer;
  /** How many of its streams are not done. */
  streams: number;
}

/** A server that answers; it does not listen but is told of each `connection`. */
export function createHttp2(options: ListenOptions): Http2Server {
  const sessions = new WeakMap<object, Session>();
  const patience = new Patience();
  const server = createServer({
    settings: { enableConnectProtocol: true, maxConcurrentStreams: MAX_STREAMS, initialWindowSize: STREAM_WINDOW },
    maxSessionMemory: SESSION_MEMORY,
  });
  server.on('session', (session: ServerHttp2Session) => {
    if (process.versions.deno !== undefined) endLater(session);
    sessions.set(session, { peer: peerOf(session.socket), streams: 0 });
    session.setLocalWindowSize(SESSION_WINDOW);
    patience.begin(session);
    session.once('close', () => patience.end(session));
  });
  // What a client breaks it loses; others don't notice.
  server.on('sessionError', () => {});

  /** Notes that a stream is at work; answers whose it is. */
  const enter = (stream: ServerHttp2Stream): Peer => {
    const { session } = stream;
    const known = session && sessions.get(session);
    if (session === undefined || known === undefined) return { address: 'unknown' };
    patience.end(session);
    known.streams++;
    stream.once('close', () => {
      if (--known.streams === 0 && !session.destroyed) patience.begin(session);
    });
    return known.peer;
  };
  server.on(
    'request',
    getRequestListener(
      async (request, env) => {
        const answer = await options.answer(request, enter((env.incoming as Http2ServerRequest).stream));
        if (answer instanceof Response) return withoutConnection(answer);
        // Only CONNECT opens a WebSocket here.
        answer.abandon();
        return new Response(null, { status: 400 });
      },
      { overrideGlobalObjects: false, hostname: options.hostname },
    ),
  );
  server.on('connect', ({ stream, headers }: Http2ServerRequest) => {
    void connect(options, stream, headers, enter(stream));
  });
  return server;
}

/**
 * Deno (2.9) takes the client's GOAWAY for the end of a session without streams, and ends it while nghttp2 is at work on
 * that very frame, in memory that is freed by it: the process crashes
 * (https://github.com/denoland/deno/issues/36788). A turn later nghttp2 is done.
 */
function endLater(session: ServerHttp2Session): void {
  const close = session.close.bind(session);
  const destroy = session.destroy.bind(session);
  session.close = (callback) => void setImmediate(close, callback);
  session.destroy = (error, code) => void setImmediate(destroy, error, code);
}

async function connect(
  options: ListenOptions,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  peer: Peer,
): Promise<void> {
  stream.on('error', () => {});
  // Deno leaves a stream that the peer has reset open on our side; and at this very moment it may not be destroyed.
  stream.on('aborted', () => setTimeout(() => stream.destroy(), 0));
  const answer = await options.answer(connectRequest(headers), peer, String(headers[':protocol'] ?? ''));
  if (answer instanceof Response) await respond(stream, answer);
  else if (stream.destroyed || stream.closed) answer.abandon();
  else accept(options, answer, headers['sec-websocket-key'], stream);
}

function accept(options: ListenOptions, upgrade: Upgrade, key: string | undefined, stream: ServerHttp2Stream): void {
  // RFC 8441 has no use for the key; but some clients send one, and then want it proved.
  const proof = key === undefined ? {} : { 'sec-websocket-accept': proofOf(key) };
  stream.respond({ ':status': 200, ...outgoing(upgrade.headers), ...proof });
  open(new SessionStream(stream), options, upgrade);
}

/** A CONNECT request as a standard one, which has the method GET. */
function connectRequest(headers: IncomingHttpHeaders): Request {
  const fields: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    // What ':authority' says goes before what Host says (RFC 9113 section 8.3.1).
    if (name.startsWith(':') || name === 'host' || value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) fields.push([name, each]);
  }
  const host = headers[':authority'] ?? headers.host;
  if (host !== undefined) fields.push(['host', String(host)]);
  const scheme = headers[':scheme'] === 'http' ? 'http' : 'https';
  return standardRequest('GET', scheme, String(headers[':path'] ?? '/'), fields);
}

/** Answers with something else than a WebSocket. */
async function respond(stream: ServerHttp2Stream, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  if (stream.destroyed || stream.closed) return;
  stream.respond({
    ':status': response.status,
    ...outgoing(response.headers),
    'content-length': String(body.length),
  });
  new SessionStream(stream).end(body);
}

function withoutConnection(response: Response): Response {
  const named = CONNECTION_HEADERS.filter((name) => response.headers.has(name));
  if (named.length === 0) return response;
  const headers = new Headers(response.headers);
  for (const name of named) headers.delete(name);
  return new Response(response.body, { status: response.status, headers });
}

function outgoing(headers: Upgrade['headers']): OutgoingHttpHeaders {
  const out: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    if (CONNECTION_HEADERS.includes(name)) continue;
    const before = out[name];
    out[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return out;
}
