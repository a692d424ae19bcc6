/** RFC 6455 section 5.2: what is reserved, bits and opcodes. */
import { frame, opcode } from '../../support/raw.ts';
import { bytes, type Case, end, first, gets, join, letters, more, outcome, ping, section, text } from '../case.ts';

const REFUSED = gets.close(1002);

const opcodes = [
  ['text', opcode.text, letters(10)],
  ['binary', opcode.binary, letters(10)],
  ['PING', opcode.ping, 'x'],
  ['PONG', opcode.pong, 'x'],
  ['Close', opcode.close, bytes(3, 232)],
] as const;

const bitNames = (rsv: number): string =>
  [4, 2, 1]
    .map((bit, index) => (rsv & bit ? `RSV${index + 1}` : ''))
    .filter(Boolean)
    .join('+');

const bits: Case[] = [1, 2, 3, 4, 5, 6, 7].flatMap((rsv): Case[] => {
  const name = bitNames(rsv);
  return [
    ...opcodes.map(([what, code, payload]) => ({
      title: `${name} on ${what}`,
      send: [frame(code, payload, { rsv })],
      expect: REFUSED,
    })),
    { title: `${name} on an empty text`, send: [text('', { rsv })], expect: REFUSED },
    {
      title: `${name} on a first fragment`,
      send: [frame(opcode.text, 'a', { rsv, fin: false }), 'beside', end('b')],
      expect: REFUSED,
    },
    {
      title: `${name} on a continuation`,
      send: [join(first('a'), frame(opcode.continuation, 'b', { rsv, fin: false }), end('c'))],
      expect: REFUSED,
    },
    { title: `${name} on a last fragment`, send: [join(first('a'), more('b'), end('c', { rsv }))], expect: REFUSED },
    {
      title: `${name} on a text after a good one, and before another`,
      send: [join(text('good'), text('bad', { rsv }), text('late'))],
      expect: outcome(gets.text('good'), REFUSED),
    },
    {
      title: `${name} on a PING after a good one`,
      send: [join(ping('good'), ping('bad', { rsv }))],
      expect: outcome(gets.pong('good'), REFUSED),
    },
    {
      title: `${name} on a text, octet by octet`,
      send: [{ chop: join(text('good'), text('bad', { rsv })), every: 1 }],
      expect: outcome(gets.text('good'), REFUSED),
    },
  ];
});

const unknown: Case[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((code): Case[] => [
  { title: `opcode ${code}, empty`, send: [frame(code)], expect: REFUSED },
  { title: `opcode ${code} with a payload`, send: [frame(code, 'reserved')], expect: REFUSED },
  { title: `opcode ${code} without FIN`, send: [frame(code, 'reserved', { fin: false })], expect: REFUSED },
  { title: `opcode ${code} of 65536`, send: [frame(code, letters(65536))], expect: REFUSED },
  {
    title: `opcode ${code} after a text and a PING`,
    send: [join(text('good'), ping('p'), frame(code, 'reserved'), text('late'))],
    expect: outcome(gets.text('good'), gets.pong('p'), REFUSED),
  },
  { title: `opcode ${code} between fragments`, send: [join(first('a'), frame(code, ''), end('b'))], expect: REFUSED },
  {
    title: `opcode ${code}, octet by octet`,
    send: [{ chop: join(text('good'), frame(code, 'reserved')), every: 1 }],
    expect: outcome(gets.text('good'), REFUSED),
  },
]);

export default [...section('6455-5.2 RSV', bits), ...section('6455-5.2 opcode', unknown)];
