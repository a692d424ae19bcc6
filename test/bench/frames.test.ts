import { describe, expect, it } from 'vitest';
import { FrameCounter, LengthCounter, messagesIn } from '../../bench/load/frames.ts';
import { frame, opcode } from '../support/raw.ts';

const unmasked = { mask: null } as const;
const whole = (size: number) => frame(opcode.binary, Buffer.alloc(size, 7), unmasked);
const cut = Buffer.concat([
  frame(opcode.text, 'a'.repeat(200), { ...unmasked, fin: false }),
  frame(opcode.ping, 'in between', unmasked),
  frame(opcode.continuation, '', unmasked),
]);

/** Feeds bytes in pieces of one size and sums up what was counted. */
function fed(counter: FrameCounter | LengthCounter, bytes: Buffer, piece: number): number {
  let messages = 0;
  for (let at = 0; at < bytes.length; at += piece) {
    const part = bytes.subarray(at, at + piece);
    messages += counter.count(part, part.length);
  }
  return messages;
}

describe.each([1, 3, 7, 1000, 100_000])('in pieces of %i bytes', (piece) => {
  it.each([0, 125, 126, 65_535, 65_536])('messages of %i bytes are counted, by length and by frame', (size) => {
    const bytes = Buffer.concat([whole(size), whole(size), whole(size)]);
    expect(fed(new LengthCounter(size), bytes, piece)).toBe(3);
    expect(fed(new FrameCounter(), bytes, piece)).toBe(3);
  });

  it('a message in several frames is one, and a PING among them none', () => {
    expect(fed(new FrameCounter(), Buffer.concat([cut, whole(300), cut]), piece)).toBe(3);
  });
});

it.each([10, 300, 70_000])('a message of %i bytes is counted when its last byte is there, not before', (size) => {
  const bytes = whole(size);
  for (const counter of [new LengthCounter(size), new FrameCounter()]) {
    expect(counter.count(bytes, bytes.length - 1)).toBe(0);
    expect(counter.count(bytes.subarray(-1), 1)).toBe(1);
  }
});

describe('messagesIn', () => {
  it('puts frames together', () => {
    expect(messagesIn(Buffer.concat([cut, whole(70_000)]))).toEqual([
      { opcode: opcode.text, payload: Buffer.from('a'.repeat(200)), frames: 2 },
      { opcode: opcode.binary, payload: Buffer.alloc(70_000, 7), frames: 1 },
    ]);
  });

  it('says when there is more to come', () => {
    for (const end of [1, 3, 100, 205, 212, cut.length - 1]) expect(messagesIn(cut.subarray(0, end))).toBeUndefined();
  });
});
