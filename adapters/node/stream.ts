/**
 * What carries a WebSocket, as the byte stream that core/protocol runs on: a socket of `node:net` or `node:tls`, or a
 * stream of `node:http2`.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ListenOptions, Upgrade } from '../../core/engine.ts';
import type { ByteReceiver, ByteStream } from '../../core/index.ts';
import { free } from '../../core/memory.ts';
import { openWebSocket } from '../../core/protocol/socket.ts';
import { zlib } from './zlib.ts';

/** How long a peer may take to close its side once it was sent all, in milliseconds. */
const LINGER = 2_000;
/** The same for an HTTP/2 stream. Clients of some runtimes end theirs only when ours is gone. */
const STREAM_LINGER = 1_000;
/** How long it may take to be sent all: what was queued before the end is still its own. */
const DELIVERY = 30_000;

const NOTHING = new Uint8Array(0);

/** Where a socket has what feeds from it, so that one function listens to all sockets. */
const stream = Symbol('stream');

interface Feeding extends Duplex {
  [stream]?: SocketStream;
}

function onData(this: Feeding, chunk: Uint8Array): void {
  this[stream]?.data(chunk);
}

function onClose(this: Feeding): void {
  this[stream]?.close();
}

/** Runs the protocol over a stream on which the handshake is answered. @param head - What came behind the handshake. */
export function open(socket: SocketStream, options: ListenOptions, upgrade: Upgrade, head?: Uint8Array): void {
  const { compression: agreed } = upgrade;
  const compression = agreed === undefined ? undefined : { agreed, zlib };
  const { maxMessageSize } = options;
  socket.feed(openWebSocket(socket, { maxMessageSize, isUtf8, compression }, upgrade.open), head);
}

/** Feeds a receiver from a socket and writes to it. */
export class SocketStream implements ByteStream {
  readonly #socket: Feeding;
  readonly #linger: number;
  #receiver: ByteReceiver | undefined = undefined;
  /** Whether writes end later, as over TLS and HTTP/2, and not at once, as to a reader over TCP that keeps up. */
  readonly #later: boolean;
  /** Whether the end of what waits will be told. */
  #awaited = false;
  /** What it is told to; made when it first has to be. */
  #listener: ((error?: Error | null) => void) | undefined = undefined;

  constructor(socket: Duplex, linger: number = LINGER) {
    this.#socket = socket;
    this.#linger = linger;
    this.#later = !(socket instanceof Socket) || socket instanceof TLSSocket;
  }

  /** Starts reading. */
  feed(receiver: ByteReceiver, head?: Uint8Array): void {
    const socket = this.#socket;
    this.#receiver = receiver;
    socket[stream] = this;
    socket.on('data', onData);
    // A half-open WebSocket is of no use: the other side's end is the end.
    socket.on('end', onClose);
    socket.on('close', onClose);
    // Not before the handler runs, which it does in a microtask: it is to find its connection open.
    if (head !== undefined && head.length > 0) queueMicrotask(() => receiver.data(head));
    // Where a CONNECT ends its stream, Deno says so before it is answered.
    if (socket.readableEnded) queueMicrotask(() => this.close());
  }

  /** Bytes came. */
  data(chunk: Uint8Array): void {
    this.#receiver?.data(chunk);
    // What the socket else does itself for each chunk, in a later tick that costs more than this.
    this.#socket.read(0);
  }

  /** The other side has ended, or all is over. */
  close(): void {
    this.#receiver?.gone();
    if (this.#socket.writableEnded) return;
    this.#socket.end();
  }

  get queued(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    // To be told of each would cost, where they end at once.
    if (this.#later) this.#socket.write(bytes, this.#written);
    else this.#socket.write(bytes);
    if (this.#socket.writableCorked === 0) this.#look();
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
    this.#look();
  }

  /** @param last - Goes before the end. */
  end(last?: Uint8Array): void {
    const socket = this.#socket;
    if (socket.writableEnded || socket.destroyed) return;
    socket.end(last);
    // What still comes is of no interest, but must be read for the socket to end properly.
    socket.resume();
    let timer: ReturnType<typeof setTimeout>;
    const dropAfter = (milliseconds: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.destroy(), milliseconds);
    };
    dropAfter(DELIVERY);
    socket.once('finish', () => dropAfter(this.#linger));
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

  free(memory: ArrayBufferLike): void {
    // What ends later may be read from for longer than it is said to wait.
    if (!this.#later) free(memory);
  }

  /** Sees to it that `drain` follows. The event of that name comes only where a high-water mark was reached. */
  #look(): void {
    const socket = this.#socket;
    if (this.#later || this.#awaited || socket.writableLength === 0) return;
    this.#awaited = true;
    socket.write(NOTHING, this.#written);
  }

  get #written(): (error?: Error | null) => void {
    this.#listener ??= (error) => {
      this.#awaited = false;
      if (error != null) return;
      if (this.#socket.writableLength === 0) this.#receiver?.drained();
      else this.#look();
    };
    return this.#listener;
  }
}

/** A stream of an HTTP/2 session. */
export class SessionStream extends SocketStream {
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    super(stream, STREAM_LINGER);
    this.#stream = stream;
  }

  /**
   * RST_STREAM with CANCEL is to a stream what a reset is to a TCP connection (RFC 8441 section 5): the peer throws away
   * what it has not read. Not so with NO_ERROR, where all was sent and only the peer's end is missing.
   */
  override destroy(): void {
    const { closed, writableFinished } = this.#stream;
    if (!closed) this.#stream.close(writableFinished ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL);
    super.destroy();
  }
}
