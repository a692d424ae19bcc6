/**
 * A socket of `node:net` or `node:tls` as the byte stream that core/protocol runs on.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import type { ByteReceiver, ByteStream } from '../../core/index.ts';

/** How long a peer may take to close its side once it was sent all, in milliseconds. */
const LINGER = 2_000;
/** How long it may take to be sent all: what was queued before the end is still its own. */
const DELIVERY = 30_000;

/** Feeds a receiver from a socket and writes to it. */
export class SocketStream implements ByteStream {
  readonly #socket: Duplex;
  #receiver: ByteReceiver | undefined = undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Starts reading. */
  feed(receiver: ByteReceiver, head: Uint8Array): void {
    const socket = this.#socket;
    this.#receiver = receiver;
    socket.on('data', this.#data);
    socket.on('drain', this.#drain);
    // A half-open WebSocket is of no use: the other side's end is the end.
    socket.on('end', this.#close);
    socket.on('close', this.#close);
    // Not before the handler runs, which it does in a microtask: it is to find its connection open.
    if (head.length > 0) queueMicrotask(() => receiver.data(head));
  }

  get queued(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  end(): void {
    const socket = this.#socket;
    if (socket.writableEnded || socket.destroyed) return;
    socket.end();
    // What still comes is of no interest, but must be read for the socket to end properly.
    socket.resume();
    let timer: ReturnType<typeof setTimeout>;
    const dropAfter = (milliseconds: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), milliseconds);
    };
    dropAfter(DELIVERY);
    socket.once('finish', () => dropAfter(LINGER));
    socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  readonly #data = (chunk: Uint8Array): void => {
    this.#receiver?.data(chunk);
  };

  readonly #drain = (): void => {
    this.#receiver?.drain();
  };

  readonly #close = (): void => {
    this.#receiver?.close();
    if (this.#socket.writableEnded) return;
    this.#socket.end();
  };
}
