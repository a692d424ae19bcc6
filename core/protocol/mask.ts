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
/** From how many bytes on a view of just these words costs less than it saves. */
const WORTH_A_VIEW = 8 * 1024;

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
 * @param text - Whether to see if the bytes are ASCII, so that short text needs no second look. Of many bytes it is not
 *   told: there the second look, native, costs less.
 * @param shift - A multiple of 4, so that what lies aligned is put aligned.
 * @returns Whether text was asked for and all of it is known to be ASCII.
 */
export function unmask(chunk: Chunk, start: number, end: number, key: number, text: boolean, shift = 0): boolean {
  const count = end - start;
  if (count >= WORTH_A_VIEW) {
    unmaskMany(chunk, start, end, key);
    if (shift > 0) chunk.bytes.copyWithin(start - shift, start, end);
    return false;
  }
  const { bytes, words } = chunk;
  if (words.length === 0) return unmaskBytes(bytes, start, end, key, text, shift);
  let at = start;
  let seen = 0;
  let turning = key;
  if (count >= WORTH_WORDS) {
    const { offset } = chunk;
    const aligned = at + (-(at + offset) & 3);
    while (at < aligned) {
      const byte = (bytes[at] as number) ^ (turning & 0xff);
      bytes[at++ - shift] = byte;
      seen |= byte;
      turning = (turning >>> 8) | (turning << 24);
    }
    const back = shift >> 2;
    const word = inMemory(turning);
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

/** A key as a word of the platform's byte order. */
function inMemory(key: number): number {
  keyBytes[0] = key;
  keyBytes[1] = key >>> 8;
  keyBytes[2] = key >>> 16;
  keyBytes[3] = key >>> 24;
  return keyWord[0] as number;
}

/**
 * Unmasks many bytes, in place: a view that begins with them, written where it was read, makes for a loop that is faster by
 * a fifth and more, and to move the bytes afterwards costs less than to put them elsewhere at once.
 */
function unmaskMany(chunk: Chunk, start: number, end: number, key: number): void {
  const { bytes, offset } = chunk;
  let turning = key;
  let at = start;
  for (const aligned = at + (-(at + offset) & 3); at < aligned; at++) {
    bytes[at] = (bytes[at] as number) ^ (turning & 0xff);
    turning = (turning >>> 8) | (turning << 24);
  }
  const words = new Int32Array(chunk.bytes.buffer, offset + at, (end - at) >>> 2);
  const count = words.length;
  const word = inMemory(turning);
  for (let index = 0; index + 7 < count; index += 8) {
    (words[index] as number) ^= word;
    (words[index + 1] as number) ^= word;
    (words[index + 2] as number) ^= word;
    (words[index + 3] as number) ^= word;
    (words[index + 4] as number) ^= word;
    (words[index + 5] as number) ^= word;
    (words[index + 6] as number) ^= word;
    (words[index + 7] as number) ^= word;
  }
  for (let index = count & ~7; index < count; index++) (words[index] as number) ^= word;
  for (at += count * 4; at < end; at++) {
    bytes[at] = (bytes[at] as number) ^ (turning & 0xff);
    turning = (turning >>> 8) | (turning << 24);
  }
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
