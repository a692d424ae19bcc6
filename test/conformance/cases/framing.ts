/** RFC 6455 sections 5.2 and 5.3: lengths, their encodings and masking. */

import { type FrameOptions, frame, opcode } from '../../support/raw.ts';
import {
  binary,
  bytes,
  type Case,
  CLEAN,
  close,
  end,
  first,
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

const lengths = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 124, 125, 126, 127, 128, 129, 255, 256,
  257, 1000, 8191, 8192, 8193, 32767, 32768, 65534, 65535, 65536, 65537, 131072,
];

const sizes = lengths.flatMap((length): Case[] => [
  { title: `text of ${length}`, send: [text(letters(length))], expect: outcome(gets.text(letters(length)), CLEAN) },
  { title: `binary of ${length}`, send: [binary(noise(length))], expect: outcome(gets.binary(noise(length)), CLEAN) },
]);

const chopped = [0, 1, 5, 125, 126, 127, 200].map(
  (length): Case => ({
    title: `text of ${length}, octet by octet`,
    send: [{ chop: text(letters(length)), every: 1 }],
    expect: outcome(gets.text(letters(length)), CLEAN),
  }),
);

const pieces = [
  [65535, 997],
  [65536, 1000],
  [65536, 4096],
  [131072, 1460],
].map(
  ([length = 0, every = 0]): Case => ({
    title: `binary of ${length}, ${every} octets at a time`,
    send: [{ chop: binary(noise(length)), every }],
    expect: outcome(gets.binary(noise(length)), CLEAN),
  }),
);

/** Headers of each kind, cut in two at each place. */
const cuts = [5, 126, 65536].flatMap((length) =>
  Array.from({ length: length < 126 ? 6 : length < 65536 ? 8 : 14 }, (_, index): Case => {
    const whole = binary(noise(length));
    const cut = index + 1;
    return {
      title: `binary of ${length}, cut after octet ${cut}`,
      send: [whole.subarray(0, cut), 'beside', whole.subarray(cut)],
      expect: outcome('alive', gets.binary(noise(length)), CLEAN),
    };
  }),
);

const many = Array.from({ length: 500 }, (_, index) => letters(index % 130, index));

const together: Case[] = [
  {
    title: '500 texts of 0 to 129 in one packet',
    send: [join(...many.map((each) => text(each)))],
    expect: outcome(...many.map((each) => gets.text(each)), CLEAN),
  },
  {
    title: '500 texts of 0 to 129, 7 octets at a time',
    send: [{ chop: join(...many.map((each) => text(each))), every: 7 }],
    expect: outcome(...many.map((each) => gets.text(each)), CLEAN),
  },
  {
    title: 'text, binary and PING in turns in one packet',
    send: [join(text('a'), binary('b'), ping('c'), text(''), binary(''), ping(''))],
    expect: outcome(
      gets.text('a'),
      gets.binary('b'),
      gets.pong('c'),
      gets.text(''),
      gets.binary(''),
      gets.pong(),
      CLEAN,
    ),
  },
];

/** "The minimal number of bytes MUST be used": a sender's duty, which a receiver may enforce. */
const longer = (
  [
    [0, 2],
    [0, 8],
    [5, 2],
    [125, 2],
    [125, 8],
    [126, 8],
    [65535, 8],
  ] as const
).map(
  ([length, lengthBytes]): Case => ({
    title: `a length of ${length} in ${lengthBytes} octets`,
    send: [binary(noise(length), { lengthBytes })],
    expect: outcome(gets.binary(noise(length)), CLEAN),
    also: ['close 1002'],
  }),
);

const impossible: Case[] = [
  [2n ** 63n, 'the lowest with the highest bit set'],
  [2n ** 64n - 1n, 'all bits set'],
].map(([length, what]) => ({
  title: `an announced length with ${what}`,
  send: [binary('', { length: length as bigint, lengthBytes: 8 }), 'beside'],
  last: 'fin',
  expect: 'close 1002',
  nonStrict: ['close 1009'],
}));

const keys: [string, NonNullable<FrameOptions['mask']>][] = [
  ['no bit', [0, 0, 0, 0]],
  ['every bit', [255, 255, 255, 255]],
  ['only the first octet', [0xa5, 0, 0, 0]],
  ['only the second octet', [0, 0xa5, 0, 0]],
  ['only the third octet', [0, 0, 0xa5, 0]],
  ['only the last octet', [0, 0, 0, 0xa5]],
  ['four different octets', [0x80, 0x7f, 0x01, 0xfe]],
];

const masks = keys.flatMap(([what, mask]): Case[] => [
  {
    title: `a key that turns ${what}, on 70 octets`,
    send: [text(letters(70), { mask })],
    expect: outcome(gets.text(letters(70)), CLEAN),
  },
  {
    title: `a key that turns ${what}, on 1000 octets, 3 at a time`,
    send: [{ chop: binary(noise(1000), { mask }), every: 3 }],
    expect: outcome(gets.binary(noise(1000)), CLEAN),
  },
]);

const keyed = Array.from({ length: 200 }, (_, index) => noise(index, index + 1));
const keyOf = (index: number): FrameOptions => ({ mask: [index, 255 - index, (index * 7) & 255, (index * 31) & 255] });

const moreMasks: Case[] = [
  {
    title: '200 frames, each with a key of its own, in one packet',
    send: [join(...keyed.map((each, index) => binary(each, keyOf(index))))],
    expect: outcome(...keyed.map((each) => gets.binary(each)), CLEAN),
  },
  {
    title: '200 frames, each with a key of its own, 11 octets at a time',
    send: [{ chop: join(...keyed.map((each, index) => binary(each, keyOf(index)))), every: 11 }],
    expect: outcome(...keyed.map((each) => gets.binary(each)), CLEAN),
  },
  {
    title: 'fragments, each with a key of its own',
    send: [
      join(
        frame(opcode.text, 'one ', { fin: false, mask: [1, 2, 3, 4] }),
        frame(opcode.continuation, 'two ', { fin: false, mask: [0, 0, 0, 0] }),
        ping('key', { mask: [9, 9, 9, 9] }),
        frame(opcode.continuation, 'three', { mask: [255, 0, 255, 0] }),
      ),
    ],
    expect: outcome(gets.pong('key'), gets.text('one two three'), CLEAN),
  },
  {
    title: 'a Close with a key of its own',
    send: [frame(opcode.close, bytes(0x0b, 0xb8, 0x62, 0x79, 0x65), { mask: [4, 3, 2, 1] })],
    last: 'server',
    expect: gets.close(3000, 'bye'),
  },
];

const naked = { mask: null };
const unmasked: Case[] = (
  [
    ['text', [text('naked', naked)], ''],
    ['an empty text', [text('', naked)], ''],
    ['binary', [binary('naked', naked)], ''],
    ['a long binary', [binary(noise(70000), naked)], ''],
    ['a PING', [ping('naked', naked)], ''],
    ['a PONG', [frame(opcode.pong, '', naked)], ''],
    ['a Close', [frame(opcode.close, bytes(0x03, 0xe8), naked)], ''],
    ['a first fragment', [frame(opcode.text, 'naked', { fin: false, mask: null })], ''],
    ['the last of two fragments', [join(first('a'), end('naked', naked))], ''],
    ['a text after a masked one', [join(text('a'), text('naked', naked))], gets.text('a')],
    ['a PING between masked fragments', [join(first('a'), ping('', naked), more('b'), end('c'))], ''],
    ['a text before a Close', [join(text('naked', naked), close(1000))], ''],
    ['a text, octet by octet', [{ chop: text('naked', naked), every: 1 }], ''],
  ] as const
).map(([what, send, before]) => ({
  title: `${what}, unmasked`,
  send,
  expect: outcome(...(before === '' ? [] : [before]), gets.close(1002)),
}));

export default [
  ...section('6455-5.2', [...sizes, ...chopped, ...pieces, ...cuts, ...together, ...longer, ...impossible]),
  ...section('6455-5.3', [...masks, ...moreMasks, ...unmasked]),
];
