import { describe, expect, test } from 'vitest';
import { Assembly, ROOM } from '../../../core/protocol/assembly.ts';
import { Chunk } from '../../../core/protocol/chunk.ts';
import { bytes, isUtf8 } from './support.ts';

const UNKNOWN = Number.POSITIVE_INFINITY;

function push(assembly: Assembly, data: Uint8Array, most = UNKNOWN, ascii = false): boolean {
  return assembly.push(new Chunk(data), 0, data.length, ascii, most);
}

describe('room', () => {
  test('grows with what came, not with what was announced', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(1), 16 * 1024 * 1024);
    expect(assembly.finish()?.buffer.byteLength).toBe(ROOM + 512);
  });

  test('is exactly that of the message where its length is known', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(600), 1000);
    push(assembly, new Uint8Array(400), 1000);
    expect(assembly.finish()?.buffer.byteLength).toBe(ROOM + 1000);
  });

  test('grows by doubling, so that the cost of many pieces is that of their bytes', () => {
    const assembly = new Assembly(false, isUtf8);
    const rooms = new Set<number>();
    for (let count = 0; count < 4096; count++) {
      push(assembly, new Uint8Array([count, count >>> 8]));
      rooms.add(assembly.finish()?.buffer.byteLength as number);
    }
    expect(rooms.size).toBe(5);
    expect(Math.max(...rooms)).toBeLessThanOrEqual(ROOM + 2 * 8192);
    expect([...(assembly.finish() as Uint8Array).subarray(8190)]).toEqual([0xff, 0x0f]);
  });

  test('is at most twice what came', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(10));
    push(assembly, new Uint8Array(5000));
    expect(assembly.finish()?.buffer.byteLength).toBe(ROOM + 2 * 5010);
  });

  test('is more, but not without bound, once much came', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(65_536), 16 * 1024 * 1024);
    expect(assembly.finish()?.buffer.byteLength).toBe(ROOM + 16 * 65_536);
  });

  test('of a message of which half came is all that it will need, so that nothing is moved', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(10_000), 16_384);
    expect(assembly.finish()?.buffer.byteLength).toBe(ROOM + 16_384);
  });

  test('has some in front, where a header fits', () => {
    const assembly = new Assembly(false, isUtf8);
    push(assembly, new Uint8Array(10));
    expect(assembly.finish()?.byteOffset).toBe(ROOM);
  });
});

test('takes a part of a chunk', () => {
  const assembly = new Assembly(false, isUtf8);
  assembly.push(new Chunk(new Uint8Array([1, 2, 3, 4])), 1, 3, false, UNKNOWN);
  expect(assembly.finish()).toEqual(new Uint8Array([2, 3]));
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
    expect(assembly.finish()?.length).toBe(100);
  });

  test('but ASCII within a character is', () => {
    const assembly = new Assembly(true, isUtf8);
    push(assembly, new Uint8Array([0xc3]));
    expect(push(assembly, bytes('a'), UNKNOWN, true)).toBe(false);
  });

  test('that ends within a character is no message', () => {
    const assembly = new Assembly(true, isUtf8);
    push(assembly, bytes('é').slice(0, 1));
    expect(assembly.finish()).toBe(undefined);
  });

  test('binary is not validated', () => {
    const assembly = new Assembly(false, isUtf8);
    expect(push(assembly, new Uint8Array([0xff]))).toBe(true);
    expect(assembly.finish()).toEqual(new Uint8Array([0xff]));
  });
});
