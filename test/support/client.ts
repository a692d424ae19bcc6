/**
 * A real client: the npm package ws, with its events as promises.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { within } from './wait.ts';

export interface Message {
  readonly data: Buffer;
  readonly text: boolean;
}

/** A refused upgrade. */
export class Refused extends Error {
  readonly status: number;

  constructor(response: IncomingMessage) {
    super(`refused with ${response.statusCode}`);
    this.status = response.statusCode ?? 0;
  }
}

const all = new Set<Client>();

/** Drops every client that is still open: for `afterEach`. */
export function dropClients(): void {
  for (const client of all) client.ws.terminate();
}

/** An open WebSocket. */
export class Client {
  readonly ws: WebSocket;
  /** Our address and port, as the server reports them. */
  address = '';
  /** Code and reason as the client sees them, once the connection is over. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #messages: Message[] = [];
  #wake: () => void = () => {};
  #over = '';

  constructor(ws: WebSocket) {
    this.ws = ws;
    all.add(this);
    ws.on('message', (data: Buffer, binary: boolean) => {
      this.#messages.push({ data, text: !binary });
      this.#wake();
    });
    ws.on('error', () => {});
    ws.once('upgrade', ({ socket }) => {
      this.address = `${socket.localAddress}:${socket.localPort}`;
    });
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        all.delete(this);
        this.#over = `closed with ${code} ${reason}`;
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
  }

  send(data: string | Uint8Array, options: { fin?: boolean; binary?: boolean } = {}): void {
    this.ws.send(data, options);
  }

  /** Takes the next message. */
  async message(timeout = 10_000): Promise<Message> {
    await within(
      timeout,
      'a message',
      new Promise<void>((resolve, reject) => {
        this.#wake = () => {
          if (this.#messages.length > 0) resolve();
          else if (this.#over !== '') reject(new Error(`${this.#over} while a test waited for a message`));
        };
        this.#wake();
      }),
    );
    return this.#messages.shift() as Message;
  }

  /** Sends a message and takes the next one. */
  echo(data: string | Uint8Array, timeout?: number): Promise<Message> {
    this.send(data);
    return this.message(timeout);
  }

  /** Closes and waits for the end. */
  close(code?: number, reason?: string): Promise<{ code: number; reason: string }> {
    this.ws.close(code, reason);
    return within(5000, 'the closing handshake', this.closed);
  }
}

/**
 * Opens a WebSocket, without compression.
 *
 * @throws Refused when the server answers with something else.
 */
export function openClient(
  url: string,
  options: ClientOptions & { readonly protocols?: string[] } = {},
): Promise<Client> {
  const { protocols = [], ...rest } = options;
  const ws = new WebSocket(url, protocols, { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024, ...rest });
  const client = new Client(ws);
  return within(
    10_000,
    'a WebSocket to open',
    new Promise((resolve, reject) => {
      ws.once('open', () => resolve(client));
      ws.once('error', reject);
      ws.once('unexpected-response', (request, response) => {
        request.destroy();
        response.resume();
        reject(new Refused(response));
      });
    }),
  );
}
