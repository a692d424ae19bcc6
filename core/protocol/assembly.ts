/**
 * A message that comes in more than one piece: because it is fragmented, or because a chunk ends within it.
 *
 * @module
 */
import type { Chunk } from './chunk.ts';
import { type IsUtf8, Utf8Validator } from './utf8.ts';

/** Octets in front of a message, for the header that it may be sent back with. */
export const ROOM = 10;

/** The least that is allocated, so that a message that comes byte by byte is not moved for each of the first. */
const LEAST = 512;
/** Once so much came, room grows faster: what is large is moved less, and memory that is not written to is none yet. */
const LARGE = 64 * 1000;
const FASTER = 16;

/** From this size on a piece may stay where it is, if it is not a smaller part than this of what it holds on to. */
const WORTH_KEEPING = 16 * 1024;
const LEAST_PART = 1 / 2;

/** Collects the pieces of one message. */
export class Assembly {
  /** What came before `bytes`. */
  private readonly pieces: Uint8Array[] = [];
  private before = 0;
  /** What was copied since, behind room for a header. */
  private bytes: Uint8Array = NOTHING;
  private size = 0;
  private readonly validator: Utf8Validator | undefined;
  private front: number;

  /**
   * @param text - Whether the message is text, which is validated as it comes.
   * @param room - Octets in front of the first piece, in its chunk, that may be written to.
   */
  constructor(text: boolean, isUtf8: IsUtf8, room = 0) {
    this.validator = text ? new Utf8Validator(isUtf8) : undefined;
    this.front = room;
  }

  /** The octets in front of the message, in its first piece's buffer, that may be written to. */
  get room(): number {
    return this.front;
  }

  /**
   * Takes the next piece, by copying it.
   *
   * Room grows with what came, whatever a header announced, and never to more than the message needs: all pieces together
   * are moved about once.
   *
   * @param ascii - Whether the piece is known to be ASCII.
   * @param most - How long the whole message is, or may be: more is never allocated.
   * @param keep - Whether the message will do in pieces: large ones are then not copied.
   * @returns `false` when the message can't be valid UTF-8 any more.
   */
  push(chunk: Chunk, start: number, end: number, ascii: boolean, most: number, keep = false): boolean {
    const { validator } = this;
    if (validator !== undefined && !(ascii && validator.complete) && !validator.push(chunk, start, end)) return false;
    const count = end - start;
    if (keep && count >= WORTH_KEEPING && count >= chunk.bytes.buffer.byteLength * LEAST_PART) {
      this.seal();
      this.pieces.push(chunk.view(start, end));
      this.before += count;
      return true;
    }
    const size = this.size + count;
    const { bytes } = this;
    if (ROOM + size > bytes.length) {
      const wanted = Math.max((size < LARGE ? 2 : FASTER) * size, LEAST);
      this.bytes = new Uint8Array(ROOM + Math.min(wanted, most - this.before));
      if (this.size > 0) this.bytes.set(bytes.subarray(ROOM, ROOM + this.size), ROOM);
      else if (this.pieces.length === 0) this.front = ROOM;
    }
    this.bytes.set(chunk.view(start, end), ROOM + this.size);
    this.size = size;
    return true;
  }

  /** Whether a piece was kept where it is, in this memory. */
  holds(memory: ArrayBufferLike): boolean {
    return this.pieces.some(({ buffer }) => buffer === memory);
  }

  /** The whole message in its pieces, or `undefined` when it ends within a character. */
  finish(): Uint8Array[] | undefined {
    if (this.validator !== undefined && !this.validator.complete) return undefined;
    this.seal();
    return this.pieces;
  }

  /** Makes a piece of what was copied. */
  private seal(): void {
    if (this.size === 0) return;
    this.pieces.push(this.bytes.subarray(ROOM, ROOM + this.size));
    this.before += this.size;
    this.bytes = NOTHING;
    this.size = 0;
  }
}

const NOTHING = new Uint8Array(0);

/** The bytes of all pieces as one array: the only one, where there is no other. */
export function join(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
