/**
 * Memory that came with large chunks and that nobody needs any more. To leave it to a garbage collector can cost more than
 * an echo does: for V8 it lies outside of the heap, and much of it lets whole collections come often.
 *
 * @module
 */
import type { ByteStream } from '../transport.ts';
import type { Parser } from './parser.ts';

/** From this size on a chunk is worth freeing. */
export const WORTH_FREEING = 16 * 1024;

/** Sees which chunks, and pieces of messages, have served: all of what they had was sent back or copied, and has left. */
export class Spent {
  /** Whether somebody may still read from the chunk at hand. */
  private seen = false;
  /** Whether somebody may still read from the chunks in which the message that is under way has its pieces. */
  private shared: boolean;
  /** Messages that were sent back in pieces since {@link begin}. */
  private pieces: readonly Uint8Array[] | undefined = undefined;

  constructor(parser: Parser) {
    // What came before was not watched.
    this.shared = parser.assembling;
  }

  /** A chunk is to be parsed. */
  begin(chunk: Uint8Array): void {
    this.seen = chunk.length < chunk.buffer.byteLength;
  }

  /** Something is not accounted for: a message was given away, or bytes wait to be parsed later. */
  given(): void {
    this.seen = true;
  }

  /** A message was sent back in its pieces. */
  sent(pieces: readonly Uint8Array[]): void {
    this.pieces = this.pieces === undefined ? pieces : [...this.pieces, ...pieces];
  }

  /** The chunk was parsed. @param left - Whether all that was sent has left. */
  end(chunk: Uint8Array, left: boolean, parser: Parser, stream: ByteStream): void {
    const { buffer } = chunk;
    const { pieces } = this;
    this.pieces = undefined;
    if (left && !this.seen) {
      if (pieces !== undefined && !this.shared) {
        for (const piece of pieces) if (piece.buffer !== buffer) stream.free(piece.buffer);
      }
      if (chunk.length >= WORTH_FREEING && !parser.holds(buffer)) stream.free(buffer);
    }
    this.shared = parser.assembling && (this.seen || this.shared);
  }
}
