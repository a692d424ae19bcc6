/**
 * One WebSocket over a byte stream: the server's side of RFC 6455 and 7692, as a {@link Transport}.
 *
 * @module
 */
import type { ByteReceiver, ByteStream, Receiver, Transport } from '../transport.ts';
import { type Chunk, unpinned } from './chunk.ts';
import { ABNORMAL, closePayload, INVALID_PAYLOAD, isCloseCode, PROTOCOL_ERROR, readClose, TOO_BIG } from './close.ts';
import { type CompressionOptions, Deflater, Inflater } from './deflate.ts';
import { BINARY, CLOSE, COMPRESSED, FIN, PING, PONG, TEXT } from './frame.ts';
import { Output } from './output.ts';
import { type FrameSink, Parser } from './parser.ts';
import { Spent, WORTH_FREEING } from './spent.ts';
import { runLater } from './turn.ts';
import type { IsUtf8 } from './utf8.ts';

/** What the portable engine needs from its adapter besides a stream. */
export interface WebSocketOptions {
  /** The largest message to accept in bytes, all of it together and inflated. A larger one is answered with 1009. */
  readonly maxMessageSize: number;
  /** Whether bytes are valid UTF-8, such as `isUtf8` of `node:buffer`. */
  readonly isUtf8: IsUtf8;
  /** What was agreed about compression, and what does it. Default: nothing was. */
  readonly compression?: CompressionOptions | undefined;
}

/**
 * Runs the protocol over a stream on which the handshake is done.
 *
 * @param open - Called before anything else with the transport; gives what it feeds.
 * @returns What the stream is to feed, beginning with the bytes that came behind the handshake.
 */
export function openWebSocket(
  stream: ByteStream,
  options: WebSocketOptions,
  open: (transport: Transport) => Receiver,
): ByteReceiver {
  return new Socket(stream, options, open);
}

/** The states of RFC 6455 sections 4 and 7.1: open; our Close frame is sent; over and reported. */
const OPEN = 0;
const CLOSING = 1;
const CLOSED = 2;

/** With this much queued to a peer, its PINGs are no longer answered one by one (section 5.5.3). */
const SLOW = 64 * 1024;
/** What is sent within one tick is handed on once it is this much. */
const BATCH = 256 * 1024;

const NO_PAYLOAD = new Uint8Array(0);
const encoder = new TextEncoder();

class Socket implements Transport, ByteReceiver, FrameSink {
  private readonly stream: ByteStream;
  private readonly isUtf8: IsUtf8;
  private readonly parser: Parser;
  private readonly output: Output;
  private readonly deflater: Deflater | undefined;
  private readonly receiver: Receiver;
  private state = OPEN;
  private paused = false;
  /** Set while bytes are parsed: what is sent meanwhile leaves when that is done. */
  private parsing = false;
  private scheduled = false;
  /** Messages that were sent back since the receiver was last told, and their bytes. */
  private echoes = 0;
  private echoedBytes = 0;
  /** Chunks that came, or were left, while the receiver is paused; the first is read from `heldAt` on. */
  private held: Uint8Array[] | undefined;
  private heldAt = 0;
  /** Made with the first large chunk. */
  private spent: Spent | undefined;
  /** The payload of the newest PING that was not answered because the peer does not read. */
  private unanswered: Uint8Array | undefined;

  constructor(stream: ByteStream, options: WebSocketOptions, open: (transport: Transport) => Receiver) {
    this.stream = stream;
    this.isUtf8 = options.isUtf8;
    const { maxMessageSize, isUtf8, compression } = options;
    const inflater = compression === undefined ? undefined : new Inflater(compression);
    this.parser = new Parser(this, maxMessageSize, isUtf8, inflater);
    this.deflater = compression === undefined ? undefined : new Deflater(compression);
    this.output = new Output(stream);
    this.receiver = open(this);
    // Terminated before there was anybody to tell.
    if ((this.state as number) === CLOSED) this.receiver.over(ABNORMAL, '');
  }

  // What core asks for.

  get queued(): number {
    return this.output.queued;
  }

  send(data: string | Uint8Array, text: boolean, compress = true): boolean {
    if (this.state !== OPEN) return true;
    const { output } = this;
    if (compress && this.deflater !== undefined) this.sendCompressed(this.deflater, data, text);
    else if (typeof data === 'string') output.text(FIN | TEXT, data);
    else output.frame(FIN | (text ? TEXT : BINARY), data);
    if (output.size >= BATCH && !output.blocked) output.flush();
    else if (!this.parsing) this.schedule();
    return !output.blocked;
  }

  private sendCompressed(deflater: Deflater, data: string | Uint8Array, text: boolean): void {
    const bytes = typeof data === 'string' ? encoder.encode(data) : data;
    const opcode = FIN | (text ? TEXT : BINARY);
    const deflated = deflater.deflate(bytes);
    if (deflated === undefined) this.output.frame(opcode, bytes);
    else this.output.frame(opcode | COMPRESSED, deflated);
  }

  ping(): void {
    this.frame(PING, NO_PAYLOAD);
  }

  close(code: number, reason: string): void {
    if (!isCloseCode(code)) throw new RangeError(`${code} is no close code: use 1000-1003, 1007-1014 or 3000-4999`);
    if (this.state !== OPEN) return;
    this.frame(CLOSE, closePayload(code, reason));
    this.state = CLOSING;
    this.parser.discard();
  }

  terminate(): void {
    const first = this.finish();
    this.output.drop();
    this.stream.destroy();
    if (first) (this.receiver as Receiver | undefined)?.over(ABNORMAL, '');
  }

  pause(): void {
    if (this.state !== OPEN || this.paused) return;
    this.paused = true;
    this.parser.halted = true;
    this.stream.pause();
  }

  resume(): void {
    if (this.state !== CLOSED) this.unpause();
  }

  // What the stream tells.

  data(chunk: Uint8Array): void {
    if (this.state === CLOSED) return;
    if (this.parsing || this.paused || this.held !== undefined) {
      this.held ??= [];
      this.held.push(unpinned(chunk, 0));
      return;
    }
    if (chunk.length >= WORTH_FREEING) this.spent ??= new Spent(this.parser);
    this.spent?.begin(chunk);
    this.parsing = true;
    const at = this.parse(chunk, 0);
    if (at < chunk.length && (this.state as number) !== CLOSED) {
      this.held = [unpinned(chunk, at), ...(this.held ?? [])];
    }
    if (this.held !== undefined) this.spent?.given();
    this.readHeld();
    this.parsing = false;
    this.output.flush();
    // Of a stream that is ended or destroyed it is not known what has left.
    this.spent?.end(chunk, this.state !== CLOSED && this.output.queued === 0, this.parser, this.stream);
  }

  drained(): void {
    this.output.drain();
    if (this.state === CLOSED) return;
    if (this.unanswered !== undefined && this.output.queued < SLOW) this.pong(this.unanswered);
    this.receiver.drained();
  }

  gone(): void {
    this.tellEchoes();
    this.output.drop();
    if (this.finish()) this.receiver.over(ABNORMAL, '');
  }

  /** What is to be done once the task that asked for it is over. */
  run(): void {
    this.scheduled = false;
    if (this.state === CLOSED) return;
    this.parsing = true;
    this.readHeld();
    this.parsing = false;
    this.output.flush();
    // What was held is not watched.
    this.spent = undefined;
  }

  // What the parser finds.

  message(data: Uint8Array, text: boolean): void {
    this.spent?.given();
    this.tellEchoes();
    this.receiver.take(data, text);
    this.lookWhetherToEcho();
  }

  echo(chunk: Chunk, start: number, stop: number, key: number, text: boolean): void {
    const { output } = this;
    const length = stop - start;
    const ascii = output.echo(chunk, text, start, stop, key);
    if (text && !ascii && !this.isUtf8(output.echoed(length))) {
      output.takeBack(length);
      this.fault(INVALID_PAYLOAD, 'invalid UTF-8');
    } else {
      this.countEcho(length);
    }
  }

  pieces(pieces: Uint8Array[], text: boolean, room: number): void {
    this.spent?.sent(pieces);
    this.countEcho(this.output.pieces(FIN | (text ? TEXT : BINARY), pieces, room));
  }

  private countEcho(length: number): void {
    this.echoes++;
    this.echoedBytes += length;
    if (this.output.size < BATCH) return;
    this.output.flush();
    this.lookWhetherToEcho();
  }

  control(opcode: number, payload: Uint8Array): void {
    this.tellEchoes();
    if (opcode === PONG) {
      this.receiver.pongCame();
    } else if (opcode === CLOSE) {
      this.peerClose(payload);
    } else {
      this.answer(payload);
      this.receiver.pingCame();
    }
  }

  fault(code: number, reason: string): void {
    this.tellEchoes();
    this.frame(CLOSE, closePayload(code, reason));
    this.finish();
    this.output.finish();
    this.receiver.over(code, reason, code === TOO_BIG ? 'message-too-big' : 'protocol-error');
  }

  private peerClose(payload: Uint8Array): void {
    const status = readClose(payload, this.isUtf8);
    if (typeof status === 'number') {
      this.fault(status, status === PROTOCOL_ERROR ? 'invalid close code' : 'invalid UTF-8');
      return;
    }
    this.frame(CLOSE, payload);
    this.finish();
    this.output.finish();
    this.receiver.over(status.code, status.reason);
  }

  /** Appends a control frame, unless a Close frame went before. That is the last chance to answer a PING. */
  private frame(opcode: number, payload: Uint8Array): void {
    if (this.state !== OPEN) return;
    if (opcode === CLOSE && this.unanswered !== undefined) this.pong(this.unanswered);
    this.output.frame(FIN | opcode, payload);
    if (!this.parsing) this.schedule();
  }

  /** Answers a PING, at once or, where the peer does not read, later and then only the newest (section 5.5.3). */
  private answer(payload: Uint8Array): void {
    if (this.state !== OPEN) return;
    if (this.output.blocked && this.output.queued >= SLOW) this.unanswered = payload.slice();
    else this.pong(payload);
  }

  private pong(payload: Uint8Array): void {
    this.unanswered = undefined;
    this.frame(PONG, payload);
  }

  /** Lets go of everything; `true` for the call that ended the connection, which is the one to report. */
  private finish(): boolean {
    if (this.state === CLOSED) return false;
    this.state = CLOSED;
    this.parser.halted = true;
    this.parser.discard();
    this.held = undefined;
    this.unanswered = undefined;
    return true;
  }

  private unpause(): void {
    if (!this.paused) return;
    this.paused = false;
    this.parser.halted = false;
    this.stream.resume();
    // Not at once: the receiver that resumes does not expect to be called before that call returns.
    if (this.held !== undefined) this.schedule();
  }

  private parse(chunk: Uint8Array, start: number): number {
    this.lookWhetherToEcho();
    const at = this.parser.parse(chunk, start);
    this.tellEchoes();
    return at;
  }

  /** A compressed echo is another message than what came; where something waits, the receiver watches the queue. */
  private lookWhetherToEcho(): void {
    this.parser.echoing = this.deflater === undefined && !this.output.blocked && this.receiver.echoing;
  }

  private tellEchoes(): void {
    const { echoes, echoedBytes } = this;
    if (echoes === 0) return;
    this.echoes = 0;
    this.echoedBytes = 0;
    this.receiver.echoed(echoes, echoedBytes, !this.output.blocked);
  }

  private readHeld(): void {
    while (this.held !== undefined && !this.parser.halted) {
      const chunk = this.held[0] as Uint8Array;
      const at = this.parse(chunk, this.heldAt);
      if ((this.held as Uint8Array[] | undefined) === undefined) return;
      this.heldAt = at;
      if (at < chunk.length) return;
      this.heldAt = 0;
      if (this.held.length === 1) this.held = undefined;
      else this.held.shift();
    }
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    runLater(this);
  }
}
