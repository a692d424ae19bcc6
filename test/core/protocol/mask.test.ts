import { describe, expect, test } from 'vitest';
import { Chunk } from '../../../core/protocol/chunk.ts';
import { rotate, unmask } from '../../../core/protocol/mask.ts';
import { same } from './support.ts';

const KEY = [0x91, 0x02, 0xf3, 0x44] as const;
const key = KEY[0] | (KEY[1] << 8) | (KEY[2] << 16) | (KEY[3] << 24);

const pattern = (length: number): Uint8Array => new Uint8Array(length).map((_, index) => (index * 7) & 0x7f);

describe('unmasking', () => {
  test.each([0, 1, 3, 15, 16, 17, 31, 64, 125, 300])('%d bytes, at every alignment and size of chunk', (length) => {
    for (const [room, text] of [
      [length, true],
      [400, true],
      [400, false],
    ] as const) {
      for (let offset = 0; offset < 8; offset++) {
        for (let start = 0; start < 4 && start + length <= room; start++) {
          const bytes = new Uint8Array(new ArrayBuffer(offset + room), offset, room).fill(0xee);
          const plain = pattern(length);
          bytes.set(
            plain.map((byte, index) => byte ^ (KEY[index & 3] as number)),
            start,
          );
          expect(unmask(new Chunk(bytes), start, start + length, key, text)).toBe(text);
          expect(bytes.slice(start, start + length)).toEqual(plain);
          // Nothing around it is touched.
          expect(bytes.subarray(0, start).every((byte) => byte === 0xee)).toBe(true);
          expect(bytes.subarray(start + length).every((byte) => byte === 0xee)).toBe(true);
        }
      }
    }
  });

  test.each([8192, 8193, 8223, 20_000])('%d bytes, at every alignment, in place and before', (length) => {
    const plain = pattern(length);
    const masked = plain.map((byte, index) => byte ^ (KEY[index & 3] as number));
    for (let start = 8; start < 16; start++) {
      for (const shift of [0, 4]) {
        const bytes = new Uint8Array(length + 32).fill(0xee);
        bytes.set(masked, start);
        unmask(new Chunk(bytes), start, start + length, key, false, shift);
        const at = start - shift;
        expect(same(bytes.subarray(at, at + length), plain)).toBe(true);
        expect([...bytes.subarray(0, at), ...bytes.subarray(start + length)].every((byte) => byte === 0xee)).toBe(true);
      }
    }
  });

  test('tells nothing of many bytes, which are to be looked at natively', () => {
    expect(unmask(new Chunk(new Uint8Array(8192)), 0, 8192, 0, true)).toBe(false);
  });

  test('tells that a byte is not ASCII, wherever it stands', () => {
    for (const room of [70, 200]) {
      for (let at = 0; at < 70; at++) {
        const bytes = new Uint8Array(room);
        bytes[at] = 0x80;
        bytes.set(bytes.subarray(0, 70).map((byte, index) => byte ^ (KEY[index & 3] as number)));
        expect(unmask(new Chunk(bytes), 0, 70, key, true)).toBe(false);
      }
    }
  });
});

describe('a key for what follows', () => {
  test.each([0, 1, 2, 3, 4, 5, 65539])('after %d bytes', (count) => {
    const turned = rotate(key, count);
    for (let index = 0; index < 4; index++) {
      expect((turned >>> (8 * index)) & 0xff).toBe(KEY[(count + index) & 3]);
    }
  });
});
