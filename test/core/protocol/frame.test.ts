import { describe, expect, test } from 'vitest';
import { headerFault, headerSize, writeHeader } from '../../../core/protocol/frame.ts';
import { readFrames } from './support.ts';

describe('what a client may not begin a frame with', () => {
  test.each([
    ['RSV1', 0xc1, 0x80, false, 'reserved bit set'],
    ['RSV2', 0xa1, 0x80, false, 'reserved bit set'],
    ['RSV3', 0x91, 0x80, false, 'reserved bit set'],
    ['no mask', 0x81, 0x05, false, 'frame not masked'],
    ['opcode 3', 0x83, 0x80, false, 'unknown opcode'],
    ['opcode 7', 0x87, 0x80, false, 'unknown opcode'],
    ['opcode 11', 0x8b, 0x80, false, 'unknown opcode'],
    ['opcode 15', 0x8f, 0x80, false, 'unknown opcode'],
    ['a fragmented PING', 0x09, 0x80, false, 'fragmented control frame'],
    ['a PING of 126 bytes', 0x89, 0xfe, false, 'control frame too long'],
    ['a Close of one byte', 0x88, 0x81, false, 'invalid close frame'],
    ['a continuation of nothing', 0x80, 0x80, false, 'unexpected continuation'],
    ['text within a message', 0x81, 0x80, true, 'continuation expected'],
    ['binary within a message', 0x02, 0x80, true, 'continuation expected'],
  ])('%s', (_, first, second, fragmented, fault) => {
    expect(headerFault(first, second, fragmented, false)).toBe(fault);
  });

  test.each([
    ['text', 0x81, 0xff, false],
    ['the first fragment', 0x02, 0x80, false],
    ['a further fragment', 0x00, 0x80, true],
    ['the last fragment', 0x80, 0x80, true],
    ['a PING within a message', 0x89, 0xfd, true],
    ['a PONG of one byte', 0x8a, 0x81, false],
    ['an empty Close', 0x88, 0x80, false],
    ['a Close with a code', 0x88, 0x82, false],
  ])('but %s is fine', (_, first, second, fragmented) => {
    expect(headerFault(first, second, fragmented, false)).toBe('');
  });
});

describe('where compression is agreed on', () => {
  test.each([
    ['text', 0xc1, false],
    ['binary', 0xc2, false],
    ['the first fragment', 0x41, false],
    ['text that is not compressed', 0x81, false],
    ['a further fragment', 0x00, true],
  ])('%s may begin so', (_, first, fragmented) => {
    expect(headerFault(first, 0x80, fragmented, true)).toBe('');
  });

  test.each([
    ['RSV1 on a continuation', 0xc0, true, 'reserved bit set'],
    ['RSV1 on a PING', 0xc9, false, 'reserved bit set'],
    ['RSV1 on a Close', 0xc8, false, 'reserved bit set'],
    ['RSV1 on an unknown opcode', 0xc3, false, 'reserved bit set'],
    ['RSV2 beside RSV1', 0xe1, false, 'reserved bit set'],
    ['RSV3', 0x92, false, 'reserved bit set'],
    ['compressed text within a message', 0xc1, true, 'continuation expected'],
  ])('%s is as wrong as before', (_, first, fragmented, fault) => {
    expect(headerFault(first, 0x80, fragmented, true)).toBe(fault);
  });
});

test.each([0, 125, 126, 65535, 65536, 16 * 1024 * 1024])('the header of %d bytes is as short as can be', (length) => {
  const bytes = new Uint8Array(3 + headerSize(length) + length);
  expect(writeHeader(bytes, 3, 0x82, length)).toBe(3 + headerSize(length));
  // readFrames refuses a longer one.
  expect(readFrames(bytes.subarray(3)).map(({ fin, opcode, payload }) => [fin, opcode, payload.length])).toEqual([
    [true, 2, length],
  ]);
});

test('a length beyond 32 bits is written as it is', () => {
  const bytes = new Uint8Array(10);
  writeHeader(bytes, 0, 0x82, 2 ** 33 + 5);
  expect([...bytes]).toEqual([0x82, 127, 0, 0, 0, 2, 0, 0, 0, 5]);
});
