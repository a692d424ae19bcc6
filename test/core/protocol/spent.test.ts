/** What becomes of the memory that large chunks came in: freed as soon as nobody can read from it any more, and never before. */
import { describe, expect, test } from 'vitest';
import { close, concat, frame, type Harness, harness, mulberry32, same } from './support.ts';

const [TEXT, BINARY, CLOSE, PING] = [1, 2, 8, 9];

const filled = (length: number, first = 0): Uint8Array => new Uint8Array(length).map((_, index) => first + index * 7);

/** A WebSocket that echoes, over a stream that takes freed memory away at once. */
function echoing(): Harness {
  const made = harness({ maxMessageSize: 400_000 });
  made.recorder.echoing = true;
  made.stream.frees = true;
  return made;
}

/** The bytes in chunks of so many, each in memory of its own. */
function chunks(size: number, ...frames: Uint8Array[]): Uint8Array[] {
  const all = concat(...frames);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

describe('the memory of a large chunk', () => {
  test('is freed when its echoes have left', () => {
    const { feed, stream } = echoing();
    const chunk = concat(frame(BINARY, filled(9000)), frame(PING, 'hello'), frame(TEXT, 'a'.repeat(9000)));
    const { buffer } = chunk;
    feed.data(chunk);
    expect(stream.freed).toEqual([buffer]);
    expect(stream.sent.map(({ payload }) => payload.length)).toEqual([9000, 5, 9000]);
  });

  test('is freed, too, where the message that it ends in was copied', () => {
    const { feed, stream } = echoing();
    const data = filled(40_000);
    const [first, second] = chunks(40_000, frame(BINARY, filled(30_000)), frame(BINARY, data)) as [
      Uint8Array,
      Uint8Array,
    ];
    const memory = [first.buffer, second.buffer];
    feed.data(first);
    expect(stream.freed).toEqual([memory[0]]);
    feed.data(second);
    expect(stream.freed).toContain(memory[1]);
    expect(same(stream.sent[1]?.payload, data)).toBe(true);
  });

  test('in which a message has its pieces is freed when that has left, and told of once', () => {
    const { feed, stream } = echoing();
    stream.frees = false;
    const data = filled(150_000);
    const all = chunks(65_536, frame(TEXT, 'before'), frame(BINARY, data));
    const memory = all.map(({ buffer }) => buffer);
    for (const chunk of all.slice(0, 2)) feed.data(chunk);
    expect(stream.freed).toEqual([]);
    feed.data(all[2] as Uint8Array);
    expect(new Set(stream.freed)).toEqual(new Set(memory));
    expect(stream.freed.length).toBe(3);
    expect(same(stream.sent[1]?.payload, data)).toBe(true);
  });

  test('is left alone while a reader is slow', () => {
    const { feed, stream } = echoing();
    stream.reading = false;
    feed.data(frame(BINARY, filled(20_000)));
    stream.reading = true;
    stream.queued = 0;
    feed.drained();
    expect(stream.freed).toEqual([]);
  });

  test('is left alone where a message of it was given to the receiver', () => {
    const { feed, stream, recorder } = echoing();
    recorder.echoing = false;
    feed.data(frame(BINARY, filled(20_000)));
    expect(stream.freed).toEqual([]);
    expect(same(recorder.messages[0]?.[0] as Uint8Array, filled(20_000))).toBe(true);
  });

  test('is left alone where a message was given away and another, which goes on, is echoed', () => {
    const { feed, stream, recorder } = echoing();
    recorder.echoing = false;
    recorder.onMessage = () => {
      recorder.echoing = true;
    };
    const [first, second, third] = chunks(50_000, frame(BINARY, filled(1000)), frame(BINARY, filled(120_000))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    for (const chunk of [first, second, third]) feed.data(chunk);
    expect(same(stream.sent[0]?.payload, filled(120_000))).toBe(true);
    expect(same(recorder.messages[0]?.[0] as Uint8Array, filled(1000))).toBe(true);
    expect(stream.freed).not.toContain(first.buffer);
  });

  test.each([
    ['pause', true],
    ['send', false],
  ] as const)('is left alone, too, where a %s came in between', async (_, pauses) => {
    const { feed, stream, recorder, transport } = echoing();
    recorder.echoing = false;
    recorder.onMessage = () => {
      recorder.echoing = true;
      if (pauses) transport.pause();
    };
    const all = chunks(50_000, frame(BINARY, filled(1000)), frame(BINARY, filled(120_000)));
    const [first, ...others] = all as [Uint8Array, ...Uint8Array[]];
    feed.data(first);
    if (pauses) transport.resume();
    else transport.ping();
    await Promise.resolve();
    for (const chunk of others) feed.data(chunk);
    expect(same(stream.sent.at(-1)?.payload, filled(120_000))).toBe(true);
    expect(same(recorder.messages[0]?.[0] as Uint8Array, filled(1000))).toBe(true);
  });

  test('is left alone where it is part of something larger, or the chunk is small', () => {
    const { feed, stream } = echoing();
    const sent = frame(BINARY, filled(20_000));
    const around = new Uint8Array(sent.length + 8);
    around.set(sent, 8);
    feed.data(around.subarray(8));
    feed.data(frame(BINARY, filled(10_000)));
    expect(stream.freed).toEqual([]);
  });

  test('is left alone while it waits to be parsed', () => {
    const { feed, stream, transport, recorder } = echoing();
    recorder.pingCame = () => transport.pause();
    feed.data(concat(frame(PING), frame(BINARY, filled(20_000))));
    expect(stream.freed).toEqual([]);
  });

  test('is left alone when the connection has ended', () => {
    const { feed, stream } = echoing();
    feed.data(concat(frame(BINARY, filled(20_000)), frame(CLOSE, close(1000))));
    expect(stream.freed).toEqual([]);
  });

  test('is never taken from under anybody, whoever takes which message, however the bytes are cut', async () => {
    const next = mulberry32(77);
    const below = (bound: number) => Math.floor(next() * bound);
    let freed = 0;
    for (let round = 0; round < 150; round++) {
      const { feed, stream, recorder, transport } = echoing();
      const given: Uint8Array[] = [];
      recorder.take = (data) => {
        given.push(data as Uint8Array);
        recorder.echoing = below(3) > 0;
        if (below(8) === 0) {
          transport.pause();
          transport.resume();
        }
      };
      const messages = Array.from({ length: 12 }, (_, index) =>
        filled([100, 5000, 20_000, 40_000, 90_000][below(5)] as number, index),
      );
      const frames = messages.flatMap((data) => {
        if (below(4) > 0) return [frame(BINARY, data)];
        const cut = below(data.length);
        return [frame(BINARY, data.subarray(0, cut), { fin: false }), frame(PING), frame(0, data.subarray(cut))];
      });
      for (const chunk of chunks([17_000, 40_000, 65_536, 200_000][below(4)] as number, ...frames)) {
        feed.data(chunk);
        if (below(3) === 0) recorder.echoing = !recorder.echoing;
        if (below(3) === 0) await Promise.resolve();
      }
      await new Promise((resolve) => setImmediate(resolve));
      const echoed = stream.sent.filter(({ opcode }) => opcode === BINARY).map(({ payload }) => payload);
      // In order, each went one way or the other, whole.
      for (const data of messages) {
        const way = same(echoed[0], data) ? echoed : given;
        expect(same(way.shift(), data), `round ${round}`).toBe(true);
      }
      expect([...echoed, ...given]).toEqual([]);
      freed += stream.freed.length;
    }
    expect(freed).toBeGreaterThan(300);
  }, 30_000);
});
