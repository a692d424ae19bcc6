/** Compressed messages on the wire: RFC 7692 sections 6 and 7.2, over a stream without a network. */
import { describe, expect, test } from 'vitest';
import { zlib } from '../../../adapters/node/zlib.ts';
import type { Compression } from '../../../core/compression.ts';
import type { CompressionOptions } from '../../../core/protocol/deflate.ts';
import { bytes, concat, type Harness, harness, mulberry32, frame as plain, string, tick } from './support.ts';

const [TEXT, BINARY, PING] = [1, 2, 9];

const agreed: Compression = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
};
const compression: CompressionOptions = { agreed, zlib };

const deflate = (data: Uint8Array | string): Uint8Array =>
  zlib
    .deflate(typeof data === 'string' ? bytes(data) : data, new Uint8Array(0), {
      windowBits: 15,
      memLevel: 8,
      level: 6,
    })
    .subarray(0, -4);
const inflate = (data: Uint8Array): string =>
  string(
    (zlib.inflate(concat(data, new Uint8Array([0, 0, 255, 255, 3, 0])), new Uint8Array(0), 1e6) as { data: Uint8Array })
      .data,
  );

/** A whole compressed message in one frame. */
const compressed = (opcode: number, data: Uint8Array | string): Uint8Array => plain(opcode, deflate(data), { rsv: 4 });

const open = (maxMessageSize = 100_000): Harness => harness({ maxMessageSize, compression });
const outcome = ({ recorder }: Harness): unknown[] => [
  ...recorder.messages.map(([data]) => (typeof data === 'string' ? data : `${data.length} bytes`)),
  ...recorder.closes.map(([code, reason]) => `${code} ${reason}`),
];
const received = (data: Uint8Array, limit?: number): unknown[] => {
  const socket = open(limit);
  socket.feed.data(data);
  return outcome(socket);
};

const poem = 'Whose woods these are I think I know. His house is in the village though; '.repeat(20);
const noise = (length: number): Uint8Array => {
  const random = mulberry32(length);
  return new Uint8Array(length).map(() => random() * 256);
};

describe('a compressed message', () => {
  test('comes as what it was, text and binary', () => {
    const socket = open();
    socket.feed.data(concat(compressed(TEXT, 'Grüße'), compressed(BINARY, 'x')));
    expect(socket.recorder.messages).toEqual([
      ['Grüße', true],
      [bytes('x'), false],
    ]);
  });

  test('may stand beside one that is not', () => {
    expect(received(concat(plain(TEXT, 'a'), compressed(TEXT, 'b'), plain(TEXT, 'c'), compressed(TEXT, 'd')))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  test('may be empty', () => {
    expect(received(concat(plain(TEXT, new Uint8Array(1), { rsv: 4 }), plain(TEXT, '', { rsv: 4 })))).toEqual(['', '']);
  });

  test('may come in fragments, with a PING between them, cut anywhere', () => {
    const data = deflate(poem);
    const fragments = concat(
      plain(TEXT, data.slice(0, 7), { fin: false, rsv: 4 }),
      plain(PING, 'p'),
      plain(0, data.slice(7, 20), { fin: false }),
      plain(0, data.slice(20)),
      plain(TEXT, 'next'),
    );
    for (let cut = 0; cut <= fragments.length; cut++) {
      const socket = open();
      socket.feed.data(fragments.slice(0, cut));
      socket.feed.data(fragments.slice(cut));
      expect(outcome(socket)).toEqual([poem, 'next']);
    }
  });

  test('may come byte by byte, and in fragments of one byte', () => {
    const data = deflate(poem);
    const fragments = [...data].map((byte, index) =>
      plain(index === 0 ? TEXT : 0, new Uint8Array([byte]), {
        fin: index === data.length - 1,
        rsv: index === 0 ? 4 : 0,
      }),
    );
    const socket = open();
    for (const byte of concat(...fragments)) socket.feed.data(new Uint8Array([byte]));
    expect(outcome(socket)).toEqual([poem]);
  });

  test('waits while reading is paused, and comes in order', async () => {
    const socket = open();
    socket.recorder.onMessage = () => socket.transport.pause();
    socket.feed.data(concat(plain(TEXT, 'a'), compressed(TEXT, 'b'), plain(TEXT, 'c')));
    expect(outcome(socket)).toEqual(['a']);
    for (let round = 0; round < 2; round++) {
      socket.transport.resume();
      await tick();
    }
    expect(outcome(socket)).toEqual(['a', 'b', 'c']);
  });
});

describe('what is wrong with one', () => {
  const unfinished = { fin: false, rsv: 4 };
  test.each<[string, Uint8Array, string]>([
    [
      'RSV1 on a continuation',
      concat(plain(TEXT, deflate('ab'), unfinished), plain(0, '', { rsv: 4 })),
      '1002 reserved bit set',
    ],
    ['RSV1 on a PING', plain(PING, 'p', { rsv: 4 }), '1002 reserved bit set'],
    ['RSV2', plain(TEXT, 'a', { rsv: 2 }), '1002 reserved bit set'],
    [
      'what is not deflated',
      plain(BINARY, new Uint8Array([255, 255, 255]), { rsv: 4 }),
      '1007 invalid compressed data',
    ],
    ['what ends too soon', plain(TEXT, deflate(poem).slice(0, -6), { rsv: 4 }), '1007 invalid compressed data'],
    ['text that is not UTF-8', compressed(TEXT, new Uint8Array([0x61, 0xff])), '1007 invalid UTF-8'],
    ['text that ends within a character', compressed(TEXT, bytes('€').slice(0, 2)), '1007 invalid UTF-8'],
  ])('%s', (_, data, expected) => {
    expect(received(concat(plain(TEXT, 'before'), data, plain(TEXT, 'after')))).toEqual(['before', expected]);
  });

  test('compressed octets in a text frame are not mistaken for bad UTF-8', () => {
    const data = deflate('é'.repeat(50) + poem);
    const socket = open();
    socket.feed.data(concat(plain(TEXT, data.slice(0, 9), unfinished), plain(0, data.slice(9))));
    expect(outcome(socket)).toEqual(['é'.repeat(50) + poem]);
  });

  test('where nothing was agreed on, RSV1', () => {
    const socket = harness();
    socket.feed.data(compressed(TEXT, 'a'));
    expect(outcome(socket)).toEqual(['1002 reserved bit set']);
  });

  test('every octet of it may be changed without more than a close code', () => {
    const data = deflate(poem);
    const codes = new Set<unknown>();
    for (let at = 0; at < data.length; at++) {
      for (const bit of [1, 16, 128]) {
        const changed = data.slice();
        changed[at] = (changed[at] as number) ^ bit;
        const socket = open();
        socket.feed.data(plain(TEXT, changed, { rsv: 4 }));
        codes.add(socket.recorder.closes[0]?.[0] ?? 'message');
      }
    }
    expect(codes).toContain(1007);
    expect([...codes].filter((code) => code !== 1007 && code !== 'message')).toEqual([]);
  });
});

describe('the limit', () => {
  test('is on what a message inflates to', () => {
    expect(received(compressed(BINARY, new Uint8Array(1000)), 1000)).toEqual(['1000 bytes']);
    expect(received(compressed(BINARY, new Uint8Array(1001)), 1000)).toEqual(['1009 message too big']);
  });

  test('is on what comes, too, before all of it is there', () => {
    expect(received(plain(BINARY, new Uint8Array(10), { rsv: 4, announced: 1000 }), 500)).toEqual([
      '1009 message too big',
    ]);
    const half = new Uint8Array(400);
    const fragments = concat(plain(BINARY, half, { fin: false, rsv: 4 }), plain(0, half, { fin: false }));
    expect(received(fragments, 500)).toEqual(['1009 message too big']);
  });

  test('leaves room for what deflate adds to octets that it can not compress', () => {
    const random = noise(1000);
    expect(deflate(random).length).toBeGreaterThan(1000);
    expect(received(compressed(BINARY, random), 1000)).toEqual(['1000 bytes']);
    // But not to a message that is not compressed.
    expect(received(concat(compressed(BINARY, 'x'), plain(BINARY, new Uint8Array(1001))), 1000)).toEqual([
      '1 bytes',
      '1009 message too big',
    ]);
  });
});

describe('what is sent', () => {
  const sent = async ({ stream }: Harness) => {
    await tick();
    return stream.sent.map((each) => [each.compressed, each.opcode, each.payload] as const);
  };

  test('is compressed, strings and bytes', async () => {
    const socket = harness({ compression: { agreed: { ...agreed, serverNoContextTakeover: true }, zlib } });
    socket.transport.send(poem, true);
    socket.transport.send(bytes(poem), true);
    socket.transport.send(bytes(poem), false);
    const frames = await sent(socket);
    expect(frames.map(([rsv1, opcode, payload]) => [rsv1, opcode, inflate(payload)])).toEqual([
      [true, TEXT, poem],
      [true, TEXT, poem],
      [true, BINARY, poem],
    ]);
  });

  test('is not where it is small, would not become smaller, or is not to be', async () => {
    const socket = open();
    socket.transport.send('small', true);
    socket.transport.send(noise(500), false);
    socket.transport.send(poem, true, false);
    expect(await sent(socket)).toEqual([
      [false, TEXT, bytes('small')],
      [false, BINARY, noise(500)],
      [false, TEXT, bytes(poem)],
    ]);
  });

  test('is not where nothing was agreed on', async () => {
    const socket = harness();
    socket.transport.send(poem, true, true);
    expect(await sent(socket)).toEqual([[false, TEXT, bytes(poem)]]);
  });

  test('counts as queued by what became of it', async () => {
    const socket = open();
    socket.stream.reading = false;
    socket.transport.send(poem, true);
    await tick();
    expect(socket.transport.queued).toBeGreaterThan(0);
    expect(socket.transport.queued).toBeLessThan(poem.length / 4);
  });
});
