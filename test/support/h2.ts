/**
 * A client for HTTP/2 that leaves the WebSocket protocol to the test: frames over the streams of `node:http2`.
 *
 * @module
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type Settings,
} from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Frame, opcode, parseClose } from './raw.ts';
import { within } from './wait.ts';

const open = new Set<ClientHttp2Session>();

/** Drops every session that is still open: for `afterEach`. */
export function dropSessions(): void {
  for (const session of open) session.destroy();
}

/** An answer with its body. */
export interface H2Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One HTTP/2 connection. */
export class H2Session {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  readonly settings: Settings;
  /** Our address and port, as the server reports them. */
  readonly address: string;
  /** Resolves with the error code of the server's GOAWAY. */
  readonly goaway: Promise<number>;
  readonly closed: Promise<void>;
  readonly #authority: string;
  readonly #scheme: string;

  private constructor(session: ClientHttp2Session, socket: Socket, settings: Settings, url: URL) {
    this.session = session;
    this.socket = socket;
    this.settings = settings;
    this.address = `${socket.localAddress}:${socket.localPort}`;
    this.#authority = url.host;
    this.#scheme = url.protocol.slice(0, -1);
    this.goaway = new Promise((resolve) => session.once('goaway', resolve));
    this.closed = new Promise((resolve) => session.once('close', resolve));
  }

  /** Connects, with TLS or with prior knowledge, whichever the address asks for, and waits for the server's settings. */
  static connect(url: string): Promise<H2Session> {
    return within(
      5000,
      'an HTTP/2 session',
      new Promise((resolve, reject) => {
        // Windows that one slow stream can't use up, so that what stalls is the server's doing.
        const settings = { initialWindowSize: 64 * 1024 };
        const { protocol, hostname: host, port } = new URL(url);
        const secure = { rejectUnauthorized: false, ALPNProtocols: ['h2'] };
        const socket =
          protocol === 'http:'
            ? connectTcp({ host, port: Number(port) })
            : connectTls({ host, port: Number(port), ...secure });
        const session = connectHttp2(url, { createConnection: () => socket, settings });
        open.add(session);
        session.once('close', () => open.delete(session));
        session.on('error', reject);
        session.once('remoteSettings', (remote) => resolve(new H2Session(session, socket, remote, new URL(url))));
      }),
    );
  }

  /** The headers of a good extended CONNECT, with some of them changed, or left out (`undefined`). */
  connectHeaders(changes: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': this.#scheme,
      ':authority': this.#authority,
      ':path': '/ws',
      'sec-websocket-version': '13',
      ...changes,
    };
    return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  }

  /** Sends a request and takes the whole answer. CONNECT is not ended from here. */
  request(headers: OutgoingHttpHeaders): Promise<H2Response> {
    const stream = this.session.request(headers, { endStream: headers[':method'] !== 'CONNECT' });
    return within(
      5000,
      'an HTTP/2 response',
      new Promise((resolve, reject) => {
        let head: IncomingHttpHeaders = {};
        const chunks: Buffer[] = [];
        stream.on('error', reject);
        stream.on('response', (headers) => {
          head = headers;
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          stream.close();
          resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(chunks).toString() });
        });
      }),
    );
  }

  /** Asks for a WebSocket that is to be refused. */
  refused(changes: OutgoingHttpHeaders): Promise<H2Response> {
    return this.request(this.connectHeaders(changes));
  }

  /** Opens a WebSocket. Rejects when it is refused. */
  open(changes: OutgoingHttpHeaders = {}): Promise<H2Socket> {
    const stream = this.session.request(this.connectHeaders(changes), { endStream: false });
    return within(
      5000,
      'a WebSocket over HTTP/2',
      new Promise((resolve, reject) => {
        stream.once('error', reject);
        stream.once('close', () => reject(new Error(`the stream was closed with ${stream.rstCode}`)));
        stream.once('response', (headers) => {
          if (headers[':status'] === 200) resolve(new H2Socket(stream, headers));
          else reject(new Error(`refused with ${headers[':status']}`));
        });
      }),
    );
  }
}

/** A WebSocket over a stream, frame by frame. */
export class H2Socket {
  readonly stream: ClientHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Resolves with the error code that the stream was closed with, 0 for none. */
  readonly closed: Promise<number>;
  #bytes = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #length = 0;
  #over = false;
  #wake: () => void = () => {};

  constructor(stream: ClientHttp2Stream, headers: IncomingHttpHeaders) {
    this.stream = stream;
    this.headers = headers;
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    const over = () => {
      this.#over = true;
      this.#wake();
    };
    stream.once('end', over);
    this.closed = new Promise((resolve) => {
      stream.once('close', () => {
        over();
        resolve(stream.rstCode ?? 0);
      });
    });
  }

  send(bytes: Uint8Array): boolean {
    return this.stream.write(bytes);
  }

  /** Sends bytes and resolves when the server's window let them leave. */
  flush(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stream.write(bytes, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  async #until(count: number, timeout: number): Promise<Buffer> {
    await within(
      timeout,
      () => `${count} bytes; ${this.#length} came`,
      new Promise<void>((resolve, reject) => {
        this.#wake = () => {
          if (this.#length >= count) resolve();
          else if (this.#over) reject(new Error(`the stream ended while a test waited for ${count} bytes`));
        };
        this.#wake();
      }),
    );
    if (this.#chunks.length > 0) this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks]);
    this.#chunks = [];
    return this.#bytes;
  }

  /** Takes one frame of the server's: unmasked. */
  async frame(timeout = 5000): Promise<Frame> {
    let head = await this.#until(2, timeout);
    const [first = 0, second = 0] = head;
    const lengthBytes = second === 127 ? 8 : second === 126 ? 2 : 0;
    head = await this.#until(2 + lengthBytes, timeout);
    const length =
      lengthBytes === 8 ? Number(head.readBigUInt64BE(2)) : lengthBytes === 2 ? head.readUInt16BE(2) : second;
    const size = 2 + lengthBytes + length;
    const payload = (await this.#until(size, timeout)).subarray(2 + lengthBytes, size);
    this.#bytes = this.#bytes.subarray(size);
    this.#length -= size;
    return { fin: first >= 128, rsv: (first >> 4) & 7, opcode: first & 15, masked: second >= 128, payload };
  }

  /** Takes one whole message. */
  async message(timeout = 5000): Promise<{ text: boolean; data: Buffer }> {
    const next = await this.frame(timeout);
    if (!next.fin || (next.opcode !== opcode.text && next.opcode !== opcode.binary)) {
      throw new Error(`expected a message, got opcode ${next.opcode} with ${next.payload.toString('hex', 0, 40)}`);
    }
    return { text: next.opcode === opcode.text, data: next.payload };
  }

  /** Takes frames up to the Close frame, and returns its code and reason. */
  async closeFrame(timeout = 5000): Promise<{ code: number; reason: string }> {
    for (;;) {
      const next = await this.frame(timeout);
      if (next.opcode === opcode.close) return parseClose(next.payload);
    }
  }
}
