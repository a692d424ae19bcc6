/**
 * Masking (RFC 6455 section 5.3).
 *
 * A key is a 32-bit integer with the first octet to be applied in its lowest byte, whatever the platform's byte order.
 *
 * @module
 */
import type { Chunk } from './chunk.ts';

/** From how many bytes on whole words are worth the way to the first aligned one. */
const WORTH_WORDS = 16;

const keyBytes = new Uint8Array(4);
const keyWord = new Int32Array(keyBytes.buffer);

/** The key for what follows after `count` bytes. */
export function rotate(key: number, count: number): number {
  const bits = (count & 3) << 3;
  return (key >>> bits) | (key << -bits);
}

/**
 * Unmasks part of a chunk, in place or to so many bytes before.
 *
 * @param text - Whether to see if the bytes are ASCII, so that short text needs no second look. For large messages it
 *   takes half as long again.
 * @param shift - A multiple of 4, so that what lies aligned is put aligned.
 * @returns Whether text was asked for and all of it is ASCII.
 */
export function unmask(chunk: Chunk, start: number, end: number, key: number, text: boolean, shift = 0): boolean {
  const { bytes, words } = chunk;
  if (words.length === 0) return unmaskBytes(bytes, start, end, key, text, shift);
  let at = start;
  let seen = 0;
  let turning = key;
  if (end - start >= WORTH_WORDS) {
    const { offset } = chunk;
    const aligned = at + (-(at + offset) & 3);
    while (at < aligned) {
      const byte = (bytes[at] as number) ^ (turning & 0xff);
      bytes[at++ - shift] = byte;
      seen |= byte;
      turning = (turning >>> 8) | (turning << 24);
    }
    const back = shift >> 2;
    // Through memory, so that the word is right in either byte order.
    keyBytes[0] = turning;
    keyBytes[1] = turning >>> 8;
    keyBytes[2] = turning >>> 16;
    keyBytes[3] = turning >>> 24;
    const word = keyWord[0] as number;
    const last = (end + offset) >>> 2;
    let index = (at + offset) >>> 2;
    if (!text) {
      for (const unrolled = last - 3; index < unrolled; index += 4) {
        const a = (words[index] as number) ^ word;
        const b = (words[index + 1] as number) ^ word;
        const c = (words[index + 2] as number) ^ word;
        const d = (words[index + 3] as number) ^ word;
        words[index - back] = a;
        words[index - back + 1] = b;
        words[index - back + 2] = c;
        words[index - back + 3] = d;
      }
    }
    for (const unrolled = last - 3; index < unrolled; index += 4) {
      const a = (words[index] as number) ^ word;
      const b = (words[index + 1] as number) ^ word;
      const c = (words[index + 2] as number) ^ word;
      const d = (words[index + 3] as number) ^ word;
      words[index - back] = a;
      words[index - back + 1] = b;
      words[index - back + 2] = c;
      words[index - back + 3] = d;
      seen |= a | b | c | d;
    }
    for (; index < last; index++) {
      const a = (words[index] as number) ^ word;
      words[index - back] = a;
      seen |= a;
    }
    at = last * 4 - offset;
  }
  while (at < end) {
    const byte = (bytes[at] as number) ^ (turning & 0xff);
    bytes[at++ - shift] = byte;
    seen |= byte;
    turning = (turning >>> 8) | (turning << 24);
  }
  return text && (seen & 0x80808080) === 0;
}

/** The same byte by byte: a function of its own, which V8 makes code of that takes half as long. */
function unmaskBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: number,
  text: boolean,
  shift: number,
): boolean {
  const first = key & 0xff;
  const second = (key >>> 8) & 0xff;
  const third = (key >>> 16) & 0xff;
  const fourth = key >>> 24;
  let at = start;
  let seen = 0;
  for (const unrolled = end - 3; at < unrolled; at += 4) {
    const a = (bytes[at] as number) ^ first;
    const b = (bytes[at + 1] as number) ^ second;
    const c = (bytes[at + 2] as number) ^ third;
    const d = (bytes[at + 3] as number) ^ fourth;
    bytes[at - shift] = a;
    bytes[at - shift + 1] = b;
    bytes[at - shift + 2] = c;
    bytes[at - shift + 3] = d;
    seen |= a | b | c | d;
  }
  for (let turning = key; at < end; turning >>>= 8) {
    const byte = (bytes[at] as number) ^ (turning & 0xff);
    bytes[at++ - shift] = byte;
    seen |= byte;
  }
  return text && (seen & 0x80) === 0;
}
