/** RFC 6455 section 8.1 and RFC 3629: which octets are text. */
import { opcode } from '../../support/raw.ts';
import {
  bytes,
  type Case,
  CLEAN,
  end,
  first,
  fragmented,
  gets,
  hex,
  join,
  letters,
  more,
  outcome,
  ping,
  section,
  text,
} from '../case.ts';

const REFUSED = gets.close(1007);

const plane = (index: number): [string, string] => {
  const base = index * 0x10000;
  return [`the last two code points of plane ${index}`, String.fromCodePoint(base + 0xfffe, base + 0xffff)];
};

const valid: [string, string][] = [
  ['ASCII', 'Hello-WebSocket'],
  ['every ASCII character', String.fromCharCode(...Array.from({ length: 128 }, (_, index) => index))],
  ['a lone NUL', '\0'],
  ['two octets a character', 'äöüßéñ'],
  ['Greek with an accent', 'κόσμε'],
  ['three octets a character', '日本語テキスト€'],
  ['four octets a character', '😀🎉𝄞𐍈'],
  ['all lengths in turns', 'a\u00e9\u20ac\u{1f600}a\u{1f600}\u20ac\u00e9a'],
  ['right to left', 'שלום עולם مرحبا'],
  ['combining marks', 'e\u0301a\u030a\u0323'],
  ['joined emoji', '👩‍👩‍👧‍👦🏳️‍🌈'],
  ['the last of one octet', '\u007f'],
  ['the first of two octets', '\u0080'],
  ['the last of two octets', '\u07ff'],
  ['the first of three octets', '\u0800'],
  ['the last of three octets', '\uffff'],
  ['the first of four octets', '\u{10000}'],
  ['the last of four octets', '\u{10ffff}'],
  ['the last before the surrogates', '\ud7ff'],
  ['the first after the surrogates', '\ue000'],
  ['a byte order mark', '\ufeffx'],
  ['a byte order mark alone', '\ufeff'],
  ['the replacement character', '\ufffd'],
  ['noncharacters U+FDD0 to U+FDEF', '\ufdd0\ufdd8\ufdef'],
  ...Array.from({ length: 17 }, (_, index) => plane(index)),
];

/** Octets that are no text, and how many of them there must be before that is certain. */
const invalid: [title: string, octets: string, certain?: number][] = [
  ['a lone 80', '80', 1],
  ['a lone BF', 'bf', 1],
  ...[2, 3, 4, 5, 6, 7].map((count): [string, string, number] => [
    `${count} continuation octets`,
    '80bf'.repeat(4).slice(0, count * 2),
    1,
  ]),
  ['a continuation octet inside ASCII', '61 80 62', 2],
  ['all continuation octets', Array.from({ length: 64 }, (_, index) => (0x80 + index).toString(16)).join(''), 1],
  ['C0 and a space', 'c0 20', 1],
  ['C1 and a space', 'c1 20', 1],
  [
    'each lead of two, and a space',
    Array.from({ length: 30 }, (_, index) => `${(0xc2 + index).toString(16)}20`).join(''),
    2,
  ],
  [
    'each lead of three, and a space',
    Array.from({ length: 16 }, (_, index) => `${(0xe0 + index).toString(16)}20`).join(''),
    2,
  ],
  [
    'each lead of four, and a space',
    Array.from({ length: 5 }, (_, index) => `${(0xf0 + index).toString(16)}20`).join(''),
    2,
  ],
  ['F5 and a space', 'f5 20', 1],
  ['F8 and a space', 'f8 20', 1],
  ['FC and a space', 'fc 20', 1],
  ['FE', 'fe', 1],
  ['FF', 'ff', 1],
  ['FE FE FF FF', 'fe fe ff ff', 1],
  ['two octets without the last', 'c3'],
  ['three octets with only the first', 'e2'],
  ['three octets without the last', 'e2 82'],
  ['three octets from E0 without the last', 'e0 a0'],
  ['three octets from ED without the last', 'ed 9f'],
  ['four octets with only the first', 'f0'],
  ['four octets with only two', 'f0 9f'],
  ['four octets without the last', 'f0 9f 98'],
  ['four octets from F4 without the last', 'f4 8f bf'],
  ['text that is cut off', 'ce ba e1 bd b9 cf 83 ce bc ce'],
  ['a character that another cuts off', 'e2 82 e2 82 ac', 3],
  ['a character of four that ASCII cuts off', 'f0 9f 98 41', 4],
  ['cut off sequences in a row', 'c0 e0 80 f0 80 80 f8 80 80 80', 1],
  ['an overlong slash in two', 'c0 af', 1],
  ['an overlong slash in three', 'e0 80 af', 2],
  ['an overlong slash in four', 'f0 80 80 af', 2],
  ['an overlong slash in five', 'f8 80 80 80 af', 1],
  ['an overlong slash in six', 'fc 80 80 80 80 af', 1],
  ['the longest overlong in two', 'c1 bf', 1],
  ['the longest overlong in three', 'e0 9f bf', 2],
  ['the longest overlong in four', 'f0 8f bf bf', 2],
  ['the longest overlong in five', 'f8 87 bf bf bf', 1],
  ['the longest overlong in six', 'fc 83 bf bf bf bf', 1],
  ['an overlong NUL in two', 'c0 80', 1],
  ['an overlong NUL in three', 'e0 80 80', 2],
  ['an overlong NUL in four', 'f0 80 80 80', 2],
  ['an overlong NUL in five', 'f8 80 80 80 80', 1],
  ['an overlong NUL in six', 'fc 80 80 80 80 80', 1],
  ['the first surrogate', 'ed a0 80', 2],
  ['the last high surrogate', 'ed af bf', 2],
  ['a high surrogate for private use', 'ed ae 80', 2],
  ['the first low surrogate', 'ed b0 80', 2],
  ['a low surrogate in the middle', 'ed be 80', 2],
  ['the last surrogate', 'ed bf bf', 2],
  ['the first pair of surrogates', 'ed a0 80 ed b0 80', 2],
  ['the last pair of surrogates', 'ed af bf ed bf bf', 2],
  ['a surrogate inside text', 'ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64', 13],
  ['the first beyond U+10FFFF', 'f4 90 80 80', 2],
  ['one beyond U+10FFFF inside text', 'ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65 64', 13],
  ['F5 80 80 80', 'f5 80 80 80', 1],
  ['the last of four octets, U+1FFFFF', 'f7 bf bf bf', 1],
  ['the first of five octets', 'f8 88 80 80 80', 1],
  ['the last of five octets', 'fb bf bf bf bf', 1],
  ['the first of six octets', 'fc 84 80 80 80 80', 1],
  ['the last of six octets', 'fd bf bf bf bf bf', 1],
  ['Latin-1', '63 61 66 e9'],
  ['UTF-16', 'ff fe 61 00', 1],
];

/** A fragment for each octet, where there is more than one. */
function inFragments(what: string, payload: Buffer, expect: string): Case[] {
  if (payload.length < 2) return [];
  return [{ title: `${what}, a fragment for each octet`, send: [fragmented(payload, 1)], expect }];
}

const good = valid.flatMap(([what, payload]): Case[] => {
  const expect = outcome(gets.text(payload), CLEAN);
  return [
    { title: `${what}, whole`, send: [text(payload)], expect },
    ...inFragments(what, Buffer.from(payload), expect),
    { title: `${what}, octet by octet`, send: [{ chop: text(payload), every: 1 }], expect },
  ];
});

const bad = invalid.flatMap(([what, octets]): Case[] => {
  const payload = hex(octets);
  return [
    { title: `${what}, whole`, send: [text(payload)], expect: REFUSED },
    ...inFragments(what, payload, REFUSED),
    { title: `${what}, octet by octet`, send: [{ chop: text(payload), every: 1 }], expect: REFUSED },
  ];
});

/** What was announced as the start of a frame: much that is invalid begins alike. */
const announced = new Set<string>();

/** Text that is refused as soon as it can't become valid, and not before. */
const fast = invalid.flatMap(([what, octets, certain]): Case[] => {
  if (certain === undefined) return [];
  const payload = join(Buffer.from('κόσμε '), hex(octets));
  const certainAt = payload.length - hex(octets).length + certain;
  const [start, rest] = [payload.subarray(0, certainAt), payload.subarray(certainAt)];
  const found: Case[] = [
    {
      title: `${what}, refused before the second fragment`,
      send: [first(start), 'ping', end(rest)],
      expect: REFUSED,
      nonStrict: [outcome('alive', REFUSED)],
    },
  ];
  if (!announced.has(start.toString('hex'))) {
    announced.add(start.toString('hex'));
    found.push({
      title: `${what}, refused within its frame`,
      // What is still to come is announced, and never sent.
      send: [text(start, { length: start.length + 50 }), 'beside'],
      last: 'fin',
      expect: REFUSED,
      nonStrict: [outcome('alive', 'no close')],
    });
  }
  return found;
});

const euro = Buffer.from('€');
const split: Case[] = [
  {
    title: 'a character in three fragments',
    send: [join(first(euro.subarray(0, 1)), more(euro.subarray(1, 2)), end(euro.subarray(2)))],
    expect: outcome(gets.text('€'), CLEAN),
  },
  {
    title: 'a PING inside a character',
    send: [join(first(euro.subarray(0, 2)), ping('p'), end(euro.subarray(2)))],
    expect: outcome(gets.pong('p'), gets.text('€'), CLEAN),
  },
  {
    title: 'empty fragments inside a character',
    send: [join(first(euro.subarray(0, 1)), more(''), more(euro.subarray(1)), end(''))],
    expect: outcome(gets.text('€'), CLEAN),
  },
  {
    title: 'a character that an empty last fragment leaves cut off',
    send: [join(first(euro.subarray(0, 2)), end(''))],
    expect: REFUSED,
  },
  {
    title: 'a character that goes on in the next message',
    send: [join(text(euro.subarray(0, 2)), text(euro.subarray(2)))],
    expect: REFUSED,
  },
  {
    title: 'good fragments, and one that does not fit',
    send: [first('good'), 'ping', more('ä'), 'ping', end(bytes(0xc3))],
    expect: outcome('alive', 'alive', REFUSED),
  },
  {
    title: 'a text that is fine before one that is not',
    send: [join(text('good'), text(bytes(0xff)))],
    expect: outcome(gets.text('good'), REFUSED),
  },
  {
    title: 'binary that is not UTF-8, in fragments',
    send: [fragmented(hex('ff fe 80 c0'), 1, opcode.binary)],
    expect: outcome(gets.binary(hex('ff fe 80 c0')), CLEAN),
  },
  {
    title: 'a bad octet behind 100000 good ones',
    send: [text(join(Buffer.from(letters(100000)), bytes(0xfe)))],
    expect: REFUSED,
  },
  {
    title: '40000 characters of four octets',
    send: [text('😀'.repeat(40000))],
    expect: outcome(gets.text('😀'.repeat(40000)), CLEAN),
  },
  {
    title: '40000 characters of four octets in fragments of 1001',
    send: [fragmented('😀'.repeat(40000), 1001)],
    expect: outcome(gets.text('😀'.repeat(40000)), CLEAN),
  },
  {
    title: '40000 characters of three octets, 1460 octets at a time',
    send: [{ chop: text('€'.repeat(40000)), every: 1460 }],
    expect: outcome(gets.text('€'.repeat(40000)), CLEAN),
  },
];

export default [
  ...section('6455-8.1 valid', good),
  ...section('6455-8.1 invalid', bad),
  ...section('6455-8.1 at once', fast),
  ...section('6455-8.1 parts', split),
];
