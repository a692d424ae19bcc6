/**
 * A chunk of a stream as the parser goes through it.
 *
 * @module
 */

/** From how many bytes on a view of the words costs less than it saves. */
const WORTH_WORDS = 96;

/** A remainder that is smaller than this is copied, so that it does not hold on to its chunk. */
const SMALL = 16 * 1024;

const NO_WORDS = new Int32Array(0);

/** Bytes, with what would cost too much to ask for again at each frame in them. */
export class Chunk {
  readonly bytes: Uint8Array;
  /** Asked for only where there is more than a few bytes. */
  private readonly buffer: ArrayBufferLike | undefined;
  readonly offset: number;
  readonly end: number;
  /** The 32-bit words of the whole buffer, in the platform's byte order; none for a few bytes. */
  readonly words: Int32Array;

  constructor(bytes: Uint8Array) {
    const { length } = bytes;
    const buffer = length < WORTH_WORDS ? undefined : bytes.buffer;
    this.bytes = bytes;
    this.buffer = buffer;
    this.offset = bytes.byteOffset;
    this.end = length;
    this.words = buffer === undefined ? NO_WORDS : new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  }

  /** A part of the bytes, not copied; a plain array, whatever the runtime's chunks are. */
  view(start: number, end: number): Uint8Array {
    return new Uint8Array(this.buffer ?? this.bytes.buffer, this.offset + start, end - start);
  }
}

/** The rest of a chunk, copied where it would hold on to much more than itself. */
export function unpinned(chunk: Uint8Array, start: number): Uint8Array {
  const rest = chunk.subarray(start);
  return rest.length < SMALL && rest.length < rest.buffer.byteLength ? new Uint8Array(rest) : rest;
}
