/**
 * The writing half of the protocol: frames in, few and large writes to the stream out.
 *
 * @module
 */
import type { ByteStream } from '../transport.ts';
import type { Chunk } from './chunk.ts';
import { BINARY, FIN, headerSize, TEXT, writeHeader } from './frame.ts';
import { unmask } from './mask.ts';

/** Payloads up to this size are copied behind their header; larger ones are written as they are. */
const COPY = 8 * 1024;
/** The size of the slabs that headers and small payloads are put into. */
const SLAB = 64 * 1024;
/** The size of the slabs of a connection whose peer is slow. */
const OWN_SLAB = 16 * 1024;
/** The most that is handed to the stream at a time, so that the progress of a slow reader is seen. */
const PIECE = 192 * 1024;
/** What is so large gains nothing by leaving together with what follows: some runtimes copy what is to leave as one. */
const ALONE = 96 * 1024;
/** With this much waiting in the stream, the rest waits here until it drains. */
const ENOUGH = 64 * 1024;

/** Memory that is given away from its start to its end and never reused: the stream owns what it was given. */
class Slab {
  readonly size: number;
  bytes: Uint8Array;
  /** Where the part begins that is not given away. */
  at = 0;

  constructor(size: number) {
    this.size = size;
    this.bytes = NOTHING;
  }
}

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

/** One slab for all connections: an idle one costs nothing. */
const shared = new Slab(SLAB);

/**
 * The output of one connection. Frames gather until {@link Output.flush}; then what the stream has no room for waits here
 * until {@link Output.drain}.
 */
export class Output {
  private readonly stream: ByteStream;
  /** The end of the queue: a region of a slab, to which frames are appended while no other connection does so. */
  private region: Uint8Array = NOTHING;
  private start = 0;
  private end = 0;
  /** What goes before the region, from `head` on. */
  private parts: Uint8Array[] | undefined;
  private head = 0;
  /**
   * Slow readers have their regions in a slab of their own: in the shared one, a few bytes that wait would hold on to
   * all that the other connections had there.
   */
  private own: Slab | undefined;

  /** Bytes that wait here. */
  size = 0;
  /** Whether bytes waited in the stream when it was last given some. */
  blocked = false;

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Bytes that wait here and in the stream. */
  get queued(): number {
    return this.size + this.stream.queued;
  }

  /** Appends a frame. */
  frame(first: number, payload: Uint8Array): void {
    const { length } = payload;
    const copy = length <= COPY;
    const size = headerSize(length);
    const at = this.reserve(copy ? size + length : size);
    const start = writeHeader(this.region, at, first, length);
    if (copy) this.region.set(payload, start);
    else this.push(payload);
  }

  /**
   * Appends a frame whose payload lies in pieces; its header goes in front of the first of them.
   *
   * @param room - Octets in front of the first piece, in its buffer, that may be written to.
   * @returns How long the payload is.
   */
  pieces(first: number, pieces: readonly Uint8Array[], room: number): number {
    const [head, ...others] = pieces as readonly [Uint8Array, ...Uint8Array[]];
    let { length } = head;
    for (const piece of others) length += piece.length;
    const size = headerSize(length);
    if (length <= COPY) {
      this.frame(first, head);
      return length;
    }
    if (size <= room) {
      const bytes = new Uint8Array(head.buffer, head.byteOffset - size, size + head.length);
      writeHeader(bytes, 0, first, length);
      this.push(bytes);
    } else {
      const at = this.reserve(size);
      writeHeader(this.region, at, first, length);
      this.push(head);
    }
    for (const piece of others) this.push(piece);
    return length;
  }

  /**
   * Appends a frame whose payload lies masked in a chunk that is nobody else's, behind a client's header. Unmasked, it is
   * put where the chunk was read already: a server's header is 4 octets shorter, so that all echoes of a chunk make up
   * one run of bytes in it, and nothing is copied.
   *
   * @returns Whether the payload is text and ASCII.
   */
  echo(chunk: Chunk, text: boolean, start: number, stop: number, key: number): boolean {
    const length = stop - start;
    const size = headerSize(length);
    let at = this.end + size;
    if (this.region !== chunk.bytes || ((start - at) & 3) !== 0) {
      this.seal();
      this.region = chunk.bytes;
      at = start;
      this.start = at - size;
    }
    writeHeader(chunk.bytes, at - size, FIN | (text ? TEXT : BINARY), length);
    const ascii = unmask(chunk, start, stop, key, text, start - at);
    this.end = at + length;
    this.size += size + length;
    return ascii;
  }

  /** The payload of the frame that {@link echo} has appended. */
  echoed(length: number): Uint8Array {
    return this.region.subarray(this.end - length, this.end);
  }

  /** Takes back the frame that {@link echo} has appended, of which nothing is to be sent. @param length - Of its payload. */
  takeBack(length: number): void {
    const count = headerSize(length) + length;
    this.end -= count;
    this.size -= count;
  }

  /** Appends a frame whose payload is a string as UTF-8. */
  text(first: number, text: string): void {
    const most = text.length * 3;
    if (most > COPY) {
      this.frame(first, encoder.encode(text));
      return;
    }
    // Encoded where it is to stand if it is ASCII, and moved when its header turns out to be longer.
    const room = headerSize(most) + most;
    const at = this.reserve(room);
    const guess = at + headerSize(text.length);
    const { written } = encoder.encodeInto(text, this.region.subarray(guess, at + room));
    const real = at + headerSize(written);
    if (real !== guess) this.region.copyWithin(real, guess, guess + written);
    writeHeader(this.region, at, first, written);
    this.giveBack(at + room - real - written);
  }

  /** Hands to the stream what it has room for. */
  flush(): void {
    if (this.size === 0 || this.stream.queued >= ENOUGH) return;
    if (this.parts !== undefined) {
      this.drain();
    } else {
      const bytes = this.region.subarray(this.start, this.end);
      this.clear();
      this.stream.write(bytes);
      this.look();
    }
  }

  /** Goes on handing over: what waited in the stream has left. */
  drain(): void {
    this.seal();
    while (this.parts !== undefined && this.stream.queued < ENOUGH) this.write(this.parts, PIECE);
    this.look();
  }

  /** Hands over all that is left and ends the stream. From here on the stream answers for the peer's leaving. */
  finish(): void {
    this.seal();
    if (this.parts !== undefined) this.write(this.parts, Number.POSITIVE_INFINITY);
    this.stream.end();
  }

  /** Lets go of what waits here: nobody will read it. */
  drop(): void {
    this.parts = undefined;
    this.head = 0;
    this.clear();
  }

  /** Sees whether the stream took all that it was given. */
  private look(): void {
    this.blocked = this.stream.queued > 0;
    if (!this.blocked) this.own = undefined;
  }

  /** Makes room for bytes at the end of the region, in a new region where they don't fit. */
  private reserve(count: number): number {
    const slab = this.slab();
    if (this.region !== slab.bytes || this.end !== slab.at || slab.at + count > slab.bytes.length) {
      this.seal();
      if (slab.at + count > slab.bytes.length) {
        slab.bytes = new Uint8Array(slab.size);
        slab.at = 0;
      }
      this.region = slab.bytes;
      this.start = slab.at;
    }
    const at = slab.at;
    slab.at += count;
    this.end = slab.at;
    this.size += count;
    return at;
  }

  private giveBack(count: number): void {
    this.slab().at -= count;
    this.end -= count;
    this.size -= count;
  }

  private slab(): Slab {
    if (!this.blocked) return shared;
    this.own ??= new Slab(OWN_SLAB);
    return this.own;
  }

  /** Ends the region: it becomes a part of its own. */
  private seal(): void {
    if (this.end > this.start) {
      this.parts ??= [];
      this.parts.push(this.region.subarray(this.start, this.end));
    }
    this.region = NOTHING;
    this.start = 0;
    this.end = 0;
  }

  /** Empties the region, once it was handed over. */
  private clear(): void {
    this.region = NOTHING;
    this.start = 0;
    this.end = 0;
    this.size = 0;
  }

  /** Appends bytes as a part of their own. */
  private push(bytes: Uint8Array): void {
    this.seal();
    this.parts ??= [];
    this.parts.push(bytes);
    this.size += bytes.length;
  }

  /** Writes parts to the stream, at most so many bytes. */
  private write(parts: Uint8Array[], most: number): void {
    const { stream } = this;
    let room = most;
    const several = this.head + 1 < parts.length && (parts[this.head] as Uint8Array).length < ALONE;
    if (several) stream.cork();
    // While it is written to, the stream may drain, or drop all of this: what is taken is no longer in `parts`.
    while (room > 0 && this.parts === parts) {
      const part = parts[this.head] as Uint8Array;
      const piece = part.length > room ? part.subarray(0, room) : part;
      room -= piece.length;
      this.size -= piece.length;
      if (piece === part) this.advance(parts);
      else parts[this.head] = part.subarray(piece.length);
      stream.write(piece);
    }
    if (several) stream.uncork();
  }

  private advance(parts: Uint8Array[]): void {
    parts[this.head++] = NOTHING;
    if (this.head === parts.length) {
      this.parts = undefined;
      this.head = 0;
    } else if (this.head >= 256 && this.head * 2 >= parts.length) {
      parts.splice(0, this.head);
      this.head = 0;
    }
  }
}
