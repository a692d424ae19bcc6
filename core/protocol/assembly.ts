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

/** Collects the pieces of one message. */
export class Assembly {
  private bytes: Uint8Array;
  private size = 0;
  private readonly validator: Utf8Validator | undefined;

  /**
   * @param text - Whether the message is text, which is validated as it comes.
   */
  constructor(text: boolean, isUtf8: IsUtf8) {
    this.bytes = NOTHING;
    this.validator = text ? new Utf8Validator(isUtf8) : undefined;
  }

  /**
   * Takes the next piece, by copying it.
   *
   * Room grows with what came, whatever a header announced, and never to more than the message needs: all pieces together
   * are moved about once.
   *
   * @param ascii - Whether the piece is known to be ASCII.
   * @param most - How long the whole message is, or may be: more is never allocated.
   * @returns `false` when the message can't be valid UTF-8 any more.
   */
  push(chunk: Chunk, start: number, end: number, ascii: boolean, most: number): boolean {
    const { validator } = this;
    if (validator !== undefined && !(ascii && validator.complete) && !validator.push(chunk, start, end)) return false;
    const size = this.size + end - start;
    const { bytes } = this;
    if (ROOM + size > bytes.length) {
      this.bytes = new Uint8Array(ROOM + Math.min(Math.max((size < LARGE ? 2 : FASTER) * size, LEAST), most));
      if (this.size > 0) this.bytes.set(bytes.subarray(ROOM, ROOM + this.size), ROOM);
    }
    this.bytes.set(chunk.view(start, end), ROOM + this.size);
    this.size = size;
    return true;
  }

  /** The whole message, or `undefined` when it ends within a character. */
  finish(): Uint8Array | undefined {
    if (this.validator !== undefined && !this.validator.complete) return undefined;
    return this.bytes.subarray(ROOM, ROOM + this.size);
  }
}

const NOTHING = new Uint8Array(0);
