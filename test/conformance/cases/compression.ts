import { frame, opcode } from '../../support/raw.ts';
import {
  binary,
  bytes,
  type Case,
  CLEAN,
  close,
  end,
  gets,
  hex,
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

import { again, begun, CORRUPT, compressed, HELLO, hello, long, REFUSED, RSV1, whole } from './compressed.ts';

/** The examples of section 7.2.3. */
const examples: Case[] = [
  compressed('one block', [whole(hello)], outcome(HELLO, CLEAN)),
  compressed(
    'one block in two fragments',
    [join(begun(hello.subarray(0, 3)), end(hello.subarray(3)))],
    outcome(HELLO, CLEAN),
  ),
  compressed('the same again, out of the window', [join(whole(hello), whole(again))], outcome(HELLO, HELLO, CLEAN)),
  compressed('a block that is not compressed', [whole(hex('00 05 00 fa ff 48 65 6c 6c 6f 00'))], outcome(HELLO, CLEAN)),
  compressed('a block with BFINAL', [whole(hex('f3 48 cd c9 c9 07 00 00'))], outcome(HELLO, CLEAN)),
  compressed('two blocks', [whole(hex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00'))], outcome(HELLO, CLEAN)),
  compressed('an empty message', [whole(bytes(0))], outcome(gets.text(''), CLEAN)),
  compressed('an octet at a time', [{ chop: whole(hello), every: 1 }], outcome(HELLO, CLEAN)),
  compressed(
    'a fragment for each octet',
    [
      join(
        begun(hello.subarray(0, 1)),
        ...[...hello.subarray(1, 6)].map((each) => more(bytes(each))),
        end(hello.subarray(6)),
      ),
    ],
    outcome(HELLO, CLEAN),
  ),
];

const bits: Case[] = [
  compressed(
    'RSV1 on a continuation',
    [join(begun(hello.subarray(0, 3)), frame(opcode.continuation, hello.subarray(3), { rsv: RSV1 }))],
    REFUSED,
  ),
  compressed(
    'RSV1 on a continuation of a plain text',
    [join(frame(opcode.text, 'a', { fin: false }), frame(opcode.continuation, 'b', { rsv: RSV1 }))],
    REFUSED,
  ),
  compressed(
    'RSV1 on a middle fragment',
    [
      join(
        begun(hello.subarray(0, 3)),
        frame(opcode.continuation, hello.subarray(3, 5), { rsv: RSV1, fin: false }),
        end(hello.subarray(5)),
      ),
    ],
    REFUSED,
  ),
  ...(
    [
      ['PING', opcode.ping, 'x'],
      ['PONG', opcode.pong, 'x'],
      ['Close', opcode.close, bytes(3, 232)],
      ['opcode 3', 3, 'x'],
      ['opcode 11', 11, 'x'],
      ['opcode 0', 0, 'x'],
    ] as const
  ).map(([what, code, payload]) => compressed(`RSV1 on ${what}`, [frame(code, payload, { rsv: RSV1 })], REFUSED)),
  ...[1, 2, 3, 5, 6, 7].flatMap((rsv) => [
    compressed(
      `reserved bits ${rsv.toString(2).padStart(3, '0')} on a text`,
      [frame(opcode.text, hello, { rsv })],
      REFUSED,
    ),
    compressed(`reserved bits ${rsv.toString(2).padStart(3, '0')} on a PING`, [ping('x', { rsv })], REFUSED),
  ]),
  compressed('RSV1 on an unmasked text', [frame(opcode.text, hello, { rsv: RSV1, mask: null })], REFUSED),
];

const control: Case[] = [
  compressed(
    'PINGs and PONGs between compressed fragments',
    [
      join(
        begun(hello.subarray(0, 3)),
        ping('p'),
        pong('q'),
        more(hello.subarray(3, 5)),
        ping('r'),
        end(hello.subarray(5)),
      ),
    ],
    outcome(gets.pong('p'), gets.pong('r'), HELLO, CLEAN),
  ),
  compressed(
    'a PING, answered before the second fragment',
    [begun(hello.subarray(0, 3)), 'ping', end(hello.subarray(3))],
    outcome('alive', HELLO, CLEAN),
  ),
  compressed(
    'a Close inside a compressed message',
    [join(begun(hello.subarray(0, 3)), close(3000, 'bye'))],
    gets.close(3000, 'bye'),
    { last: 'server' },
  ),
  compressed(
    'a Close right behind a compressed message',
    [join(whole(hello), close(3000, 'bye'))],
    outcome(HELLO, gets.close(3000, 'bye')),
    { last: 'server' },
  ),
  compressed('a PING of 125 is not compressed', [ping(letters(125))], outcome(gets.pong(letters(125)), CLEAN)),
  compressed(
    'a PING right behind a compressed message',
    [join(whole(hello), ping('p'))],
    outcome(HELLO, gets.pong('p'), CLEAN),
  ),
  compressed(
    'a PING behind a large compressed message',
    [{ compress: letters(200000) }, 'ping'],
    outcome(gets.text(letters(200000)), 'alive', CLEAN),
    { also: [outcome('alive', gets.text(letters(200000)), CLEAN)] },
  ),
];

const shapes: Case[] = [
  compressed('an empty first fragment', [join(begun(''), end(hello))], outcome(HELLO, CLEAN)),
  compressed('an empty last fragment', [join(begun(hello), end(''))], outcome(HELLO, CLEAN)),
  compressed('nothing at all, with RSV1', [whole('')], outcome(gets.text(''), CLEAN), { also: [CORRUPT, REFUSED] }),
  compressed('an empty binary', [{ compress: '', text: false }], outcome(gets.binary(''), CLEAN)),
  compressed(
    'an empty text between others',
    [{ compress: long }, { compress: '' }, { compress: long }],
    outcome(gets.text(long), gets.text(''), gets.text(long), CLEAN),
  ),
  ...[0, 1, 6, 9].map((level) =>
    compressed(
      `level ${level}`,
      [
        { compress: long, level },
        { compress: long, level },
      ],
      outcome(gets.text(long), gets.text(long), CLEAN),
    ),
  ),
  ...[1, 2, 7, 64, 200].map((fragment) =>
    compressed(
      `fragments of ${fragment}`,
      [
        { compress: noise(1000), text: false, fragment },
        { compress: long, fragment },
      ],
      outcome(gets.binary(noise(1000)), gets.text(long), CLEAN),
    ),
  ),
  compressed(
    'fragments with PINGs between',
    [{ compress: noise(50), text: false, fragment: 10, between: ping('p') }],
    outcome(...Array.from({ length: 5 }, () => gets.pong('p')), gets.binary(noise(50)), CLEAN),
  ),
  compressed(
    'what can not be compressed',
    [{ compress: noise(100000), text: false }],
    outcome(gets.binary(noise(100000)), CLEAN),
  ),
  compressed(
    'plain messages on a compressed connection',
    [join(text(long), binary(noise(1000)), text(''))],
    outcome(gets.text(long), gets.binary(noise(1000)), gets.text(''), CLEAN),
  ),
  compressed(
    'plain fragments on a compressed connection',
    [join(frame(opcode.text, 'a', { fin: false }), end('b'))],
    outcome(gets.text('ab'), CLEAN),
  ),
  compressed(
    'plain and compressed in turns',
    [{ compress: long }, text(long), { compress: long }, text('plain'), { compress: 'Hello' }],
    outcome(gets.text(long), gets.text(long), gets.text(long), gets.text('plain'), HELLO, CLEAN),
  ),
  compressed('bad UTF-8 in a plain text on a compressed connection', [text(bytes(0xff))], CORRUPT),
];

const finals: Case[] = [
  compressed(
    'BFINAL in each of three messages',
    [
      { compress: long, final: true },
      { compress: long, final: true },
      { compress: 'Hello', final: true },
    ],
    outcome(gets.text(long), gets.text(long), HELLO, CLEAN),
  ),
  compressed(
    'a message after one with BFINAL',
    [{ compress: long, final: true }, { compress: long }, { compress: long }],
    outcome(gets.text(long), gets.text(long), gets.text(long), CLEAN),
  ),
  compressed(
    'BFINAL in a message after others',
    [{ compress: long }, { compress: long, final: true }, { compress: 'Hello' }],
    outcome(gets.text(long), gets.text(long), HELLO, CLEAN),
  ),
  compressed('BFINAL in fragments', [{ compress: long, final: true, fragment: 5 }], outcome(gets.text(long), CLEAN)),
  compressed('BFINAL without the octet behind it', [whole(hex('f3 48 cd c9 c9 07 00'))], outcome(HELLO, CLEAN), {
    also: [CORRUPT, REFUSED],
  }),
  // The window outlives a block with BFINAL; a receiver that begins anew with it can't follow.
  compressed(
    'a reference behind BFINAL into the window',
    [join(whole(hex('f3 48 cd c9 c9 07 00 00')), whole(again))],
    outcome(HELLO, HELLO, CLEAN),
    { nonStrict: [outcome(HELLO, CORRUPT), outcome(HELLO, REFUSED)] },
  ),
  compressed(
    'blocks behind BFINAL in one message',
    [whole(hex('f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00'))],
    outcome(gets.text('HelloHello'), CLEAN),
    { also: [CORRUPT, REFUSED], nonStrict: [outcome(HELLO, CLEAN)] },
  ),
];

export default [
  ...section('7692-7.2.3', examples),
  ...section('7692-6', [...bits, ...control, ...shapes]),
  ...section('7692-7.2.3.4', finals),
];
