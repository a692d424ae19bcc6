/**
 * UTF-8 that comes in parts (RFC 3629; RFC 6455 section 8.1).
 *
 * @module
 */
import type { Chunk } from './chunk.ts';

/** Whether bytes are valid UTF-8 as they stand: what the runtime has natively. */
export type IsUtf8 = (bytes: Uint8Array) => boolean;

/** Up to this many bytes are looked at one by one; a native call and its view cost more. */
const WORTH_A_CALL = 48;

/**
 * Validates text that comes in parts, cut anywhere. The first part that can't belong to any valid text is refused.
 * Between the parts it keeps what a sequence that was cut still wants, not the bytes.
 */
export class Utf8Validator {
  private readonly isUtf8: IsUtf8;
  /** Continuation octets that the open sequence still wants. */
  private wanted = 0;
  /** What the next of them may be: narrower after E0, ED, F0 and F4 (overlong, surrogate, beyond U+10FFFF). */
  private low = 0x80;
  private high = 0xbf;

  constructor(isUtf8: IsUtf8) {
    this.isUtf8 = isUtf8;
  }

  /** Whether the text so far ends with a whole character. */
  get complete(): boolean {
    return this.wanted === 0;
  }

  /** Takes the next part; `false` once the text can't become valid any more. */
  push(chunk: Chunk, start: number, end: number): boolean {
    const { bytes } = chunk;
    if (end - start <= WORTH_A_CALL) return this.step(bytes, start, end);
    const after = start + this.wanted;
    if (!this.step(bytes, start, after)) return false;
    const tail = lastCut(bytes, end);
    return this.isUtf8(chunk.view(after, tail)) && this.step(bytes, tail, end);
  }

  private step(bytes: Uint8Array, start: number, end: number): boolean {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      if (this.wanted > 0) {
        if (byte < this.low || byte > this.high) return false;
        this.wanted--;
        this.low = 0x80;
        this.high = 0xbf;
      } else if (byte >= 0x80) {
        if (byte < 0xc2 || byte > 0xf4) return false;
        this.wanted = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        this.low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
        this.high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
      }
    }
    return true;
  }
}

/** Where the sequence begins that `end` cuts; `end` where it cuts none. */
function lastCut(bytes: Uint8Array, end: number): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[end - back] as number;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return size > back ? end - back : end;
    }
  }
  return end;
}
