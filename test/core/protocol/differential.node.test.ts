/**
 * The protocol against `ws`, both ways, with generated traffic: the same in every run.
 *
 * Only on Node: Bun puts its own `ws` in place of the library.
 */
import { describe, expect, test } from 'vitest';
import { bytes, close, concat, frame, harness, mulberry32, string } from './support.ts';

const onNode = typeof process !== 'undefined' && !('Bun' in globalThis) && !('Deno' in globalThis);

const LIMIT = 3000;

type Random = () => number;
const below = (random: Random, bound: number): number => Math.floor(random() * bound);
const pick = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)] as T;

/** What one side made of the bytes. */
interface Outcome {
  /** Messages and control frames in order. */
  readonly events: string[];
  /** The payloads of PINGs: on our side as they came back in PONGs. */
  readonly pings: string[];
  /** What it closes with, if it does. */
  code: number | undefined;
}

const show = (data: Uint8Array): string => `${data.length}:${data.subarray(0, 60).join()}:${data.subarray(-20).join()}`;

function ours(chunks: readonly Uint8Array[]): Outcome {
  const { feed, recorder, stream } = harness({ maxMessageSize: LIMIT });
  const events: string[] = [];
  let code: number | undefined;
  recorder.take = (data, text) => events.push(`${text ? 'text' : 'binary'} ${show(data as Uint8Array)}`);
  recorder.pingCame = () => events.push('ping');
  recorder.pongCame = () => events.push('pong');
  recorder.over = (closed) => {
    code = closed;
  };
  for (const chunk of chunks) feed.data(chunk.slice());
  const pings = stream.sent.filter(({ opcode }) => opcode === 10).map(({ payload }) => show(payload));
  return { events, pings, code };
}

interface WsReceiver {
  write(chunk: Uint8Array): boolean;
  on(event: string, listener: (...args: never[]) => void): void;
}
type WsReceiverClass = new (options: object) => WsReceiver;

function theirs(Receiver: WsReceiverClass, chunks: readonly Uint8Array[]): Outcome {
  const outcome: Outcome = { events: [], pings: [], code: undefined };
  const receiver = new Receiver({ isServer: true, maxPayload: LIMIT, allowSynchronousEvents: true });
  receiver.on('message', (data: Uint8Array, binary: boolean) => {
    outcome.events.push(`${binary ? 'binary' : 'text'} ${show(data)}`);
  });
  receiver.on('ping', (data: Uint8Array) => {
    outcome.events.push('ping');
    outcome.pings.push(show(data));
  });
  receiver.on('pong', () => outcome.events.push('pong'));
  receiver.on('conclude', (code: number) => {
    outcome.code = code;
  });
  for (const chunk of chunks) {
    if (outcome.code === undefined) outcome.code = write(receiver, chunk) ?? outcome.code;
  }
  return outcome;
}

/** Writes, and gives the status code of the error that came of it, which the library keeps behind a symbol. */
function write(receiver: WsReceiver, chunk: Uint8Array): number | undefined {
  let code: number | undefined;
  const inner = receiver as unknown as {
    _write(chunk: Uint8Array, encoding: string, done: (error?: object) => void): void;
  };
  inner._write(Buffer.from(chunk), 'buffer', (error) => {
    if (error === undefined) return;
    const status = Object.getOwnPropertySymbols(error).find((symbol) => symbol.description === 'status-code');
    code = (error as Record<symbol, number>)[status as symbol];
  });
  return code;
}

function payload(random: Random, text: boolean): Uint8Array {
  const length = pick(random, [0, 1, 5, 20, 64, 125, 126, 127, 300, 1000, 2999, 3000]);
  if (!text) return new Uint8Array(length).map(() => below(random, 256));
  const letters = pick(random, ['abc', 'aé', 'a€ß', '😀x', 'é€😀']);
  let made = '';
  while (made.length < length / 3) made += pick(random, [...letters]);
  return bytes(made);
}

const key = (random: Random): [number, number, number, number] => [
  below(random, 256),
  below(random, 256),
  random() < 0.1 ? 0 : below(random, 256),
  below(random, 256),
];

/** A message in one frame or several, with control frames between them. */
function message(random: Random): Uint8Array[] {
  const text = random() < 0.6;
  const data = payload(random, text);
  const frames: Uint8Array[] = [];
  let at = 0;
  let opcode = text ? 1 : 2;
  while (random() < 0.4) {
    const next = Math.min(data.length, at + below(random, 1 + data.length));
    frames.push(frame(opcode, data.slice(at, next), { fin: false, key: key(random) }));
    if (random() < 0.3) frames.push(control(random));
    opcode = 0;
    at = next;
  }
  const rest = data.slice(at);
  const wide = rest.length <= 125 && random() < 0.1 ? pick(random, [2, 8] as const) : undefined;
  frames.push(frame(opcode, rest, { key: key(random), ...(wide === undefined ? {} : { wide }) }));
  return frames;
}

const control = (random: Random): Uint8Array =>
  frame(pick(random, [9, 9, 10]), payload(random, false).slice(0, 125), { key: key(random) });

const closing = (random: Random): Uint8Array =>
  frame(
    8,
    pick(random, [
      new Uint8Array(0),
      new Uint8Array(0),
      new Uint8Array(1),
      close(1000),
      close(pick(random, [999, 1000, 1001, 1004, 1005, 1006, 1012, 1014, 1015, 1016, 2999, 3000, 4999, 5000]), 'bye'),
      close(1000, new Uint8Array([0xe2, 0x82])),
    ]),
    { key: key(random) },
  );

/** A frame that is wrong in one way, or may be. */
const odd = (random: Random): Uint8Array =>
  pick(random, [
    () => frame(1, 'x', { masked: false }),
    () => frame(below(random, 16), 'abc', { fin: random() < 0.5, rsv: below(random, 8) }),
    () => frame(0, 'stray'),
    () => frame(1, 'open', { fin: false }),
    () => frame(9, 'p', { fin: false }),
    () => frame(9, new Uint8Array(126)),
    () => frame(2, new Uint8Array(LIMIT + 1)),
    () => frame(2, new Uint8Array(1600), { fin: false }),
    () => frame(0, new Uint8Array(1600)),
    () => frame(2, '', { announced: 2 ** (20 + below(random, 44)) }),
    () => frame(1, new Uint8Array([0xf0, 0x9f, 0x98])),
    () => frame(1, new Uint8Array([0xed, 0xa0, 0x80])),
    () => frame(1, new Uint8Array([0x61, 0xc0, 0xaf]), { fin: random() < 0.5 }),
    () => closing(random),
  ])();

/** Octets changed, left out or put in. */
function mutate(random: Random, data: Uint8Array): Uint8Array {
  const at = below(random, Math.min(data.length, random() < 0.5 ? 8 : data.length));
  const changed = data.slice();
  changed[at] = (changed[at] as number) ^ (1 << below(random, 8));
  return pick(random, [
    changed,
    changed,
    concat(data.slice(0, at), data.slice(at + 1)),
    concat(data.slice(0, at), new Uint8Array([below(random, 256)]), data.slice(at)),
  ]);
}

function cut(random: Random, data: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const most = pick(random, [1, 3, 20, 200, 2000, 65536]);
  for (let at = 0; at < data.length; ) {
    const next = at + 1 + below(random, most);
    chunks.push(data.slice(at, next));
    at = next;
  }
  return chunks;
}

/** The differences that are meant. Each names itself, so that one that never occurs is found out. */
type Difference = 'same' | 'text refused before its end' | 'top bit of a length';

function compare(mine: Outcome, other: Outcome, data: Uint8Array): Difference | undefined {
  if (!starts(other.events, mine.events) || !starts(other.pings, mine.pings)) return undefined;
  const more = other.events.slice(mine.events.length);
  if (more.length === 0 && mine.code === other.code) return 'same';
  // RFC 6455 section 5.2: "the most significant bit MUST be 0", hence 1002; to ws it is a length over 2^53: 1009.
  if (more.length === 0 && mine.code === 1002 && other.code === 1009 && hasTopBit(data)) return 'top bit of a length';
  // Section 8.1 lets text fail at once; ws looks at it when the message is whole. Until then it may see control frames
  // and other faults, but that message is never delivered.
  const messages = more.filter((event) => event !== 'ping' && event !== 'pong');
  if (mine.code === 1007 && messages.length === 0) return 'text refused before its end';
  return undefined;
}

const starts = (all: readonly string[], first: readonly string[]): boolean =>
  first.every((event, index) => event === all[index]);

const hasTopBit = (data: Uint8Array): boolean =>
  data.some((byte, index) => byte === 0xff && (data[index + 1] ?? 0) >= 0x80);

describe.runIf(onNode)('against ws', async () => {
  const { Receiver, Sender } = onNode ? ((await import('ws')) as never as WsModule) : ({} as WsModule);

  test('valid traffic, cut anywhere, yields the same messages, PINGs, PONGs and close codes', () => {
    const random = mulberry32(20);
    for (let round = 0; round < 1500; round++) {
      const frames: Uint8Array[] = [];
      for (let count = below(random, 6); count >= 0; count--) {
        frames.push(...(random() < 0.2 ? [control(random)] : message(random)));
      }
      if (random() < 0.3) frames.push(frame(8, close(1000, 'ok')));
      const chunks = cut(random, concat(...frames));
      const mine = ours(chunks);
      expect(mine, `round ${round}`).toEqual(theirs(Receiver, chunks));
      expect([undefined, 1000]).toContain(mine.code);
    }
  }, 30_000);

  test('broken traffic, cut anywhere, ends the same way but for the differences that are meant', () => {
    const random = mulberry32(21);
    const seen = new Map<Difference, number>();
    const codes = new Map<number | undefined, number>();
    for (let round = 0; round < 4000; round++) {
      const frames: Uint8Array[] = [];
      for (let count = below(random, 5); count >= 0; count--) {
        const chance = random();
        if (chance < 0.25) frames.push(odd(random));
        else if (chance < 0.5)
          frames.push(...message(random).map((one) => (random() < 0.3 ? mutate(random, one) : one)));
        else frames.push(...message(random));
      }
      if (random() < 0.4) frames.push(closing(random));
      const data = concat(...frames);
      const chunks = cut(random, data);
      const [mine, other] = [ours(chunks), theirs(Receiver, chunks)];
      const difference = compare(mine, other, data);
      expect(difference, `round ${round}: ${JSON.stringify({ mine, other })}`).toBeDefined();
      seen.set(difference as Difference, (seen.get(difference as Difference) ?? 0) + 1);
      codes.set(mine.code, (codes.get(mine.code) ?? 0) + 1);
    }
    // Each way to end was taken many times, and each difference came up.
    for (const code of [undefined, 1000, 1002, 1005, 1007, 1009]) expect(codes.get(code)).toBeGreaterThan(20);
    expect([...seen.keys()].sort()).toEqual(['same', 'text refused before its end', 'top bit of a length']);
    expect(seen.get('same')).toBeGreaterThan(3600);
  }, 30_000);

  test("frames of ws's own sender are read as they were meant", () => {
    const random = mulberry32(22);
    for (let round = 0; round < 1000; round++) {
      const parts: Uint8Array[] = [];
      const expected: string[] = [];
      for (let count = below(random, 4); count >= 0; count--) {
        const text = random() < 0.5;
        const data = payload(random, text);
        const options = { fin: true, rsv1: false, opcode: text ? 1 : 2, mask: true, readOnly: true };
        parts.push(...Sender.frame(Buffer.from(data), options).map((part) => new Uint8Array(part)));
        expected.push(`${text ? 'text' : 'binary'} ${show(data)}`);
      }
      expect(ours(cut(random, concat(...parts)))).toEqual({ events: expected, pings: [], code: undefined });
    }
  });

  test("what we send is read by ws's receiver as it was meant", async () => {
    const random = mulberry32(23);
    for (let round = 0; round < 300; round++) {
      const { stream, transport, feed } = harness();
      const expected: string[] = [];
      for (let count = below(random, 12); count >= 0; count--) {
        const text = random() < 0.6;
        const data =
          random() < 0.1
            ? new Uint8Array(pick(random, [8192, 8193, 70_000])).fill(below(random, 128))
            : payload(random, text);
        expected.push(`${text ? 'text' : 'binary'} ${show(data)}`);
        transport.send(text && random() < 0.5 ? string(data) : data, text);
        if (random() < 0.2) transport.ping();
        if (random() < 0.2) await Promise.resolve();
        if (random() < 0.2) feed.data(frame(9, 'ping'));
      }
      transport.close(4000, 'über');
      await Promise.resolve();
      const receiver = new Receiver({ isServer: false });
      const seen: string[] = [];
      receiver.on('message', (data: Uint8Array, binary: boolean) =>
        seen.push(`${binary ? 'binary' : 'text'} ${show(data)}`),
      );
      receiver.on('conclude', (code: number, reason: Uint8Array) => seen.push(`close ${code} ${string(reason)}`));
      for (const chunk of stream.writes) expect(write(receiver, chunk)).toBe(undefined);
      expect(seen).toEqual([...expected, 'close 4000 über']);
    }
  });
});

interface WsModule {
  Receiver: WsReceiverClass;
  Sender: { frame(data: Uint8Array, options: object): Uint8Array[] };
}
