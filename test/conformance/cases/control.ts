/** RFC 6455 section 5.5: PING and PONG. */
import { frame, opcode } from '../../support/raw.ts';
import {
  binary,
  bytes,
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
  pong,
  section,
  text,
} from '../case.ts';

const REFUSED = gets.close(1002);

const lengths: Case[] = [0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 63, 64, 65, 100, 123, 124, 125].flatMap((length) => [
  { title: `a PING of ${length}`, send: [ping(noise(length))], expect: outcome(gets.pong(noise(length)), CLEAN) },
]);

const tooLong: Case[] = (
  [
    ['PING', opcode.ping],
    ['PONG', opcode.pong],
    ['Close', opcode.close],
  ] as const
).flatMap(([name, code]) =>
  [126, 127, 128, 65535, 65536].map((length) => ({
    title: `a ${name} of ${length}`,
    send: [frame(code, code === opcode.close ? join(bytes(3, 232), Buffer.alloc(length - 2, 'x')) : noise(length))],
    expect: REFUSED,
  })),
);

/** The longest header that a refusal may wait for. */
const announced: Case[] = (
  [
    ['PING', opcode.ping],
    ['PONG', opcode.pong],
    ['Close', opcode.close],
  ] as const
).map(([name, code]) => ({
  title: `a ${name} that announces 126, of which nothing comes`,
  send: [frame(code, '', { length: 126 }), 'beside'],
  last: 'fin',
  expect: REFUSED,
}));

/** Control frames have 125 octets at most, so that their length is never written in more than 7 bits. */
const longer: Case[] = ([2, 8] as const).map((lengthBytes) => ({
  title: `a PING of 5 whose length is written in ${lengthBytes} octets`,
  send: [ping('longer', { lengthBytes })],
  expect: REFUSED,
  also: [outcome(gets.pong('longer'), CLEAN)],
}));

const unfinished: Case[] = (
  [
    ['PING', opcode.ping],
    ['PONG', opcode.pong],
    ['Close', opcode.close],
  ] as const
).flatMap(([name, code]) => [
  { title: `a ${name} without FIN`, send: [frame(code, '', { fin: false })], expect: REFUSED },
  {
    title: `a ${name} without FIN and its continuation`,
    send: [join(frame(code, bytes(3, 232), { fin: false }), end('x'))],
    expect: REFUSED,
  },
  {
    title: `a ${name} without FIN between fragments`,
    send: [join(first('a'), frame(code, bytes(3, 232), { fin: false }), end('b'))],
    expect: REFUSED,
  },
]);

const flood = (count: number): string[] => Array.from({ length: count }, (_, index) => `ping ${index}`);

const pings: Case[] = [
  {
    title: 'a PING that is no UTF-8',
    send: [ping(bytes(0, 255, 254, 253, 128, 192))],
    expect: outcome(gets.pong(bytes(0, 255, 254, 253, 128, 192)), CLEAN),
  },
  {
    title: 'a PING of 125, octet by octet',
    send: [{ chop: ping(noise(125)), every: 1 }],
    expect: outcome(gets.pong(noise(125)), CLEAN),
  },
  { title: 'an empty PING, octet by octet', send: [{ chop: ping(), every: 1 }], expect: outcome(gets.pong(), CLEAN) },
  ...[10, 100].flatMap((count): Case[] => [
    {
      title: `${count} PINGs in one packet`,
      send: [join(...flood(count).map((each) => ping(each)))],
      expect: outcome(...flood(count).map((each) => gets.pong(each)), CLEAN),
      // Section 5.5.3: only the newest needs to be answered.
      also: [outcome(gets.pong(`ping ${count - 1}`), CLEAN)],
    },
    {
      title: `${count} PINGs, octet by octet`,
      send: [{ chop: join(...flood(count).map((each) => ping(each))), every: 1 }],
      expect: outcome(...flood(count).map((each) => gets.pong(each)), CLEAN),
    },
  ]),
  {
    title: 'a PING before a text',
    send: [join(ping('p'), text('t'))],
    expect: outcome(gets.pong('p'), gets.text('t'), CLEAN),
  },
  {
    title: 'a PING after a text',
    send: [join(text('t'), ping('p'))],
    expect: outcome(gets.text('t'), gets.pong('p'), CLEAN),
  },
  {
    title: 'a PING behind a large binary',
    send: [join(binary(noise(200000)), ping('p'))],
    expect: outcome(gets.binary(noise(200000)), gets.pong('p'), CLEAN),
    also: [outcome(gets.pong('p'), gets.binary(noise(200000)), CLEAN)],
  },
];

const pongs: Case[] = [
  { title: 'a PONG that nobody asked for', send: [pong()], expect: CLEAN },
  { title: 'a PONG of 125 that nobody asked for', send: [pong(noise(125))], expect: CLEAN },
  {
    title: 'a PONG, and a PING',
    send: [join(pong('unasked'), ping('asked'))],
    expect: outcome(gets.pong('asked'), CLEAN),
  },
  {
    title: '100 PONGs, and a text',
    send: [join(...flood(100).map((each) => pong(each)), text('t'))],
    expect: outcome(gets.text('t'), CLEAN),
  },
  { title: 'a PONG, octet by octet', send: [{ chop: pong('unasked'), every: 1 }], expect: CLEAN },
];

const between: Case[] = [
  {
    title: 'a PING between two fragments',
    send: [join(first('a'), ping('p'), end('b'))],
    expect: outcome(gets.pong('p'), gets.text('ab'), CLEAN),
  },
  {
    title: 'a PING between two fragments, answered before the second',
    send: [first('a'), 'ping', end('b')],
    expect: outcome('alive', gets.text('ab'), CLEAN),
  },
  {
    title: 'a PONG between two fragments',
    send: [join(first('a'), pong('p'), end('b'))],
    expect: outcome(gets.text('ab'), CLEAN),
  },
  {
    title: 'PINGs and PONGs between fragments, octet by octet',
    send: [{ chop: join(first('a'), ping('1'), pong('x'), more('b'), ping('2'), end('c')), every: 1 }],
    expect: outcome(gets.pong('1'), gets.pong('2'), gets.text('abc'), CLEAN),
  },
  {
    title: '10 PINGs between fragments',
    send: [join(first('a'), ...flood(10).map((each) => ping(each)), end('b'))],
    expect: outcome(...flood(10).map((each) => gets.pong(each)), gets.text('ab'), CLEAN),
    also: [outcome(gets.pong('ping 9'), gets.text('ab'), CLEAN)],
  },
  {
    title: 'a PING in each gap of a message of 50 fragments',
    send: [fragmented(letters(500), 10, opcode.text, ping('gap'))],
    expect: outcome(...Array.from({ length: 49 }, () => gets.pong('gap')), gets.text(letters(500)), CLEAN),
  },
];

export default [
  ...section('6455-5.5', [...tooLong, ...announced, ...longer, ...unfinished]),
  ...section('6455-5.5.2', [...lengths, ...pings]),
  ...section('6455-5.5.3', pongs),
  ...section('6455-5.4 control', between),
];
