import { describe, expect, test } from 'vitest';
import { Assembly, join, ROOM } from '../../../core/protocol/assembly.ts';
import { Chunk } from '../../../core/protocol/chunk.ts';
import { bytes, concat, isUtf8, same } from './support.ts';

const UNKNOWN = Number.POSITIVE_INFINITY;

function push(assembly: Assembly, data: Uint8Array, most = UNKNOWN, ascii = false): boolean {
  return assembly.push(new Chunk(data), 0, data.length, ascii, most);
}

/** The message, where it is in one piece. */
function only(assembly: Assembly): Uint8Array | undefined {
  const pieces = assembly.finish();
  expect(pieces?.length ?? 1).toBe(1);
  return pieces?.[0];
}

describe('room', () => {
  test('grows with what came, not with what was announced', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(1), 16 * 1024 * 1024);
    expect(only(assembly)?.buffer.byteLength).toBe(ROOM + 512);
  });

  test('is exactly that of the message where its length is known', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(600), 1000);
    push(assembly, new Uint8Array(400), 1000);
    expect(only(assembly)?.buffer.byteLength).toBe(ROOM + 1000);
  });

  test('grows by doubling, so that the cost of many pieces is that of their bytes', () => {
    const rooms = new Set<number>();
    for (let pieces = 64; pieces <= 4096; pieces += 64) {
      const assembly = new Assembly(false, isUtf8);
      for (let count = 0; count < pieces; count++) push(assembly, new Uint8Array([count, count >>> 8]));
      const message = only(assembly) as Uint8Array;
      rooms.add(message.buffer.byteLength);
      expect([...message.subarray(-2)]).toEqual([(pieces - 1) & 0xff, (pieces - 1) >>> 8]);
    }
    expect(rooms.size).toBe(5);
    expect(Math.max(...rooms)).toBeLessThanOrEqual(ROOM + 2 * 8192);
  });

  test('is at most twice what came', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(10));
    push(assembly, new Uint8Array(5000));
    expect(only(assembly)?.buffer.byteLength).toBe(ROOM + 2 * 5010);
  });

  test('is more, but not without bound, once much came', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(65_536), 16 * 1024 * 1024);
    expect(only(assembly)?.buffer.byteLength).toBe(ROOM + 16 * 65_536);
  });

  test('of a message of which half came is all that it will need, so that nothing is moved', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(10_000), 16_384);
    expect(only(assembly)?.buffer.byteLength).toBe(ROOM + 16_384);
  });

  test('has some in front, where a header fits', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(10));
    expect(only(assembly)?.byteOffset).toBe(ROOM);
  });
});

describe('where the message will do in pieces', () => {
  const KiB = 1024;

  function keep(assembly: Assembly, chunk: Uint8Array, start: number, end: number): void {
    expect(assembly.push(new Chunk(chunk), start, end, false, UNKNOWN, true)).toBe(true);
  }

  test('large ones are left where they are, and small ones are put together, in order', () => {
    const assembly = new Assembly(false, isUtf8, 6);
    const chunks = [64, 1, 2, 16, 3].map((size, index) => new Uint8Array(size * KiB).fill(index + 1));
    for (const [index, chunk] of chunks.entries()) keep(assembly, chunk, index === 0 ? 6 : 0, chunk.length);
    const pieces = assembly.finish() as Uint8Array[];
    expect(pieces.map(({ length }) => length)).toEqual([64 * KiB - 6, 3 * KiB, 16 * KiB, 3 * KiB]);
    expect(pieces.map(({ buffer }) => chunks.findIndex((chunk) => chunk.buffer === buffer))).toEqual([0, -1, 3, -1]);
    expect(assembly.room).toBe(6);
    expect(same(join(pieces), concat((chunks[0] as Uint8Array).subarray(6), ...chunks.slice(1)))).toBe(true);
  });

  test('one that would hold on to much more than itself is copied', () => {
    const assembly = new Assembly(false, isUtf8, 6);
    keep(assembly, new Uint8Array(512 * KiB), 6, 6 + 100 * KiB);
    const [piece] = assembly.finish() as [Uint8Array];
    expect(piece.buffer.byteLength).toBeLessThan(17 * 100 * KiB);
    expect(assembly.room).toBe(ROOM);
  });

  test('no more is allocated for what is put together than the pieces before leave of the message', () => {
    const assembly = new Assembly(false, isUtf8);
    keep(assembly, new Uint8Array(64 * KiB), 0, 64 * KiB);
    expect(push(assembly, new Uint8Array(10), 64 * KiB + 10)).toBe(true);
    expect(assembly.finish()?.[1]?.buffer.byteLength).toBe(ROOM + 10);
  });

  test('text is validated as it comes', () => {
    const assembly = new Assembly(true, isUtf8);
    const chunk = new Uint8Array(16 * KiB).fill(0x61);
    chunk[16 * KiB - 1] = 0xc3;
    keep(assembly, chunk, 0, chunk.length);
    expect(assembly.finish()).toBe(undefined);
    expect(assembly.push(new Chunk(chunk), 0, chunk.length, false, UNKNOWN, true)).toBe(false);
  });
});

test('takes a part of a chunk', () => {
  const assembly = new Assembly(false, isUtf8);
  assembly.push(new Chunk(new Uint8Array([1, 2, 3, 4])), 1, 3, false, UNKNOWN);
  expect(only(assembly)).toEqual(new Uint8Array([2, 3]));
});

describe('text', () => {
  test('is refused with the piece that can not be UTF-8', () => {
    const assembly = new Assembly(true, isUtf8);
    expect(push(assembly, bytes('ok'))).toBe(true);
    expect(push(assembly, new Uint8Array([0xff]))).toBe(false);
  });

  test('is not looked at again where it is known to be ASCII', () => {
    const assembly = new Assembly(true, () => {
      throw new Error('looked at');
    });
    expect(push(assembly, new Uint8Array(100), UNKNOWN, true)).toBe(true);
    expect(only(assembly)?.length).toBe(100);
  });

  test('but ASCII within a character is', () => {
    const assembly = new Assembly(true, isUtf8);
    push(assembly, new Uint8Array([0xc3]));
    expect(push(assembly, bytes('a'), UNKNOWN, true)).toBe(false);
  });

  test('that ends within a character is no message', () => {
    const assembly = new Assembly(true, isUtf8);
    push(assembly, bytes('é').slice(0, 1));
    expect(only(assembly)).toBe(undefined);
  });

  test('binary is not validated', () => {
    const assembly = new Assembly(false, isUtf8);
    expect(push(assembly, new Uint8Array([0xff]))).toBe(true);
    expect(only(assembly)).toEqual(new Uint8Array([0xff]));
  });
});
