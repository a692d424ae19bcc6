import { expect, test } from 'vitest';
import { Chunk } from '../../../core/protocol/chunk.ts';

test('a few bytes get no view of their words', () => {
  expect(new Chunk(new Uint8Array(95)).words.length).toBe(0);
});

test('the words are those of the whole buffer, wherever in it the bytes begin', () => {
  const buffer = new ArrayBuffer(103);
  const chunk = new Chunk(new Uint8Array(buffer, 3, 97));
  expect(chunk.words.length).toBe(25);
  expect(chunk.words.buffer).toBe(buffer);
  expect([chunk.offset, chunk.end]).toEqual([3, 97]);
});

test('a view shares the bytes', () => {
  const bytes = new Uint8Array(new ArrayBuffer(8), 2, 5);
  bytes[3] = 7;
  const view = new Chunk(bytes).view(3, 5);
  expect(view).toEqual(new Uint8Array([7, 0]));
  expect(view.buffer).toBe(bytes.buffer);
});
