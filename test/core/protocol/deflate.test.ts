import { describe, expect, test } from 'vitest';
import { zlib } from '../../../adapters/node/zlib.ts';
import type { Compression } from '../../../core/compression.ts';
import { Deflater, type DeflateSettings, Inflater, type Zlib } from '../../../core/protocol/deflate.ts';
import { bytes, concat, mulberry32, same, string } from './support.ts';

const both: Compression = {
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
};
const LIMIT = 1024 * 1024;

const hex = (text: string): Uint8Array =>
  new Uint8Array((text.match(/[0-9a-f]{2}/g) ?? []).map((octet) => Number.parseInt(octet, 16)));
const inflater = (changes: Partial<Compression> = {}): Inflater =>
  new Inflater({ agreed: { ...both, ...changes }, zlib });
const inflate = (data: Uint8Array, limit = LIMIT): string => {
  const made = inflater().inflate(data, limit);
  return typeof made === 'string' ? made : string(made);
};

/** What a client sends that compresses as well as it can. */
const deflate = (data: Uint8Array, before: Uint8Array = new Uint8Array(0)): Uint8Array =>
  zlib.deflate(data, before, { windowBits: 15, memLevel: 8, level: 6 }).subarray(0, -4);

/** zlib, with a note of what it was asked for; one that can't refer back, like Deno's, on demand. */
function watched(refersBack = zlib.refersBack) {
  const calls: (DeflateSettings & { before: number })[] = [];
  const spy: Zlib = {
    ...zlib,
    refersBack,
    deflate(data, before, settings) {
      calls.push({ ...settings, before: before.length });
      return zlib.deflate(data, before, settings);
    },
  };
  return { calls, spy };
}

const noise = (length: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const random = mulberry32(seed);
  return new Uint8Array(length).map(() => random() * 256);
};
const sentence = bytes('What is said twice is worth saying once, and what is said once is worth saying well.');

describe('the examples of RFC 7692', () => {
  test('7.2.3.1: one compressed block', () => {
    expect(inflate(hex('f2 48 cd c9 c9 07 00'))).toBe('Hello');
  });

  test('7.2.3.2: the second "Hello" refers to the first', () => {
    const one = inflater();
    expect(one.inflate(hex('f2 48 cd c9 c9 07 00'), LIMIT)).toEqual(bytes('Hello'));
    expect(one.inflate(hex('f2 00 11 00 00'), LIMIT)).toEqual(bytes('Hello'));
  });

  test('7.2.3.3: a block without compression', () => {
    expect(inflate(hex('00 05 00 fa ff 48 65 6c 6c 6f 00'))).toBe('Hello');
  });

  test('7.2.3.4: a block with BFINAL', () => {
    expect(inflate(hex('f3 48 cd c9 c9 07 00 00'))).toBe('Hello');
  });

  test('7.2.3.5: two blocks', () => {
    expect(inflate(hex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00'))).toBe('Hello');
  });

  test('7.2.3.6: an empty message', () => {
    expect(inflate(hex('00'))).toBe('');
    expect(inflate(hex(''))).toBe('');
  });
});

describe('inflating', () => {
  test('goes on behind a block with BFINAL, and refers to what was before it', () => {
    expect(inflate(hex('f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00'))).toBe('HelloHello');
    expect(inflate(hex('f3 48 cd c9 c9 07 00 f2 00 11 00 00'))).toBe('HelloHello');
  });

  test('refers to a message that ended with BFINAL', () => {
    const one = inflater();
    one.inflate(hex('f3 48 cd c9 c9 07 00 00'), LIMIT);
    expect(one.inflate(hex('f2 00 11 00 00'), LIMIT)).toEqual(bytes('Hello'));
  });

  test('bears with some blocks with BFINAL, but not with any number', () => {
    // 03 00 is an empty one.
    const finals = (count: number) => inflate(concat(...Array.from({ length: count }, () => hex('03 00'))));
    expect(finals(16)).toBe('');
    expect(finals(18)).toBe('invalid');
  });

  test.each([
    ['an unknown kind of block', '07'],
    ['a stored block whose lengths disagree', '00 05 00 00 00 48'],
    ['what refers to before the beginning', 'f2 00 11 00 00'],
    ['garbage behind a block with BFINAL', 'f3 48 cd c9 c9 07 00 ff ff'],
  ])('refuses %s', (_, data) => {
    expect(inflate(hex(data))).toBe('invalid');
  });

  test('counts what comes out against the limit, to the byte', () => {
    const hello = hex('f2 48 cd c9 c9 07 00');
    expect(inflate(hello, 5)).toBe('Hello');
    expect(inflate(hello, 4)).toBe('too-big');
    const twice = concat(hex('f3 48 cd c9 c9 07 00'), hello);
    expect(inflate(twice, 10)).toBe('HelloHello');
    expect(inflate(twice, 9)).toBe('too-big');
    expect(inflate(twice, 5)).toBe('too-big');
    expect(inflate(concat(hex('f3 48 cd c9 c9 07 00'), hex('4b 04 00')), 5)).toBe('too-big');
    expect(inflate(concat(hex('f3 48 cd c9 c9 07 00'), hex('00')), 5)).toBe('Hello');
  });

  test('keeps nothing where each message is compressed by itself', () => {
    const one = inflater({ clientNoContextTakeover: true });
    one.inflate(hex('f2 48 cd c9 c9 07 00'), LIMIT);
    expect(one.inflate(hex('f2 00 11 00 00'), LIMIT)).toBe('invalid');
  });

  test('keeps no more than the window that was agreed on', () => {
    const message = noise(2000);
    const repeat = deflate(message.subarray(0, 400), message);
    const repeated = (bits: number) => {
      const one = inflater({ clientMaxWindowBits: bits });
      expect(one.inflate(deflate(message), LIMIT)).toEqual(message);
      return one.inflate(repeat, LIMIT);
    };
    // Where zlib can't refer back there is nothing that a smaller window could lack.
    expect(repeated(15)).toEqual(message.subarray(0, 400));
    expect(repeated(9)).toEqual(zlib.refersBack ? 'invalid' : message.subarray(0, 400));
  });
});

describe('a bomb', () => {
  test('of 200 MiB in 200 KB takes no more memory than the limit', () => {
    const part = zlib.deflate(new Uint8Array(1024 * 1024), new Uint8Array(0), {
      windowBits: 15,
      memLevel: 8,
      level: 6,
    });
    const bomb = concat(...Array.from({ length: 200 }, () => part));
    expect(bomb.length).toBeLessThan(250_000);
    const before = process.memoryUsage().rss;
    expect(inflate(bomb, LIMIT)).toBe('too-big');
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * LIMIT);
  });

  test('in blocks with BFINAL is refused as well', () => {
    const zeros = zlib.deflate(new Uint8Array(600_000), new Uint8Array(0), { windowBits: 15, memLevel: 8, level: 6 });
    expect(inflate(concat(zeros, hex('03 00'), zeros), LIMIT)).toBe('too-big');
  });
});

describe('deflating', () => {
  test('leaves the flush at the end out', () => {
    const deflated = new Deflater({ agreed: both, zlib }).deflate(sentence) as Uint8Array;
    expect(deflated.length).toBeLessThan(sentence.length);
    expect([...deflated.subarray(-4)]).not.toEqual([0, 0, 255, 255]);
    expect(inflate(deflated)).toBe(string(sentence));
  });

  test('leaves alone what is shorter than 64 bytes', () => {
    const one = new Deflater({ agreed: both, zlib });
    expect(one.deflate(new Uint8Array(63))).toBeUndefined();
    expect(one.deflate(new Uint8Array(64))?.length).toBeLessThan(20);
  });

  test('leaves alone what would not become shorter, and never refers to it', () => {
    const { calls, spy } = watched(true);
    const one = new Deflater({ agreed: both, zlib: spy });
    expect(one.deflate(noise(500))).toBeUndefined();
    expect(one.deflate(sentence)).toBeDefined();
    expect(one.deflate(sentence)).toBeDefined();
    expect(calls.map(({ before }) => before)).toEqual([0, 0, sentence.length]);
  });

  test('tries only the beginning of a large message that can not be compressed', () => {
    const { calls, spy } = watched();
    const one = new Deflater({ agreed: both, zlib: spy });
    expect(one.deflate(concat(noise(16 * 1024), new Uint8Array(300_000)))).toBeUndefined();
    expect(calls.length).toBe(1);
  });

  test('refers to what was compressed before, 4 KiB at most', () => {
    const { calls, spy } = watched(true);
    const one = new Deflater({ agreed: both, zlib: spy });
    const text = bytes(string(sentence).repeat(20));
    for (let round = 0; round < 5; round++) one.deflate(text);
    expect(calls.map(({ before }) => before)).toEqual([0, text.length, 2 * text.length, 4096, 4096]);
  });

  test.each([
    ['each message is compressed by itself', true, { serverNoContextTakeover: true }],
    ["the runtime's zlib can't", false, {}],
  ])('refers to nothing where %s', (_, refersBack, changes) => {
    const { calls, spy } = watched(refersBack);
    const one = new Deflater({ agreed: { ...both, ...changes }, zlib: spy });
    one.deflate(sentence);
    one.deflate(sentence);
    expect(calls.map(({ before }) => before)).toEqual([0, 0]);
  });

  test('takes no larger window than was agreed on, and no larger one than it needs', () => {
    const bits = (serverMaxWindowBits: number, length: number) => {
      const { calls, spy } = watched();
      new Deflater({ agreed: { ...both, serverMaxWindowBits }, zlib: spy }).deflate(new Uint8Array(length));
      return calls.map(({ windowBits, memLevel, level }) => [windowBits, memLevel, level]).at(-1);
    };
    expect(bits(15, 64)).toEqual([9, 2, 6]);
    expect(bits(15, 1024)).toEqual([11, 4, 6]);
    expect(bits(15, 100_000)).toEqual([15, 8, 6]);
    expect(bits(9, 100_000)).toEqual([9, 8, 6]);
    expect(bits(15, 256 * 1024)).toEqual([15, 8, 1]);
  });
});

describe('what was deflated is inflated again', () => {
  test.each([9, 10, 11, 12, 13, 14, 15])('with a window of %d bits, with and without takeover', (bits) => {
    for (const lone of [false, true]) {
      const agreed: Compression = {
        serverMaxWindowBits: bits,
        clientMaxWindowBits: bits,
        serverNoContextTakeover: lone,
        clientNoContextTakeover: lone,
      };
      const [out, back] = [new Deflater({ agreed, zlib }), new Inflater({ agreed, zlib })];
      const random = mulberry32(bits);
      let compressed = 0;
      for (let round = 0; round < 60; round++) {
        const length = Math.floor(random() * (round % 10 === 0 ? 70_000 : 1500));
        const words = ['{"id":', 'name', '","', 'true', '},', ' ', String(round)];
        let text = '';
        while (text.length < length) text += words[Math.floor(random() * words.length)];
        const data = random() < 0.2 ? noise(length, round) : bytes(text);
        const deflated = out.deflate(data);
        if (deflated === undefined) continue;
        compressed++;
        const made = back.inflate(deflated, LIMIT);
        expect(typeof made !== 'string' && same(made, data), `round ${round}`).toBe(true);
      }
      expect(compressed).toBeGreaterThan(30);
    }
  });
});
