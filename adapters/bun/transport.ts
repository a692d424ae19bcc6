/**
 * One of Bun's ServerWebSockets as a transport.
 *
 * @module
 */
import type { Upgrade } from '../../core/engine.ts';
import { free } from '../../core/memory.ts';
import type { Receiver, Transport } from '../../core/transport.ts';

/** What Bun says where it closed with 1007. */
const PAYLOAD = /^Received invalid (?:UTF-8|compressed data)$/;
/** Up to so many bytes, to free a message at once costs as much as it saves. */
const SMALL = 4096;
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** Passes on between core and one socket of Bun's. */
export class BunTransport implements Transport {
  /** Set when Bun opens the socket, which it does before anything else. */
  receiver!: Receiver;
  /** Let go of when it has served: it holds on to the request. */
  #upgrade: Upgrade | undefined;
  /** Whether compression was agreed on. To ask Bun for it all the same would cost a tenth of a large message. */
  readonly #compresses: boolean;
  #socket!: Bun.ServerWebSocket<BunTransport>;

  constructor(upgrade: Upgrade) {
    this.#upgrade = upgrade;
    this.#compresses = upgrade.compression !== undefined;
  }

  open(socket: Bun.ServerWebSocket<BunTransport>): void {
    this.#socket = socket;
    this.receiver = (this.#upgrade as Upgrade).open(this);
    this.#upgrade = undefined;
  }

  message(data: string | Buffer<ArrayBuffer>): void {
    const { receiver } = this;
    const text = typeof data === 'string';
    if (!receiver.echoing) {
      receiver.take(data, text);
      return;
    }
    // Bytes of payload, before they are compressed; to count them in a string again would take longer.
    const socket = this.#socket;
    const sent = text ? socket.sendText(data, this.#compresses) : socket.sendBinary(data, this.#compresses);
    const bytes = sent > 0 ? sent : Buffer.byteLength(data);
    // What could not leave at once, Bun has copied. To wait until the garbage is collected costs more, and warm memory.
    if (bytes > SMALL && !text) free(data.buffer);
    receiver.echoed(1, bytes, sent >= 0);
  }

  /** Bun gives 1006 with a reason of its own where it failed the connection because of what came. */
  closed(code: number, reason: string): void {
    if (code !== 1006 || reason === '') this.receiver.over(code, reason);
    else if (reason === 'Received too big message') this.receiver.over(1009, reason, 'message-too-big');
    else this.receiver.over(PAYLOAD.test(reason) ? 1007 : 1002, reason, 'protocol-error');
  }

  get queued(): number {
    return this.#socket.getBufferedAmount();
  }

  send(data: string | Uint8Array, text: boolean, compress = true): boolean {
    const socket = this.#socket;
    const deflate = compress && this.#compresses;
    // -1 says that bytes wait. 0 would say that the message was dropped, but says the same of an empty one that was sent.
    if (typeof data === 'string') return socket.sendText(data, deflate) >= 0;
    if (text) return socket.sendText(DECODER.decode(data), deflate) >= 0;
    return socket.sendBinary(data as Uint8Array<ArrayBuffer>, deflate) >= 0;
  }

  ping(): void {
    this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
