/** Messages that are sent back where they lie: to the client the same as if a handler had sent each. */
import { describe, expect, test } from 'vitest';
import { bytes, close, concat, frame, type Harness, harness, mulberry32, readFrames, same } from './support.ts';

const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];

const filled = (length: number): Uint8Array => new Uint8Array(length).map((_, index) => index * 7);

/** A WebSocket whose receiver echoes: by itself, or leaves it to the transport. */
function echoing(byTransport: boolean): Harness {
  const made = harness({ maxMessageSize: 400_000 });
  made.recorder.echoing = byTransport;
  made.recorder.onMessage = (data, text) => made.transport.send(data, text);
  return made;
}

/** What was counted: by the receiver, and by the transport for it. */
function counted({ recorder }: Harness): { messages: number; bytes: number } {
  const received = recorder.messages.map(([data, text]) => (text ? bytes(data as string).length : data.length));
  const told = [...received.map((size): [number, number] => [1, size]), ...recorder.echoes];
  return {
    messages: told.reduce((sum, [messages]) => sum + messages, 0),
    bytes: told.reduce((sum, [, size]) => sum + size, 0),
  };
}

function random(seed: number): { below(bound: number): number; frames(): Uint8Array } {
  const next = mulberry32(seed);
  const below = (bound: number) => Math.floor(next() * bound);
  const pick = <T>(...values: T[]): T => values[below(values.length)] as T;
  const data = (text: boolean) => {
    const length = pick(0, 1, 3, 30, 64, 125, 126, 200, 1000, 9000, 40_000);
    return text
      ? pick('ascii ', 'Grüße ', '😀')
          .repeat(length)
          .slice(0, length & ~1)
      : filled(length);
  };
  const key = (): [number, number, number, number] => [below(256), below(256), below(256), below(256)];
  const one = (): Uint8Array => {
    const text = next() < 0.5;
    const options = { key: key() };
    const [opcode, payload] = [text ? TEXT : BINARY, data(text)];
    const chance = next();
    if (chance < 0.1) return frame(pick(PING, PONG), 'are you there?', options);
    if (chance < 0.2) {
      return concat(frame(opcode, payload, { ...options, fin: false }), frame(PING), frame(0, payload, options));
    }
    if (chance < 0.22) return frame(TEXT, new Uint8Array([0x61, 0xc3, 0x28]), options);
    return frame(opcode, payload, options);
  };
  return { below, frames: () => concat(...Array.from({ length: 1 + below(12) }, one)) };
}

describe('echoes by the transport', () => {
  test('are the same bytes, the same counts and the same end, however the bytes are cut', () => {
    const { below, frames } = random(31);
    let inPlace = 0;
    for (let round = 0; round < 250; round++) {
      const all = concat(frames(), below(2) === 0 ? frame(CLOSE, close(1000, 'done')) : frame(PING));
      const [one, other] = [echoing(false), echoing(true)];
      for (let at = 0, most = [20, 300, 5000, 60_000, 1_000_000][below(5)] as number; at < all.length; ) {
        const end = at + 1 + below(most);
        // With a shared buffer around it, at any alignment, as runtimes give it.
        const place = below(8);
        for (const { feed } of [one, other]) {
          const around = new Uint8Array(end - at + 16).fill(0xee);
          around.set(all.subarray(at, end), place);
          const size = Math.min(end, all.length) - at;
          feed.data(around.subarray(place, place + size));
          expect([...around.subarray(0, place), ...around.subarray(place + size)].every((b) => b === 0xee)).toBe(true);
        }
        at = end;
      }
      expect(same(concat(...other.stream.writes), concat(...one.stream.writes)), `round ${round}`).toBe(true);
      expect(counted(other)).toEqual(counted(one));
      expect(other.recorder.closes).toEqual(one.recorder.closes);
      expect(other.recorder.pings).toBe(one.recorder.pings);
      inPlace += other.recorder.echoes.length;
    }
    expect(inPlace).toBeGreaterThan(500);
  }, 30_000);

  test('of one chunk leave in one write, in the memory of that chunk', () => {
    const { feed, stream, recorder } = echoing(true);
    const messages = [filled(64), filled(300), filled(0), filled(1), filled(9000)];
    const chunk = concat(...messages.map((data) => frame(BINARY, data)));
    feed.data(chunk);
    expect(stream.writes.length).toBe(1);
    expect(stream.writes[0]?.buffer).toBe(chunk.buffer);
    expect(stream.sent.map(({ payload }) => payload)).toEqual(messages);
    expect(recorder.echoes).toEqual([[5, 9365, true]]);
  });

  test('of a message that came in small pieces leave in one write, with its header in front', () => {
    const { feed, stream, recorder } = echoing(true);
    const data = filled(20_000);
    const sent = frame(BINARY, data);
    feed.data(sent.slice(0, 10_000));
    feed.data(sent.slice(10_000));
    expect(stream.writes.length).toBe(1);
    expect(same(stream.sent[0]?.payload, data)).toBe(true);
    expect(recorder.echoes).toEqual([[1, 20_000, true]]);
  });

  test('of a message that came in large pieces leave in these, in the memory of the chunks', () => {
    const { feed, stream, recorder } = echoing(true);
    const data = filled(150_000);
    const sent = concat(frame(TEXT, 'before'), frame(BINARY, data));
    const chunks = [sent.slice(0, 65_536), sent.slice(65_536, 131_072), sent.slice(131_072)];
    for (const chunk of chunks) feed.data(chunk);
    expect(stream.writes.slice(1).map(({ buffer }) => buffer)).toEqual(chunks.map(({ buffer }) => buffer));
    expect(stream.sent.map(({ payload }) => payload.length)).toEqual([6, 150_000]);
    expect(same(stream.sent[1]?.payload, data)).toBe(true);
    expect(recorder.echoes.at(-1)).toEqual([1, 150_000, true]);
  });

  test('of a large message that lies in one chunk leave in its memory, unless its header came before', () => {
    const data = filled(100_000);
    for (const [cut, kept] of [
      [0, true],
      [4, true],
      [5, false],
    ] as const) {
      const { feed, stream } = echoing(true);
      const sent = frame(BINARY, data);
      const chunk = sent.slice(cut);
      feed.data(concat(frame(TEXT, 'before'), sent.slice(0, cut)));
      feed.data(chunk);
      expect(same(stream.sent[1]?.payload, data)).toBe(true);
      expect(stream.writes[1]?.buffer === chunk.buffer).toBe(kept);
    }
  });

  test('of large fragments have a header of their own, where the first has no room for it', () => {
    const { feed, stream } = echoing(true);
    const data = filled(80_000);
    feed.data(frame(BINARY, '', { fin: false }));
    feed.data(frame(0, data.subarray(0, 40_000), { fin: false }));
    feed.data(frame(0, data.subarray(40_000)));
    expect(stream.sent.length).toBe(1);
    expect(same(stream.sent[0]?.payload, data)).toBe(true);
    expect(stream.writes[0]?.length).toBe(10);
  });

  test('that turn out to be none: the receiver gets the message in one piece', () => {
    const { feed, stream, recorder } = echoing(true);
    recorder.onMessage = () => {};
    const data = filled(100_000);
    const sent = frame(BINARY, data);
    feed.data(sent.slice(0, 50_000));
    recorder.echoing = false;
    feed.data(sent.slice(50_000));
    expect(recorder.messages.length).toBe(1);
    expect(same(recorder.messages[0]?.[0] as Uint8Array, data)).toBe(true);
    expect(stream.writes).toEqual([]);
  });

  test('are told of before a Close is', () => {
    const { feed, recorder } = echoing(true);
    const seen: string[] = [];
    recorder.echoed = (messages) => seen.push(`${messages} echoed`);
    recorder.over = (code) => seen.push(`close ${code}`);
    feed.data(concat(frame(TEXT, 'one'), frame(TEXT, 'two'), frame(CLOSE, close(1000))));
    expect(seen).toEqual(['2 echoed', 'close 1000']);
  });

  test('leave out text that is none, which ends the connection with 1007 after what came before', () => {
    const { feed, stream, recorder } = echoing(true);
    feed.data(concat(frame(TEXT, 'é'), frame(TEXT, new Uint8Array([0xff])), frame(TEXT, 'never')));
    expect(stream.sent.map(({ opcode }) => opcode)).toEqual([TEXT, CLOSE]);
    expect(recorder.echoes).toEqual([[1, 2, true]]);
    expect(recorder.closes).toEqual([[1007, 'invalid UTF-8', 'protocol-error']]);
  });

  test('are handed on once there are many, and none is made in place for a client that does not read', () => {
    const { feed, stream, recorder } = echoing(true);
    stream.reading = false;
    feed.data(concat(...Array.from({ length: 20 }, () => frame(BINARY, filled(30_000)))));
    // So much was echoed in place before the stream was seen to be full; the others went through the receiver.
    const [[messages = 0, , keepsUp] = []] = recorder.echoes;
    expect(keepsUp).toBe(false);
    expect(messages).toBeLessThan(11);
    expect(messages + recorder.messages.length).toBe(20);
    stream.queued = 0;
    stream.reading = true;
    feed.drained();
    expect(stream.sent.every(({ payload }) => payload.length === 30_000)).toBe(true);
    expect(stream.sent.length).toBe(20);
  });

  test('stop as soon as the receiver wants to see the messages itself', () => {
    const { feed, recorder, stream } = echoing(true);
    recorder.onMessage = () => {};
    feed.data(frame(TEXT, 'echo'));
    recorder.echoing = false;
    feed.data(frame(TEXT, 'keep'));
    expect(recorder.messages).toEqual([['keep', true]]);
    expect(stream.sent.length).toBe(1);
  });

  test('follow what was sent otherwise, and go before what is sent later', async () => {
    const { feed, stream, transport } = echoing(true);
    transport.send('first', true);
    feed.data(concat(frame(TEXT, 'second'), frame(PING, 'third'), frame(TEXT, 'fourth')));
    transport.send('fifth', true);
    await Promise.resolve();
    expect(stream.sent.map(({ payload }) => new TextDecoder().decode(payload))).toEqual([
      'first',
      'second',
      'third',
      'fourth',
      'fifth',
    ]);
  });

  test('that were under way when the stream broke are told of before the end', () => {
    const { feed, stream, recorder } = echoing(true);
    const seen: string[] = [];
    recorder.echoed = (messages) => seen.push(`${messages} echoed`);
    recorder.over = (code) => seen.push(`close ${code}`);
    stream.onWrite = () => feed.gone();
    feed.data(concat(...Array.from({ length: 10 }, () => frame(BINARY, filled(60_000)))));
    expect(seen).toEqual(['5 echoed', 'close 1006']);
  });
});

test('a frame with a longer length than need be is echoed with the shortest', () => {
  const { feed, stream } = echoing(true);
  feed.data(concat(frame(TEXT, 'abcdefgh', { wide: 2 }), frame(TEXT, 'x'.repeat(100), { wide: 2 }), frame(TEXT, 'z')));
  expect(readFrames(concat(...stream.writes)).map(({ payload }) => payload.length)).toEqual([8, 100, 1]);
});
