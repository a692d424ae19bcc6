/** RFC 6455 section 10.4: messages over the limit; and messages of all sizes below it. */
import { frame, opcode } from '../../support/raw.ts';
import {
  binary,
  type Case,
  CLEAN,
  end,
  first,
  fragmented,
  gets,
  join,
  letters,
  more,
  noise,
  outcome,
  ping,
  section,
  text,
} from '../case.ts';

const TOO_BIG = gets.close(1009);
const LIMIT = 1024;
const small = (title: string, send: Case['send'], expect: string, rest: Partial<Case> = {}): Case => ({
  title,
  server: 'small',
  send,
  expect,
  ...(expect.endsWith(TOO_BIG) ? { last: 'answer' } : {}),
  ...rest,
});

const limits: Case[] = [
  small('a text as large as the limit', [text(letters(LIMIT))], outcome(gets.text(letters(LIMIT)), CLEAN)),
  small('a binary as large as the limit', [binary(noise(LIMIT))], outcome(gets.binary(noise(LIMIT)), CLEAN)),
  small('a text one octet over the limit', [text(letters(LIMIT + 1))], TOO_BIG),
  small('a binary one octet over the limit', [binary(noise(LIMIT + 1))], TOO_BIG),
  small('a binary far over the limit', [binary(noise(200000))], TOO_BIG),
  small(
    'a text as large as the limit in octets, not characters',
    [text('€'.repeat(341))],
    outcome(gets.text('€'.repeat(341)), CLEAN),
  ),
  small('a text over the limit in octets, not in characters', [text('€'.repeat(342))], TOO_BIG),
  small(
    'ten texts as large as the limit',
    [join(...Array.from({ length: 10 }, () => text(letters(LIMIT))))],
    outcome(...Array.from({ length: 10 }, () => gets.text(letters(LIMIT))), CLEAN),
  ),
  ...[1, 100, 512, 1023].flatMap((size) => [
    small(
      `fragments of ${size} up to the limit`,
      [fragmented(letters(LIMIT), size)],
      outcome(gets.text(letters(LIMIT)), CLEAN),
    ),
    small(`fragments of ${size}, one octet over the limit`, [fragmented(letters(LIMIT + 1), size)], TOO_BIG),
  ]),
  small(
    'fragments of 300 without an end',
    [join(first(letters(300)), more(letters(300)), more(letters(300)), more(letters(300))), 'beside'],
    TOO_BIG,
    { last: 'fin' },
  ),
  small(
    'a fragment that announces what goes over the limit',
    [join(first(letters(1000)), end('', { length: 25 })), 'beside'],
    TOO_BIG,
    { last: 'fin', nonStrict: [outcome('alive', 'no close')] },
  ),
  small(
    'empty fragments around a message as large as the limit',
    [join(first(''), more(letters(LIMIT)), more(''), end(''))],
    outcome(gets.text(letters(LIMIT)), CLEAN),
  ),
  small(
    'PINGs inside a message do not count',
    [fragmented(letters(LIMIT), 100, opcode.text, ping(noise(125)))],
    outcome(...Array.from({ length: 10 }, () => gets.pong(noise(125))), gets.text(letters(LIMIT)), CLEAN),
  ),
  small(
    'a message of the limit, octet by octet',
    [{ chop: text(letters(LIMIT)), every: 1 }],
    outcome(gets.text(letters(LIMIT)), CLEAN),
  ),
  small(
    'a text before one over the limit',
    [join(text('good'), text(letters(LIMIT + 1)))],
    outcome(gets.text('good'), TOO_BIG),
  ),
  ...[
    BigInt(LIMIT + 1),
    65536n,
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n,
    2n ** 32n + 5n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 62n,
    2n ** 63n - 1n,
  ].map((length) =>
    small(`an announced length of ${length}, of which nothing comes`, [binary('', { length }), 'beside'], TOO_BIG, {
      last: 'fin',
    }),
  ),
  small('bad text over the limit', [text(Buffer.alloc(LIMIT + 1, 0xff))], TOO_BIG, { also: [gets.close(1007)] }),
  {
    title: 'an announced length one octet over 16 MiB, the default',
    send: [binary('', { length: 2 ** 24 + 1 }), 'beside'],
    last: 'fin',
    expect: TOO_BIG,
  },
];

const KIB = 1024;
const named = (size: number): string =>
  size % 2 ** 20 === 0 ? `${size / 2 ** 20} MiB` : size % KIB === 0 ? `${size / KIB} KiB` : `${size}`;

/** Made once, and only when they are sent. */
const cache = new Map<number, Buffer>();
function large(size: number): Buffer {
  const made = cache.get(size) ?? Buffer.from(letters(size));
  cache.set(size, made);
  return made;
}

/** Each ends with a PING: what is owed to a reader as slow as a busy machine is not cut off by the closing handshake. */
const whole: Case[] = [
  64,
  256,
  KIB,
  4 * KIB,
  16 * KIB,
  64 * KIB,
  256 * KIB,
  2 ** 20,
  4 * 2 ** 20,
  8 * 2 ** 20,
  16 * 2 ** 20,
].flatMap((size): Case[] => [
  {
    title: `a text of ${named(size)}`,
    send: [() => frame(opcode.text, large(size)), 'ping'],
    expect: outcome(gets.text(large(size)), 'alive', CLEAN),
  },
  {
    title: `a binary of ${named(size)}`,
    send: [() => frame(opcode.binary, large(size)), 'ping'],
    expect: outcome(gets.binary(large(size)), 'alive', CLEAN),
  },
]);

const FOUR = 4 * 2 ** 20;
const inFragments: Case[] = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 2 ** 20].flatMap((size): Case[] => [
  {
    title: `a text of 4 MiB in fragments of ${named(size)}`,
    send: [() => fragmented(large(FOUR), size), 'ping'],
    expect: outcome(gets.text(large(FOUR)), 'alive', CLEAN),
  },
  {
    title: `a binary of 4 MiB in fragments of ${named(size)}`,
    send: [() => fragmented(large(FOUR), size, opcode.binary), 'ping'],
    expect: outcome(gets.binary(large(FOUR)), 'alive', CLEAN),
  },
]);

const inPieces: Case[] = [64, 128, 256, 512, KIB, 2 * KIB].flatMap((every): Case[] => [
  {
    title: `a text of 256 KiB, ${every} octets at a time`,
    send: [{ chop: frame(opcode.text, large(256 * KIB)), every }, 'ping'],
    expect: outcome(gets.text(large(256 * KIB)), 'alive', CLEAN),
  },
]);

const many: Case[] = [0, 16, 64, 256, KIB, 4 * KIB, 16 * KIB].map(
  (size): Case => ({
    title: `1000 texts of ${named(size)} without waiting`,
    send: [() => Buffer.concat(Array.from({ length: 1000 }, () => frame(opcode.text, large(size)))), 'ping'],
    expect: outcome(...Array.from({ length: 1000 }, () => gets.text(large(size))), 'alive', CLEAN),
  }),
);

export default [
  ...section('6455-10.4', limits),
  ...section('6455-5.6', [...whole, ...inFragments, ...inPieces, ...many]),
];
