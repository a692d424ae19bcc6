/**
 * Compressed traffic against `ws`, both ways, with generated messages: the same in every run.
 *
 * Only on Node: Bun puts its own `ws` in place of the library.
 */
import { describe, expect, test } from 'vitest';
import { zlib } from '../../../adapters/node/zlib.ts';
import { negotiateCompression } from '../../../core/compression.ts';
import { acceptInput } from '../../../core/handshake.ts';
import { openWebSocket } from '../../../core/protocol/socket.ts';
import { bytes, concat, FakeStream, frame, harness, isUtf8, mulberry32, Recorder } from './support.ts';

const onNode = typeof process !== 'undefined' && !('Bun' in globalThis) && !('Deno' in globalThis);

type Random = () => number;
const below = (random: Random, bound: number): number => Math.floor(random() * bound);
const pick = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)] as T;
const same = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);

function payload(random: Random): { text: boolean; data: Uint8Array } {
  const length = pick(random, [0, 1, 60, 64, 200, 1000, 5000, 40_000]);
  if (random() < 0.2) return { text: false, data: new Uint8Array(length).map(() => below(random, 256)) };
  const words = pick(random, [
    ['{"id":', '17', ',"name":"', 'é€😀', '"},'],
    ['to be ', 'or not ', 'to be, ', 'that '],
  ]);
  let made = '';
  while (made.length < length) made += pick(random, words);
  return { text: true, data: bytes(made) };
}

interface ClientOptions {
  readonly serverNoContextTakeover?: boolean;
  readonly clientNoContextTakeover?: boolean;
  readonly serverMaxWindowBits?: number;
  readonly clientMaxWindowBits?: number | boolean;
}

describe.runIf(onNode)('against ws', async () => {
  const ws = onNode ? await import('ws') : ({} as typeof import('ws'));
  const { Duplex } = onNode ? await import('node:stream') : ({} as typeof import('node:stream'));
  const { createHash } = onNode ? await import('node:crypto') : ({} as typeof import('node:crypto'));

  /** A client of ws whose messages we echo, over a stream in memory. */
  async function connect(offer: ClientOptions, windowBits: number, noContextTakeover: boolean) {
    let request = '';
    let feed: ReturnType<typeof openWebSocket> | undefined;
    let agreed: string | undefined;
    const counts = { in: 0, out: 0 };
    const socket = new Duplex({
      read() {},
      write(chunk: Uint8Array, _encoding, done) {
        done();
        if (feed !== undefined) {
          feed.data(new Uint8Array(chunk));
          return;
        }
        request += new TextDecoder().decode(chunk);
        if (!request.endsWith('\r\n\r\n')) return;
        const header = (name: string) => new RegExp(`^${name}: (.*)\\r$`, 'im').exec(request)?.[1] ?? null;
        const answer = negotiateCompression(header('sec-websocket-extensions'), {
          windowBits,
          noContextTakeover,
          wide: false,
        });
        agreed = answer?.header;
        const proof = createHash('sha1')
          .update(acceptInput(header('sec-websocket-key') as string))
          .digest('base64');
        socket.push(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proof}\r\n` +
            `${agreed === undefined ? '' : `Sec-WebSocket-Extensions: ${agreed}\r\n`}\r\n`,
        );
        const stream = new FakeStream();
        stream.write = (data) => {
          for (let at = 0; at < data.length; ) {
            const next = Math.min(data.length, at + 1 + (data.length >>> 2));
            socket.push(data.slice(at, next));
            at = next;
          }
          counts.out += data.length;
        };
        stream.end = () => socket.push(null);
        const compression = answer === undefined ? undefined : { agreed: answer.compression, zlib };
        const recorder = new Recorder();
        feed = openWebSocket(stream, { maxMessageSize: 1e6, isUtf8, compression }, (transport) => {
          recorder.take = (data, text) => {
            counts.in += data.length;
            transport.send(data, text);
          };
          return recorder;
        });
      },
    });
    const client = new ws.WebSocket('ws://memory/', {
      createConnection: () => socket,
      perMessageDeflate: { threshold: 0, ...offer },
    } as object);
    await new Promise((resolve, reject) => {
      client.once('open', resolve);
      client.once('error', reject);
    });
    return { client, counts, agreed: () => agreed };
  }

  const offers: ClientOptions[] = [];
  for (const serverNoContextTakeover of [false, true]) {
    for (const clientNoContextTakeover of [false, true]) {
      for (const serverMaxWindowBits of [undefined, 9, 12]) {
        for (const clientMaxWindowBits of [undefined, true, 9, 11]) {
          offers.push({
            ...(serverNoContextTakeover ? { serverNoContextTakeover } : {}),
            ...(clientNoContextTakeover ? { clientNoContextTakeover } : {}),
            ...(serverMaxWindowBits === undefined ? {} : { serverMaxWindowBits }),
            ...(clientMaxWindowBits === undefined ? {} : { clientMaxWindowBits }),
          });
        }
      }
    }
  }

  test.each([
    [15, false],
    [10, false],
    [15, true],
    [9, true],
  ])(
    'every message comes back from a server with a window of %d bits, takeover off: %s, whatever is offered',
    async (bits, lone) => {
      const random = mulberry32(bits);
      for (const offer of offers) {
        const { client, counts, agreed } = await connect(offer, bits, lone);
        expect(agreed(), JSON.stringify(offer)).toMatch(/^permessage-deflate/);
        const sent = Array.from({ length: 12 }, () => payload(random));
        const back: { text: boolean; data: Uint8Array }[] = [];
        const all = new Promise<void>((resolve, reject) => {
          client.on('message', (data: Uint8Array, binary: boolean) => {
            back.push({ text: !binary, data });
            if (back.length === sent.length) resolve();
          });
          client.once('close', (code) => reject(new Error(`closed ${code} by ${JSON.stringify(offer)}`)));
        });
        for (const { text, data } of sent) client.send(data, { binary: !text, compress: random() < 0.8 });
        await all;
        for (const [index, { text, data }] of sent.entries()) {
          expect(back[index]?.text).toBe(text);
          expect(same(back[index]?.data as Uint8Array, data)).toBe(true);
        }
        expect(counts.out).toBeLessThan(counts.in);
        client.terminate();
      }
    },
    60_000,
  );

  test('octets changed in compressed messages end the same way, but for the differences that are meant', async () => {
    const { Receiver, PerMessageDeflate } = ws as unknown as {
      Receiver: new (
        options: object,
      ) => {
        _write(chunk: Uint8Array, encoding: string, done: (error?: object) => void): void;
        on(event: string, listener: (...args: never[]) => void): void;
      };
      PerMessageDeflate: new (options: object) => { accept(offers: object[]): void; cleanup(): void };
    };
    const LIMIT = 6000;
    const agreed = {
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
    };
    const random = mulberry32(31);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 400; round++) {
      const { data } = payload(random);
      const deflated = zlib.deflate(data, new Uint8Array(0), { windowBits: 15, memLevel: 8, level: 6 }).slice(0, -4);
      if (random() < 0.7) {
        const at = below(random, deflated.length);
        deflated[at] = (deflated[at] as number) ^ (1 << below(random, 8));
      }
      const cut = below(random, deflated.length);
      const opcode = pick(random, [1, 2]);
      const whole = random() < 0.5;
      const sent = whole
        ? frame(opcode, deflated, { rsv: 4 })
        : concat(frame(opcode, deflated.slice(0, cut), { rsv: 4, fin: false }), frame(0, deflated.slice(cut)));

      const mine = harness({ maxMessageSize: LIMIT, compression: { agreed, zlib } });
      mine.feed.data(sent.slice());
      const message = mine.recorder.messages[0]?.[0];
      const octets = typeof message === 'string' ? bytes(message) : (message as Uint8Array | undefined);

      const extension = new PerMessageDeflate({ isServer: true, maxPayload: LIMIT });
      extension.accept([{}]);
      const receiver = new Receiver({
        isServer: true,
        maxPayload: LIMIT,
        extensions: { 'permessage-deflate': extension },
      });
      let other: Uint8Array | undefined;
      receiver.on('message', (got: Uint8Array) => {
        other = got;
      });
      const error = await new Promise<object | undefined>((resolve) => receiver._write(sent, 'buffer', resolve));
      const symbol =
        error && Object.getOwnPropertySymbols(error).find(({ description }) => description === 'status-code');
      const code = symbol && (error as Record<symbol, number>)[symbol];
      extension.cleanup();

      const mineCode = mine.recorder.closes[0]?.[0];
      let kind: string;
      if (octets !== undefined && other !== undefined) kind = same(octets, other) ? 'message' : 'different';
      else if (mineCode === code) kind = `both ${code}`;
      else kind = `${mineCode ?? 'message'} against ${code ?? 'message'}`;
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    }
    for (const kind of ['message', 'both 1007', 'both 1009']) expect(outcomes.get(kind), kind).toBeGreaterThan(30);
    // A message that breaks off is what came of it to ws; and what is over the limit may be broken further on.
    const meant = ['1007 against 1009', '1007 against message', 'both 1007', 'both 1009', 'message'];
    expect([...outcomes.keys()].sort()).toEqual(meant);
  }, 30_000);
});
