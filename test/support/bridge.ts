/**
 * Lets clients of HTTP/1.1 talk to a server over HTTP/2 (RFC 9113) with prior knowledge: an upgrade to WebSocket becomes
 * an extended CONNECT (RFC 8441) and its answer an answer to the upgrade, so that tests need not know.
 *
 * What ends or breaks on one side does so on the other: FIN and END_STREAM, RST and RST_STREAM; and what one side does
 * not read the other can't send.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { acceptFor } from './raw.ts';

/** What has no meaning in HTTP/2, or another form (RFC 9113 section 8.2.2, RFC 8441 section 5). */
const CONNECTION_HEADERS = [
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'sec-websocket-key',
  'transfer-encoding',
  'upgrade',
];

/** A session with the server. */
interface Session {
  readonly session: ClientHttp2Session;
  /** Resolves when the server has said what it can do, or is gone. */
  readonly ready: Promise<void>;
  /** How many connections ride on it, and how many have. */
  riders: number;
  taken: number;
}

/**
 * The address that the bridge connects from for a client of 127.0.0.0/16: another one with the same port, so that a
 * report can be traced to its client. It is not the same each time, as a client's port may be used again before the
 * operating system has forgotten the connection that was made with it here.
 */
function ownAddress(client: string, turn: number): string {
  return client.replace(/^127\.0\./, `127.${1 + (turn % 254)}.`);
}

/** Whose address a report means that has one of the bridge's. */
export function clientOf(remote: string): string {
  return remote.replace(/^127\.\d+\./, '127.0.');
}

/** A listener that carries what it is sent to a server. */
export class Bridge {
  readonly #listener: Server;
  readonly #target: URL;
  readonly #connectionsPerSession: number;
  readonly #sessions = new Map<Socket, Session>();
  #last: Session | undefined;
  #opened = 0;

  private constructor(target: URL, connectionsPerSession: number) {
    this.#target = target;
    this.#connectionsPerSession = connectionsPerSession;
    // How long a client may take is for the server to say.
    this.#listener = createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0, noDelay: true });
    this.#listener.on('connection', (socket: Socket) => this.#welcome(socket));
    this.#listener.on('request', (request, response) => void this.#request(request, response));
    this.#listener.on('upgrade', (request, socket: Socket, head) => void this.#upgrade(request, socket, head));
  }

  /**
   * Listens on a free port of 127.0.0.1.
   *
   * @param url - The server's address.
   * @param connectionsPerSession - With more than one, reports have addresses that are no client's.
   */
  static async to(url: string, connectionsPerSession = 1): Promise<Bridge> {
    const bridge = new Bridge(new URL(url), connectionsPerSession);
    await new Promise<void>((resolve) => bridge.#listener.listen(0, '127.0.0.1', resolve));
    return bridge;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Drops every connection and listens no more. */
  close(): void {
    this.#listener.close();
    for (const [socket, { session }] of this.#sessions) {
      session.destroy();
      socket.destroy();
    }
  }

  #welcome(socket: Socket): void {
    const shared = this.#last !== undefined && this.#last.taken < this.#connectionsPerSession ? this.#last : undefined;
    const ridden = shared ?? this.#open(socket);
    this.#last = ridden;
    ridden.riders++;
    ridden.taken++;
    this.#sessions.set(socket, ridden);
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sessions.delete(socket);
      if (--ridden.riders === 0) ridden.session.close();
    });
  }

  #open(client: Socket): Session {
    const { hostname: host, port } = this.#target;
    const from = {
      localAddress: ownAddress(client.remoteAddress ?? '', this.#opened++),
      localPort: client.remotePort ?? 0,
    };
    const socket = connectTcp({ host, port: Number(port), ...(this.#connectionsPerSession === 1 ? from : {}) });
    const session = connectHttp2(this.#target, { createConnection: () => socket });
    session.on('error', () => {});
    const ready = new Promise<void>((resolve) => {
      session.once('remoteSettings', () => resolve());
      session.once('close', resolve);
    });
    const opened = { session, ready, riders: 0, taken: 0 };
    session.once('close', () => {
      if (this.#last === opened) this.#last = undefined;
      for (const [rider, { session: ridden }] of this.#sessions) if (ridden === session) rider.destroySoon();
    });
    return opened;
  }

  /** Sends a request on the session of its connection, or breaks that where there is no session any more. */
  async #send(request: IncomingMessage, more: OutgoingHttpHeaders, ended: boolean): Promise<ClientHttp2Stream | null> {
    const { socket } = request;
    const ridden = this.#sessions.get(socket);
    await ridden?.ready;
    if (ridden === undefined || ridden.session.closed || ridden.session.destroyed || socket.destroyed) {
      socket.destroy();
      return null;
    }
    const headers: Record<string, string> = {};
    for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
      const [name = '', value = ''] = request.rawHeaders.slice(at, at + 2);
      const lower = name.toLowerCase();
      if (CONNECTION_HEADERS.includes(lower)) continue;
      headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`;
    }
    const { host: authority = '' } = request.headers;
    const pseudo = { ':scheme': 'http', ':authority': authority, ':path': request.url ?? '/' };
    const stream = ridden.session.request({ ...pseudo, ...more, ...headers }, { endStream: ended });
    // What there is to say of it 'close' says.
    stream.on('error', () => {});
    return stream;
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const empty =
      request.headers['transfer-encoding'] === undefined && !(Number(request.headers['content-length']) > 0);
    const stream = await this.#send(request, { ':method': request.method ?? 'GET' }, empty);
    if (stream === null) return;
    if (!empty) request.pipe(stream);
    response.sendDate = false;
    stream.once('response', (headers) => {
      response.writeHead(Number(headers[':status']), Object.fromEntries(fields(headers)));
      stream.pipe(response);
    });
    stream.once('close', () => {
      if (response.headersSent) return;
      if (stream.rstCode === constants.NGHTTP2_PROTOCOL_ERROR) response.writeHead(400).end();
      else request.socket.resetAndDestroy();
    });
    response.once('close', () => stream.close(constants.NGHTTP2_CANCEL));
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { 'sec-websocket-key': key = '', upgrade = '' } = request.headers;
    const stream = await this.#send(request, { ':method': 'CONNECT', ':protocol': upgrade.toLowerCase() }, false);
    if (stream === null) return;
    let answered = false;
    const answer = (status: number, headers: readonly string[]) => {
      answered = true;
      const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    };

    if (head.length > 0) stream.write(head);
    socket.pipe(stream);
    stream.once('response', (headers) => {
      const lines = fields(headers).map(([name, value]) => `${name}: ${value}`);
      const proof = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptFor(key)}`];
      if (headers[':status'] === 200) answer(101, [...proof, ...lines]);
      else answer(Number(headers[':status']), ['Connection: close', ...lines]);
      stream.pipe(socket);
    });
    stream.once('close', () => {
      if (!answered && stream.rstCode === constants.NGHTTP2_PROTOCOL_ERROR) {
        // What is no request at all in HTTP/2 (RFC 9113 section 8.1.1) is a bad one in HTTP/1.1.
        answer(400, ['Connection: close', 'Content-Length: 0']);
        socket.destroySoon();
      } else if (stream.readableEnded) socket.destroySoon();
      else socket.resetAndDestroy();
    });
    socket.once('close', (broken) => {
      if (broken || !socket.readableEnded) stream.close(constants.NGHTTP2_CANCEL);
    });
  }
}

/** The headers of an answer, without those that are HTTP/2's own. */
function fields(headers: IncomingHttpHeaders): [name: string, value: string | string[]][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') || value === undefined ? [] : [[name, value] as [string, string | string[]]],
  );
}
