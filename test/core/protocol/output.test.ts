import { beforeEach, describe, expect, test } from 'vitest';
import { Output } from '../../../core/protocol/output.ts';
import { bytes, FakeStream, same, string } from './support.ts';

const [TEXT, BINARY] = [0x81, 0x82];
const KiB = 1024;

let stream: FakeStream;
let output: Output;

beforeEach(() => {
  stream = new FakeStream();
  output = new Output(stream);
});

const sizes = (): number[] => stream.writes.map((data) => data.length);

/** Lets the other end read all that is queued in the stream. */
function read(): void {
  stream.queued = 0;
  output.drain();
}

describe('frames', () => {
  test.each([0, 1, 125, 126, 8192, 8193, 65535, 65536, 300_000])('of %d bytes arrive as they were', (length) => {
    const payload = new Uint8Array(length).map((_, index) => index * 3);
    output.frame(BINARY, payload);
    expect(output.size).toBe(output.queued);
    output.flush();
    const [sent, ...more] = stream.sent;
    expect([sent?.fin, sent?.opcode, more.length]).toEqual([true, 2, 0]);
    expect(same(sent?.payload, payload)).toBe(true);
    expect(output.size).toBe(0);
  });

  test.each([
    '',
    'a',
    'x'.repeat(125),
    'x'.repeat(126),
    'é'.repeat(62),
    'é'.repeat(63),
    '€'.repeat(2730),
    'ü'.repeat(9000),
  ])('strings are encoded with the right header (%#)', (text) => {
    output.text(TEXT, 'before');
    output.text(TEXT, text);
    output.text(TEXT, 'after');
    expect(output.size).toBe(output.queued);
    output.flush();
    expect(stream.sent.map(({ payload }) => string(payload))).toEqual(['before', text, 'after']);
    expect(output.size).toBe(0);
  });

  test('a lone surrogate becomes U+FFFD', () => {
    output.text(TEXT, 'a\ud800');
    output.flush();
    expect(stream.sent.map(({ payload }) => string(payload))).toEqual(['a\ufffd']);
  });

  test('small ones leave as one write', () => {
    for (let count = 0; count < 32; count++) output.frame(BINARY, new Uint8Array(64));
    output.flush();
    expect(sizes()).toEqual([32 * 66]);
  });

  test('large ones are not copied, and leave corked with their headers', () => {
    const payload = new Uint8Array(16 * KiB);
    output.frame(BINARY, bytes('x'));
    output.frame(BINARY, payload);
    output.frame(BINARY, bytes('y'));
    const corked: number[] = [];
    stream.onWrite = () => corked.push(stream.corked);
    output.flush();
    expect(sizes()).toEqual([7, 16 * KiB, 3]);
    expect(stream.writes[1]).toBe(payload);
    expect([corked, stream.corked]).toEqual([[1, 1, 1], 0]);
  });

  test('a very large part leaves by itself, as some runtimes copy what is corked', () => {
    const corked: boolean[] = [];
    stream.onWrite = () => corked.push(stream.corked > 0);
    output.pieces(
      BINARY,
      [100, 100, 10, 10].map((size) => new Uint8Array(size * KiB)),
      0,
    );
    output.flush();
    expect(sizes()).toEqual([10, 100 * KiB, 92 * KiB - 10, 8 * KiB + 10, 10 * KiB, 10 * KiB]);
    expect(corked).toEqual([true, true, true, true, true, true]);
    corked.length = 0;
    output.pieces(BINARY, [new Uint8Array(10 + 100 * KiB).subarray(10), new Uint8Array(10 * KiB)], 10);
    output.flush();
    expect(corked).toEqual([false, false]);
  });

  test('a slab that is full is followed by another', () => {
    const payload = new Uint8Array(8000).fill(1);
    for (let count = 0; count < 20; count++) output.frame(BINARY, payload);
    output.flush();
    expect(stream.sent.length).toBe(20);
    expect(stream.sent.every((sent) => same(sent.payload, payload))).toBe(true);
  });

  test('of several connections do not mix, though they share a slab', () => {
    const other = new FakeStream();
    const second = new Output(other);
    output.text(TEXT, 'a1');
    second.text(TEXT, 'b1');
    output.text(TEXT, 'a2');
    second.text(TEXT, 'b2');
    output.flush();
    second.flush();
    output.text(TEXT, 'a3');
    output.flush();
    expect(stream.sent.map(({ payload }) => string(payload))).toEqual(['a1', 'a2', 'a3']);
    expect(other.sent.map(({ payload }) => string(payload))).toEqual(['b1', 'b2']);
    expect(stream.writes[0]?.buffer).toBe(other.writes[0]?.buffer);
  });

  test('nothing to flush is no write', () => {
    output.flush();
    expect(stream.writes).toEqual([]);
  });
});

describe('a slow reader', () => {
  beforeEach(() => {
    stream.reading = false;
  });

  test('is handed 192 KiB at a time, and the rest waits here', () => {
    output.frame(BINARY, new Uint8Array(1024 * KiB));
    output.flush();
    expect(stream.queued).toBe(192 * KiB);
    expect(output.queued).toBe(1024 * KiB + 10);
    expect(output.blocked).toBe(true);
    read();
    expect(stream.queued).toBe(192 * KiB);
    expect(output.queued).toBe(832 * KiB + 10);
    while (stream.queued > 0) read();
    expect(output.queued).toBe(0);
    expect(output.blocked).toBe(false);
    expect(stream.sent.map(({ payload }) => payload.length)).toEqual([1024 * KiB]);
  });

  test('while a fast one gets all of it at once', () => {
    stream.reading = true;
    output.frame(BINARY, new Uint8Array(1024 * KiB));
    output.flush();
    expect(output.size).toBe(0);
    expect(Math.max(...sizes())).toBe(192 * KiB);
    expect(output.blocked).toBe(false);
  });

  test('is handed more as long as less than 64 KiB wait in the stream', () => {
    output.frame(BINARY, new Uint8Array(63 * KiB));
    output.flush();
    output.frame(BINARY, new Uint8Array(10 * KiB));
    output.flush();
    output.frame(BINARY, new Uint8Array(10));
    output.flush();
    expect([sizes().length, output.size]).toEqual([4, 12]);
  });

  test('gets small frames that waited in few large writes, in order', () => {
    output.frame(BINARY, new Uint8Array(100 * KiB));
    output.flush();
    for (let index = 0; index < 1000; index++) {
      output.text(TEXT, `number ${index}`);
      output.flush();
    }
    while (output.queued > 0) read();
    expect(stream.sent.slice(1).map(({ payload }) => string(payload))).toEqual(
      Array.from({ length: 1000 }, (_, index) => `number ${index}`),
    );
    expect(stream.writes.length).toBeLessThan(6);
  });

  test('does not hold on to the memory of the others', () => {
    const other = new FakeStream();
    const second = new Output(other);
    output.frame(BINARY, new Uint8Array(100 * KiB));
    output.flush();
    output.text(TEXT, 'waits');
    second.text(TEXT, 'does not');
    second.flush();
    read();
    expect(stream.writes.at(-1)?.buffer).not.toBe(other.writes[0]?.buffer);
    expect(stream.writes.at(-1)?.buffer.byteLength).toBe(16 * KiB);
    const own = stream.writes.at(-1)?.buffer;
    // Once it has caught up it shares again, and has let go of its own.
    read();
    output.text(TEXT, 'shares');
    second.text(TEXT, 'shares');
    output.flush();
    second.flush();
    expect(stream.writes.at(-1)?.buffer).toBe(other.writes.at(-1)?.buffer);
    output.text(TEXT, 'waits again');
    output.flush();
    expect(stream.writes.at(-1)?.buffer.byteLength).toBe(16 * KiB);
    expect(stream.writes.at(-1)?.buffer).not.toBe(own);
  });

  test('may have many parts waiting', () => {
    const payload = new Uint8Array(9 * KiB);
    for (let count = 0; count < 1500; count++) output.frame(BINARY, payload);
    output.flush();
    while (output.queued > 0) read();
    expect(stream.sent.length).toBe(1500);
  });

  test('a stream that drains while it is written to is not written to twice over', () => {
    output.frame(BINARY, new Uint8Array(500 * KiB));
    output.flush();
    const payload = new Uint8Array(9 * KiB).fill(7);
    stream.onWrite = () => {
      stream.onWrite = () => {};
      output.drain();
      output.frame(BINARY, payload);
      output.flush();
    };
    while (output.queued > 0) read();
    expect(stream.sent.map((sent) => sent.payload.length)).toEqual([500 * KiB, 9 * KiB]);
  });
});

describe('the end', () => {
  test('hands over all that is left and ends the stream', () => {
    stream.reading = false;
    output.frame(BINARY, new Uint8Array(1024 * KiB));
    output.flush();
    output.text(TEXT, 'last');
    output.finish();
    expect(output.size).toBe(0);
    expect(stream.calls).toEqual(['end']);
    expect(stream.sent.map(({ payload }) => payload.length)).toEqual([1024 * KiB, 4]);
  });

  test('with nothing left is only the end', () => {
    output.finish();
    expect([stream.writes, stream.calls]).toEqual([[], ['end']]);
  });

  test('what is dropped is not written', () => {
    stream.reading = false;
    output.frame(BINARY, new Uint8Array(1024 * KiB));
    output.flush();
    output.text(TEXT, 'last');
    const written = sizes().length;
    output.drop();
    read();
    expect([output.size, sizes().length]).toEqual([0, written]);
  });

  test('a stream that drops all while it is written to gets no more', () => {
    output.frame(BINARY, new Uint8Array(300 * KiB));
    stream.onWrite = () => output.drop();
    output.flush();
    expect([output.size, sizes()]).toEqual([0, [10]]);
  });
});
