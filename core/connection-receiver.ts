/**
 * What an adapter feeds: a connection under the names that an adapter knows.
 *
 * @module
 */
import type { ServerConnection } from './server-connection.ts';
import type { Fault, Receiver } from './transport.ts';

/** Passes on to a {@link ServerConnection} what its transport tells. */
export class ConnectionReceiver implements Receiver {
  readonly #connection: ServerConnection;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  get echoing(): boolean {
    return this.#connection.echoing;
  }

  echoed(messages: number, bytes: number, keepsUp: boolean): void {
    this.#connection.echoed(messages, bytes, keepsUp);
  }

  message(data: string | Uint8Array, text: boolean): void {
    this.#connection.take(data, text);
  }

  ping(): void {
    this.#connection.frameCame();
  }

  pong(): void {
    this.#connection.ponged();
  }

  drain(): void {
    this.#connection.drained();
  }

  close(code: number, reason: string, fault?: Fault): void {
    this.#connection.over(code, reason, fault);
  }
}
