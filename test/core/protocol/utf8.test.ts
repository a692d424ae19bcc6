import { describe, expect, test } from 'vitest';
import { Chunk } from '../../../core/protocol/chunk.ts';
import { Utf8Validator } from '../../../core/protocol/utf8.ts';
import { bytes, concat, isUtf8, mulberry32 } from './support.ts';

/** Pushes the parts; the number of the part that was refused, -1 for a cut end, or undefined when all is well. */
function refused(...parts: Uint8Array[]): number | undefined {
  const validator = new Utf8Validator(isUtf8);
  for (const [index, part] of parts.entries()) {
    if (!validator.push(new Chunk(part), 0, part.length)) return index;
  }
  return validator.complete ? undefined : -1;
}

const octets = (...values: number[]): Uint8Array => new Uint8Array(values);
const LONG = 'a long run of text, so that the native call is worth it: ';

describe('valid text', () => {
  test.each(['', 'ascii', 'é', '€', '😀', '\u0800\ud7ff\ue000\uffff', '\u{10000}\u{10ffff}', 'κόσμε'])(
    '%s, cut anywhere, short or long',
    (text) => {
      for (const padding of ['', LONG]) {
        const all = bytes(padding + text + padding + text);
        for (let cut = 0; cut <= all.length; cut++) {
          expect(refused(all.slice(0, cut), all.slice(cut))).toBe(undefined);
        }
        expect(refused(...Array.from(all, (byte) => octets(byte)))).toBe(undefined);
      }
    },
  );

  test('a part of a larger chunk', () => {
    const chunk = new Chunk(concat(octets(0xff), bytes(`${LONG}é`), octets(0xff)));
    expect(new Utf8Validator(isUtf8).push(chunk, 1, chunk.end - 1)).toBe(true);
  });
});

describe('what can not become valid is refused with the octet that decides it', () => {
  test.each([
    ['a continuation without a lead', [0x80]],
    ['an overlong NUL', [0xc0]],
    ['an overlong slash', [0xc1]],
    ['an overlong sequence of three', [0xe0, 0x9f]],
    ['a surrogate', [0xed, 0xa0]],
    ['an overlong sequence of four', [0xf0, 0x8f]],
    ['beyond U+10FFFF', [0xf4, 0x90]],
    ['a lead beyond F4', [0xf5]],
    ['FF', [0xff]],
    ['a lead for a continuation', [0xe2, 0x82, 0xe2]],
    ['ASCII for a continuation', [0xf0, 0x9f, 0x98, 0x41]],
    ['a continuation out of reach', [0xe2, 0xc0]],
  ])('%s', (_, sequence) => {
    const last = sequence.length - 1;
    expect(refused(...sequence.map((byte) => octets(byte)))).toBe(last);
    const long = bytes(LONG);
    // In one part, before and after a long run, and cut before the octet that decides.
    expect(refused(concat(long, octets(...sequence)))).toBe(0);
    expect(refused(concat(octets(...sequence), long))).toBe(0);
    expect(refused(concat(long, octets(...sequence), long))).toBe(0);
    if (last > 0) expect(refused(concat(long, octets(...sequence.slice(0, last))))).toBe(-1);
    expect(
      refused(concat(long, octets(...sequence.slice(0, last))), concat(octets(sequence[last] as number), long)),
    ).toBe(1);
  });
});

test('text that ends within a character is not complete', () => {
  for (const text of ['é', '€', '😀']) {
    const all = bytes(text);
    for (let cut = 1; cut < all.length; cut++) expect(refused(all.slice(0, cut))).toBe(-1);
  }
});

test('agrees with the native validator on random octets in random parts', () => {
  const random = mulberry32(1);
  const pieces = ['a', 'é', '€', '😀', LONG].map(bytes);
  const bad = [0x80, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff];
  for (let round = 0; round < 2000; round++) {
    const parts: Uint8Array[] = [];
    for (let count = Math.floor(random() * 8); count >= 0; count--) {
      parts.push(pieces[Math.floor(random() * pieces.length)] as Uint8Array);
      if (random() < 0.05) parts.push(octets(bad[Math.floor(random() * bad.length)] as number));
    }
    const all = concat(...parts);
    const cuts: Uint8Array[] = [];
    for (let at = 0; at < all.length; ) {
      const next = at + 1 + Math.floor(random() * (random() < 0.5 ? 3 : 120));
      cuts.push(all.slice(at, next));
      at = next;
    }
    expect(refused(...cuts) === undefined).toBe(isUtf8(all));
  }
});
