/**
 * The Hono app: the socket path, the page, info and health. Every request goes through it, upgrades too, so that
 * middleware runs before a socket exists; but for upgrades of the echo server itself, which has no middleware there.
 *
 * @module
 */
import { type Context, Hono, type Handler as HonoHandler } from 'hono';
import { etag } from 'hono/etag';
import { secureHeaders } from 'hono/secure-headers';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Handler } from './connection.ts';
import type { Answer, Answerer, DirectAnswerer, Peer, RequestHead, Upgrade } from './engine.ts';
import {
  type Accept,
  isHost,
  type Refusal,
  refuseFull,
  refuseHost,
  refuseMethod,
  refuseNoSocketPath,
  refuseProtocol,
  refuseShutdown,
  refuseUnknownPath,
} from './handshake.ts';
import type { Claim } from './places.ts';
import { idleTimeout, type WebSocketServer } from './server.ts';
import { pathOf } from './text.ts';

/** What comes with a request, as Hono's `c.env`. */
export interface Bindings {
  readonly peer: Peer;
  /** Whether the request came as an HTTP/2 CONNECT for a WebSocket (RFC 8441), though its method is GET here. */
  readonly extendedConnect: boolean;
  /** Takes the request over as a WebSocket, once the middleware around the route has had its say. */
  upgrade(accept: Accept, handler: Handler): void;
}

/** Hono's environment of an app that serves WebSockets. */
export interface AppEnv {
  Bindings: Bindings;
}

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the app is made of. */
export interface AppOptions {
  /** Where sockets are served, such as `/ws`. */
  readonly path: string;
  readonly handler: Handler;
  /** The page's files by their names; `index.html` is served at `/`. */
  readonly page: ReadonlyMap<string, PageFile>;
  readonly runtime: string;
  readonly version: string;
  readonly engine: string;
  /** How many processes serve. Default: 1. */
  readonly workers?: number;
  /** How many connections there are in all of them. Default: those of the server. */
  connections?(): number | Promise<number>;
}

/** What `GET /info` answers. Times in seconds, sizes in bytes. */
export interface Info {
  readonly runtime: string;
  readonly version: string;
  readonly engine: string;
  /** How many processes serve. */
  readonly workers: number;
  readonly path: string;
  /** X, or 0 where clients need not send anything. */
  readonly pingInterval: number;
  /** 2·X, or 0. */
  readonly idleTimeout: number;
  readonly maxMessageSize: number;
  readonly subprotocols: readonly string[];
}

/**
 * A route's handler that accepts WebSockets: `app.all('/ws', webSocket(server, handler))`. It takes every method,
 * because what is wrong with a request is told to the client.
 */
export function webSocket(server: WebSocketServer, handler: Handler): HonoHandler<AppEnv> {
  return (c) => {
    const verdict = server.judge(c.req.raw, c.env.extendedConnect);
    // By way of the context, which adds the headers that middleware has set already.
    if (verdict.accepted) {
      c.env.upgrade(verdict, handler);
      // Stands for 101, which a Response can't have (Fetch standard, section 5.5), on its way through middleware.
      return c.body(null, 200, verdict.headers);
    }
    server.refused(verdict, c.req.raw, c.env.peer);
    return c.body(verdict.body, verdict.status as ContentfulStatusCode, headersOf(verdict));
  };
}

/** The app of the echo server. */
export function createApp(server: WebSocketServer, options: AppOptions): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (_, next) => (server.shuttingDown ? respond(refuseShutdown()) : next()));
  app.all(options.path, webSocket(server, options.handler));

  const { workers = 1, connections = () => server.size } = options;
  const { pingInterval, maxMessageSize, subprotocols } = server.options;
  const idle = idleTimeout(server.options) / 1000;
  const info: Info = {
    runtime: options.runtime,
    version: options.version,
    engine: options.engine,
    workers,
    path: options.path,
    pingInterval: idle === 0 ? 0 : pingInterval / 1000,
    idleTimeout: idle,
    maxMessageSize,
    subprotocols,
  };
  const guard = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      // The page tries any WebSocket server, not only its own.
      connectSrc: ["'self'", 'ws:', 'wss:'],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    // What carries TLS, here or in front, decides about HTTPS for its host.
    strictTransportSecurity: false,
  });
  const read = (path: string, get: (c: Context<AppEnv>) => Response | Promise<Response>) => {
    app.get(path, guard, etag(), get);
    app.all(path, () => respond(refuseMethod()));
  };
  read('/info', () => body(`${JSON.stringify(info)}\n`, 'application/json', 'no-store'));
  read('/health', async () =>
    body(`${JSON.stringify({ status: 'ok', connections: await connections() })}\n`, 'application/json', 'no-store'),
  );
  for (const [name, file] of options.page) {
    read(name === 'index.html' ? '/' : `/${name}`, () => body(file.bytes, file.type, 'no-cache'));
  }
  app.notFound(() => respond(refuseUnknownPath()));
  app.onError((error) => fail(server, error));
  return app;
}

/**
 * What an engine asks for every request: the app's response, or, where its route and all middleware agreed, an upgrade
 * with the headers that they set.
 */
export function createAnswerer(app: Hono<AppEnv>, server: WebSocketServer): Answerer {
  return async (request, peer, connect): Promise<Answer> => {
    // First of all: with it, the request's URL may be none. HTTP/1.0 may do without.
    const host = request.headers.get('host');
    if (host !== null && !isHost(host)) return refuse(server, refuseHost(), request, peer);
    // As in the Upgrade header, case does not count (RFC 9110 section 7.8).
    if (connect !== undefined && connect.toLowerCase() !== 'websocket')
      return refuse(server, refuseProtocol(), request, peer);
    let agreed: { accept: Accept; handler: Handler } | undefined;
    const bindings: Bindings = {
      peer,
      extendedConnect: connect !== undefined,
      upgrade(accept, handler) {
        agreed = { accept, handler };
      },
    };
    let response: Response;
    try {
      response = await app.fetch(request, bindings);
    } catch (error) {
      // Hono hands only instances of Error to onError().
      return fail(server, error);
    }
    if (agreed === undefined || response.status !== 200) {
      // To CONNECT, any 2xx would mean that the tunnel stands (RFC 9110 section 9.3.6).
      return connect !== undefined && response.ok ? refuse(server, refuseNoSocketPath(), request, peer) : response;
    }
    const { places } = server;
    const agreement = { ...agreed, headers: response.headers };
    return places === undefined
      ? admit(server, request, peer, agreement)
      : admitShared(places, server, request, peer, agreement);
  };
}

/**
 * What an engine asks first, where no middleware stands before the socket path, as in the echo server's own app: it comes
 * to what that app would, without a standard request and response for each connection.
 *
 * @param path - Has nothing in it that the app takes for a pattern.
 */
export function createDirectAnswerer(server: WebSocketServer, path: string, handler: Handler): DirectAnswerer {
  return (head, peer) => {
    if (head.method !== 'GET' || pathOf(head.url) !== path || server.shuttingDown) return undefined;
    const accept = server.judge(head);
    if (!accept.accepted) {
      const host = head.headers.get('host');
      return refuse(server, host === null || isHost(host) ? accept : refuseHost(), head, peer);
    }
    const { places } = server;
    const agreement = { accept, handler, headers: Object.entries(accept.headers) };
    return places === undefined
      ? admit(server, head, peer, agreement)
      : admitShared(places, server, head, peer, agreement);
  };
}

/** What route and middleware have agreed to. */
interface Agreement {
  readonly accept: Accept;
  readonly handler: Handler;
  readonly headers: Upgrade['headers'];
}

/** Keeps a place for a connection. Where several processes count against one limit, that takes a while. */
async function admitShared(
  places: Claim,
  server: WebSocketServer,
  request: RequestHead,
  peer: Peer,
  agreement: Agreement,
): Promise<Answer> {
  // Asked last, so that only what is accepted for the rest asks.
  if (!(await places.take())) return refuse(server, refuseFull(), request, peer);
  const answer = admit(server, request, peer, agreement);
  if (answer instanceof Response) places.give();
  return answer;
}

function admit(
  server: WebSocketServer,
  request: RequestHead,
  peer: Peer,
  { accept, headers, handler }: Agreement,
): Answer {
  const upgrade = server.admit(request, peer, accept, headers, handler);
  return 'accepted' in upgrade ? refuse(server, upgrade, request, peer) : upgrade;
}

function refuse(server: WebSocketServer, refusal: Refusal, request: RequestHead, peer: Peer): Response {
  server.refused(refusal, request, peer);
  return respond(refusal);
}

function respond(refusal: Refusal): Response {
  return new Response(refusal.body, { status: refusal.status, headers: headersOf(refusal) });
}

function headersOf({ headers, body }: Refusal): Record<string, string> {
  return { ...headers, 'content-length': String(body.length) };
}

/** Answers a request that the application threw at, and reports why. */
function fail(server: WebSocketServer, error: unknown): Response {
  server.applicationFailed(error);
  return body('Something went wrong in the server.\n', 'text/plain; charset=utf-8', 'no-store', 500);
}

function body(content: string | Uint8Array<ArrayBuffer>, type: string, cache: string, status = 200): Response {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return new Response(bytes, {
    status,
    // The length is named because an answer to HEAD has no body that a runtime could measure.
    headers: { 'content-type': type, 'content-length': String(bytes.length), 'cache-control': cache },
  });
}
