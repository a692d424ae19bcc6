/**
 * The reading half of the protocol: bytes, cut anywhere, in; whole messages and control frames out
 * (RFC 6455 sections 5 and 8.1, RFC 7692 section 6.2).
 *
 * @module
 */
import { Assembly, join } from './assembly.ts';
import { Chunk } from './chunk.ts';
import { INVALID_PAYLOAD, PROTOCOL_ERROR, TOO_BIG } from './close.ts';
import type { Inflater } from './deflate.ts';
import { BINARY, CLOSE, COMPRESSED, CONTINUATION, FIN, headerFault, headerSize, TEXT } from './frame.ts';
import { rotate, unmask } from './mask.ts';
import type { IsUtf8 } from './utf8.ts';

/** What a parser finds. After each call the parser looks at {@link Parser.halted}. */
export interface FrameSink {
  /** One whole message. The bytes are the sink's. */
  message(data: Uint8Array, text: boolean): void;
  /** One whole message, still masked, where {@link Parser.echoing} is set. */
  echo(chunk: Chunk, start: number, stop: number, key: number, text: boolean): void;
  /**
   * One whole message in pieces, where {@link Parser.echoing} is set. They are the sink's.
   *
   * @param room - Octets in front of the first piece, in its buffer, that are the sink's as well.
   */
  pieces(pieces: Uint8Array[], text: boolean, room: number): void;
  /** A Close, PING or PONG frame. The payload is the sink's until it returns. */
  control(opcode: number, payload: Uint8Array): void;
  /** The peer is to be refused with this code; the sink halts the parser. The reason is fixed, never the peer's data. */
  fault(code: number, reason: string): void;
}

const EMPTY = new Uint8Array(0);

/** A compressed message may have a sixteenth more than the limit, and this many bytes. */
const SLACK = 4;
const LEAST_SLACK = 64;

/**
 * Parses what one client sends.
 *
 * It holds no bytes of its own but those of a message or control frame that is not whole yet: a header that a chunk
 * cuts is kept as the numbers read so far.
 */
export class Parser {
  /** Set by the sink to stop after the frame at hand, cleared to go on. */
  halted = false;
  /** Set by the sink to be given messages that lie in a chunk as a whole by {@link FrameSink.echo}, others by {@link FrameSink.pieces}. */
  echoing = false;

  private readonly sink: FrameSink;
  private readonly isUtf8: IsUtf8;
  /** The largest message in bytes. */
  private readonly limit: number;
  /** What inflates compressed messages, where they may come. */
  private readonly inflater: Inflater | undefined;

  /** Octets read of the header at hand. */
  private read = 0;
  private first = 0;
  private second = 0;
  /** The length of the frame at hand, and how much of its payload is still to come once `inPayload`. */
  private length = 0;
  private left = 0;
  private inPayload = false;
  /** Where the frame at hand begins in the chunk at hand, or the chunk where it began before that. */
  private begun = 0;
  /** The masking key, turned to the next octet. */
  private key = 0;

  /** The opcode of the message that has begun and not ended, or 0. */
  private open = 0;
  /** Whether that message is compressed. */
  private compressed = false;
  /** What the headers of that message announced so far, and the most that they may. */
  private size = 0;
  private most = 0;
  private discarding = false;
  private assembly: Assembly | undefined;
  private controlPayload: Uint8Array | undefined;

  constructor(sink: FrameSink, limit: number, isUtf8: IsUtf8, inflater?: Inflater) {
    this.sink = sink;
    this.limit = limit;
    this.isUtf8 = isUtf8;
    this.inflater = inflater;
  }

  /** Whether something came of a message that is not whole yet. */
  get assembling(): boolean {
    return this.assembly !== undefined;
  }

  /** Whether what came of such a message was left in this memory. */
  holds(memory: ArrayBufferLike): boolean {
    return this.assembly?.holds(memory) === true;
  }

  /** From now on messages are skipped, and what came of one is let go; control frames are still reported. */
  discard(): void {
    this.discarding = true;
    this.assembly = undefined;
  }

  /**
   * Parses a chunk from `start`, unmasking it in place.
   *
   * @returns Where it stopped: the chunk's end, or before it when the sink halted the parser. What lies before may be
   *   let go but for the messages that were given to the sink.
   */
  parse(bytes: Uint8Array, start: number): number {
    const chunk = new Chunk(bytes);
    const { end } = chunk;
    let at = start;
    this.begun = start;
    while (at < end && !this.halted) {
      if (this.inPayload) at = this.payload(chunk, at);
      else if (this.read === 0 && this.open === 0 && !this.discarding) at = this.frame(chunk, at);
      else at = this.header(chunk, at);
    }
    return at;
  }

  /** The short way for what most traffic is: one whole small unfragmented message. Anything else takes the long way. */
  private frame(chunk: Chunk, start: number): number {
    const { bytes, end } = chunk;
    const first = bytes[start] as number;
    if (end - start < 8 || (first !== (FIN | TEXT) && first !== (FIN | BINARY))) return this.header(chunk, start);
    const second = bytes[start + 1] as number;
    let at = start + 2;
    let length = second & 0x7f;
    if (length === 126) {
      length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      at += 2;
    }
    const stop = at + 4 + length;
    if (second < 0x80 || second === 0xff || stop > end || length > this.limit) {
      return this.header(chunk, start);
    }
    const key =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    at += 4;
    const text = (first & 0x0f) === TEXT;
    if (this.echoing) this.sink.echo(chunk, at, stop, key, text);
    else this.whole(chunk, at, stop, key, text);
    return stop;
  }

  /** Reads on in a header, octet by octet, and judges each part of it as soon as it is there. */
  private header(chunk: Chunk, start: number): number {
    const { bytes, end } = chunk;
    let at = start;
    while (at < end) {
      const byte = bytes[at++] as number;
      const read = ++this.read;
      const short = this.second & 0x7f;
      // How many octets there are before the key.
      const plain = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (read === 1) {
        this.begun = at - 1;
        this.first = byte;
        this.second = 0;
        this.length = 0;
        this.key = 0;
      } else if (read === 2) {
        this.second = byte;
        const wrong = headerFault(this.first, byte, this.open !== 0, this.inflater !== undefined);
        if (wrong !== '') return this.fail(PROTOCOL_ERROR, wrong, end);
        if (this.open === 0 && (this.first & 0x0f) < CLOSE) this.beginMessage();
        if ((byte & 0x7f) < 126) {
          this.length = byte & 0x7f;
          if (!this.fits()) return this.fail(TOO_BIG, 'message too big', end);
        }
      } else if (read <= plain) {
        if (read === 3 && plain === 10 && byte >= 0x80) return this.fail(PROTOCOL_ERROR, 'invalid length', end);
        this.length = this.length * 256 + byte;
        if (read === plain && !this.fits()) return this.fail(TOO_BIG, 'message too big', end);
      } else {
        this.key |= byte << ((read - plain - 1) << 3);
        if (read === plain + 4) {
          this.read = 0;
          this.begin();
          return this.length === 0 || at < end ? this.payload(chunk, at) : at;
        }
      }
    }
    return at;
  }

  private beginMessage(): void {
    this.compressed = (this.first & COMPRESSED) !== 0;
    // What can't be compressed becomes a little longer, and is not refused for that.
    this.most = this.compressed ? this.limit + (this.limit >>> SLACK) + LEAST_SLACK : this.limit;
  }

  /** Counts a frame's length towards its message; `false` when that is over the limit. */
  private fits(): boolean {
    if ((this.first & 0x0f) >= CLOSE) return true;
    this.size += this.length;
    return this.size <= this.most;
  }

  private begin(): void {
    const opcode = this.first & 0x0f;
    if (opcode < CLOSE && opcode !== CONTINUATION) this.open = opcode;
    this.left = this.length;
    this.inPayload = true;
  }

  /** Takes what the chunk has of the payload at hand. */
  private payload(chunk: Chunk, start: number): number {
    const { end } = chunk;
    const stop = Math.min(start + this.left, end);
    const count = stop - start;
    const last = count === this.left;
    this.left -= count;
    this.inPayload = !last;
    if ((this.first & 0x0f) >= CLOSE) {
      this.control(chunk, start, stop, last);
      return stop;
    }
    const text = this.open === TEXT;
    const fin = (this.first & FIN) !== 0;
    const final = last && fin;
    // Only its last frame tells how long a message is.
    const known = fin ? this.size : this.most;
    if (final) {
      this.open = 0;
      this.size = 0;
    }
    if (this.discarding) return stop;
    const keep = this.echoing && !this.compressed;
    const room = start - this.begun;
    if (final && this.assembly === undefined && count === this.length) {
      if (keep && room >= headerSize(count)) this.sink.echo(chunk, start, stop, this.key, text);
      else this.whole(chunk, start, stop, this.key, text);
      return stop;
    }
    if (count > 0) {
      const ascii = unmask(chunk, start, stop, this.key, text);
      this.key = rotate(this.key, count);
      this.assembly ??= new Assembly(text && !this.compressed, this.isUtf8, room);
      if (!this.assembly.push(chunk, start, stop, ascii, known, keep))
        return this.fail(INVALID_PAYLOAD, 'invalid UTF-8', end);
    }
    if (final) this.assembled(text);
    return stop;
  }

  private assembled(text: boolean): void {
    const { room } = this.assembly as Assembly;
    const pieces = (this.assembly as Assembly).finish();
    this.assembly = undefined;
    if (pieces === undefined) this.sink.fault(INVALID_PAYLOAD, 'invalid UTF-8');
    else if (this.compressed) this.inflated(join(pieces), text);
    else if (this.echoing) this.sink.pieces(pieces, text, room);
    else this.sink.message(join(pieces), text);
  }

  /** A message that lies in the chunk as a whole: given on as a view, not copied. */
  private whole(chunk: Chunk, start: number, stop: number, key: number, text: boolean): void {
    const ascii = unmask(chunk, start, stop, key, text);
    const data = start === stop ? EMPTY : chunk.view(start, stop);
    if (this.compressed) this.inflated(data, text);
    else if (text && !ascii && !this.isUtf8(data)) this.sink.fault(INVALID_PAYLOAD, 'invalid UTF-8');
    else this.sink.message(data, text);
  }

  private inflated(deflated: Uint8Array, text: boolean): void {
    this.compressed = false;
    const data = (this.inflater as Inflater).inflate(deflated, this.limit);
    if (data === 'too-big') this.sink.fault(TOO_BIG, 'message too big');
    // Neither RFC 7692 nor RFC 6455 has a code for it; a payload that is not what it says it is comes nearest.
    else if (data === 'invalid') this.sink.fault(INVALID_PAYLOAD, 'invalid compressed data');
    else if (text && !this.isUtf8(data)) this.sink.fault(INVALID_PAYLOAD, 'invalid UTF-8');
    else this.sink.message(data, text);
  }

  private control(chunk: Chunk, start: number, stop: number, last: boolean): void {
    const count = stop - start;
    unmask(chunk, start, stop, this.key, false);
    this.key = rotate(this.key, count);
    let payload = chunk.view(start, stop);
    if (count !== this.length) {
      const before = this.length - this.left - count;
      this.controlPayload ??= new Uint8Array(this.length);
      this.controlPayload.set(payload, before);
      payload = this.controlPayload;
      if (last) this.controlPayload = undefined;
    }
    if (last) this.sink.control(this.first & 0x0f, payload);
  }

  private fail(code: number, reason: string, end: number): number {
    this.sink.fault(code, reason);
    return end;
  }
}
