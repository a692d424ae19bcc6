/** RFC 6455 section 5.4: fragments, in every order. */
import { frame, opcode } from '../../support/raw.ts';
import {
  type Case,
  CLEAN,
  close,
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

interface Part {
  readonly name: string;
  readonly code: number;
  readonly fin: boolean;
}

const parts: readonly Part[] = [
  { name: 'text', code: opcode.text, fin: true },
  { name: 'text…', code: opcode.text, fin: false },
  { name: '…more', code: opcode.continuation, fin: true },
  { name: '…more…', code: opcode.continuation, fin: false },
];

/** What section 5.4 says of a sequence of frames, each with its own letter as payload. */
function judged(sequence: readonly Part[]): string {
  const items: string[] = [];
  let open: string | undefined;
  for (const [index, { code, fin }] of sequence.entries()) {
    const letter = 'abc'.charAt(index);
    if ((code === opcode.continuation) === (open === undefined)) return outcome(...items, gets.close(1002));
    open = (open ?? '') + letter;
    if (fin) {
      items.push(gets.text(open));
      open = undefined;
    }
  }
  return outcome(...items, CLEAN);
}

function sequences(length: number): Part[][] {
  if (length === 0) return [[]];
  return sequences(length - 1).flatMap((before) => parts.map((part) => [...before, part]));
}

const framesOf = (sequence: readonly Part[]): Buffer[] =>
  sequence.map(({ code, fin }, index) => frame(code, 'abc'.charAt(index), { fin }));

const orders: Case[] = [1, 2, 3].flatMap(sequences).map((sequence) => ({
  title: sequence.map((part) => part.name).join(' '),
  send: [join(...framesOf(sequence))],
  expect: judged(sequence),
}));

const binaryOrders: Case[] = [
  ['binary inside a text', [first('a'), frame(opcode.binary, 'b'), end('c')], gets.close(1002)],
  ['text inside a binary', [first('a', opcode.binary), text('b'), end('c')], gets.close(1002)],
  ['a fragmented binary', [first('a', opcode.binary), more('b'), end('c')], outcome(gets.binary('abc'), CLEAN)],
  [
    'a text, a fragmented binary and a text',
    [text('t'), first('a', opcode.binary), end('b'), text('u')],
    outcome(gets.text('t'), gets.binary('ab'), gets.text('u'), CLEAN),
  ],
  ['a continuation after a PING', [ping('p'), end('c')], outcome(gets.pong('p'), gets.close(1002))],
  ['a text behind a PING inside a text', [first('a'), ping('p'), text('b')], outcome(gets.pong('p'), gets.close(1002))],
].map(([title, frames, expect]) => ({
  title: title as string,
  send: [join(...(frames as Buffer[]))],
  expect: expect as string,
}));

const empty: Case[] = [
  ['an empty first fragment', [first(''), more('b'), end('c')], 'bc'],
  ['an empty middle fragment', [first('a'), more(''), end('c')], 'ac'],
  ['an empty last fragment', [first('a'), more('b'), end('')], 'ab'],
  ['only a middle fragment that is not empty', [first(''), more('b'), end('')], 'b'],
  ['two empty fragments', [first(''), end('')], ''],
  ['three empty fragments', [first(''), more(''), end('')], ''],
  ['1000 empty fragments', [first(''), ...Array.from({ length: 998 }, () => more('')), end('')], ''],
  ['20000 empty fragments', [first(''), ...Array.from({ length: 19998 }, () => more('')), end('z')], 'z'],
].map(([title, frames, whole]) => ({
  title: title as string,
  send: [join(...(frames as Buffer[]))],
  expect: outcome(gets.text(whole as string), CLEAN),
}));

const sizes: Case[] = [1, 2, 3, 5, 7, 16, 100, 125, 126, 500].flatMap((size): Case[] => [
  {
    title: `1000 octets in fragments of ${size}, one packet`,
    send: [fragmented(letters(1000), size)],
    expect: outcome(gets.text(letters(1000)), CLEAN),
  },
  {
    title: `1000 octets of binary in fragments of ${size}, 5 octets at a time`,
    send: [{ chop: fragmented(noise(1000), size, opcode.binary), every: 5 }],
    expect: outcome(gets.binary(noise(1000)), CLEAN),
  },
]);

const slow: Case[] = [
  {
    title: 'three fragments, each awaited',
    send: [first('a'), 'ping', more('b'), 'ping', end('c')],
    expect: outcome('alive', 'alive', gets.text('abc'), CLEAN),
  },
  {
    title: 'three fragments, octet by octet',
    send: [{ chop: join(first('abc'), more('def'), end('ghi')), every: 1 }],
    expect: outcome(gets.text('abcdefghi'), CLEAN),
  },
  {
    title: '100 fragmented texts in one packet',
    send: [join(...Array.from({ length: 100 }, (_, index) => fragmented(letters(index), 9)))],
    expect: outcome(...Array.from({ length: 100 }, (_, index) => gets.text(letters(index))), CLEAN),
  },
  {
    title: 'a Close behind the first fragment',
    send: [join(first('a'), close(3000, 'enough'))],
    last: 'server',
    expect: gets.close(3000, 'enough'),
  },
  {
    title: 'a good text before a bad order',
    send: [join(text('good'), first('a'), text('b'))],
    expect: outcome(gets.text('good'), gets.close(1002)),
  },
];

export default [
  ...section('6455-5.4 order', [...orders, ...binaryOrders]),
  ...section('6455-5.4', [...empty, ...sizes, ...slow]),
];
