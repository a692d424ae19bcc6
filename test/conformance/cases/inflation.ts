/** RFC 7692 section 7.2.2: what compressed messages inflate to, if to anything, and how much of it is taken. */
import { constants, deflateRawSync } from 'node:zlib';
import { opcode } from '../../support/raw.ts';
import {
  binary,
  bytes,
  type Case,
  CLEAN,
  end,
  gets,
  hex,
  join,
  letters,
  more,
  noise,
  outcome,
  section,
} from '../case.ts';

import { again, begun, CORRUPT, compressed, corruptAlso, HELLO, hello, long, whole } from './compressed.ts';

const euros = '€😀é'.repeat(3000);
const texts: Case[] = [
  compressed(
    'text of more than ASCII',
    [{ compress: euros }, { compress: euros, fragment: 11 }],
    outcome(gets.text(euros), gets.text(euros), CLEAN),
  ),
  ...['ff', '80', 'c0 af', 'ed a0 80', 'f4 90 80 80', '61 e2 82'].flatMap((octets) => [
    compressed(`text that is ${octets} once inflated`, [{ compress: hex(octets) }], CORRUPT),
    compressed(
      `text that is ${octets} once inflated, in fragments`,
      [{ compress: join(Buffer.from(long), hex(octets)), fragment: 3 }],
      CORRUPT,
    ),
  ]),
  compressed(
    'binary that is no UTF-8 once inflated',
    [{ compress: hex('ff fe 80'), text: false }],
    outcome(gets.binary(hex('ff fe 80')), CLEAN),
  ),
  compressed(
    'a bad octet behind 100000 good ones',
    [{ compress: join(Buffer.from(letters(100000)), bytes(0xff)) }],
    CORRUPT,
  ),
  compressed(
    'good text before text that is none',
    [{ compress: long }, { compress: bytes(0xff) }],
    outcome(gets.text(long), CORRUPT),
  ),
];

const strange = deflateRawSync(long, { dictionary: Buffer.from(long), finishFlush: constants.Z_SYNC_FLUSH }).subarray(
  0,
  -4,
);
const corrupt: Case[] = [
  ['a block of the reserved kind', hex('07 00 00')],
  ['octets FF', hex('ff ff ff ff ff ff')],
  ['a stored block whose lengths disagree', hex('00 05 00 00 00 48 65 6c 6c 6f 00')],
  ['a dynamic block with too many codes', hex('fc ff ff ff ff')],
  ['a reference to before the beginning', again],
  ['references into a window that nobody has', strange],
  ['random octets', noise(500, 7)],
  ['the format of zlib with its header', hex('78 9c f2 48 cd c9 c9 07 00')],
  ['the format of gzip with its header', hex('1f 8b 08 00 00 00 00 00 00 03 f2 48 cd c9 c9 07 00')],
].flatMap(([what, data]) => [
  compressed(`${what}`, [whole(data as Buffer)], CORRUPT, corruptAlso()),
  compressed(
    `${what}, in fragments, behind a good message`,
    [join(whole(hello), begun((data as Buffer).subarray(0, 2)), end((data as Buffer).subarray(2)))],
    outcome(
      HELLO,
      what === 'a reference to before the beginning' ? HELLO : CORRUPT,
      ...(what === 'a reference to before the beginning' ? [CLEAN] : []),
    ),
    corruptAlso(HELLO),
  ),
]);

/** What ends too early still inflates to something, and must not pass for the message. */
const truncated: Case[] = [
  compressed('a stored block that is cut off', [whole(hex('00 05 00 fa ff 48 65'))], CORRUPT, corruptAlso()),
  compressed(
    'a long stored block that is cut off, as binary',
    [whole(hex('00 50 00 af ff 48 65'), opcode.binary)],
    CORRUPT,
    {
      ...corruptAlso(),
      nonStrict: [outcome(gets.binary(hex('48 65 00 00 ff ff')), CLEAN), CLEAN],
    },
  ),
  compressed('a text cut off within its block', [whole(hello.subarray(0, 3))], CORRUPT, {
    ...corruptAlso(),
    nonStrict: ['H', 'He', 'Heh'].map((each) => outcome(gets.text(each), CLEAN)),
  }),
  compressed('a text without its last octet', [whole(hello.subarray(0, -1))], CORRUPT, {
    ...corruptAlso(),
    nonStrict: [outcome(HELLO, CLEAN)],
  }),
  compressed('two blocks, the second of which is cut off', [whole(hex('f2 48 05 00 00 00 ff ff ca c9'))], CORRUPT, {
    ...corruptAlso(),
    nonStrict: [outcome(gets.text('Helh'), CLEAN)],
  }),
  compressed(
    'a message after one that was cut off',
    [join(whole(hex('00 05 00 fa ff 48 65')), whole(hello))],
    CORRUPT,
    corruptAlso(),
  ),
];

const small = (title: string, send: Case['send'], expect: string, rest: Partial<Case> = {}): Case =>
  compressed(title, send, expect, { server: 'compression small', ...rest });
const LIMIT = 65536;
const TOO_BIG = gets.close(1009);
const zeros = (length: number): Buffer => Buffer.alloc(length);
/** A message of so many MiB in 1 KiB for each. */
const bombs = new Map<number, Buffer>();
function bomb(mebibytes: number): Buffer {
  const made =
    bombs.get(mebibytes) ??
    deflateRawSync(zeros(mebibytes * 2 ** 20), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  bombs.set(mebibytes, made);
  return made;
}

const limits: Case[] = [
  small(
    'a message that inflates to the limit',
    [{ compress: zeros(LIMIT), text: false }],
    outcome(gets.binary(zeros(LIMIT)), CLEAN),
  ),
  small('a message that inflates to one octet over the limit', [{ compress: zeros(LIMIT + 1), text: false }], TOO_BIG),
  small('a text that inflates to the limit', [{ compress: letters(LIMIT) }], outcome(gets.text(letters(LIMIT)), CLEAN)),
  small('a text that inflates to one octet over the limit', [{ compress: letters(LIMIT + 1) }], TOO_BIG),
  small(
    'fragments that inflate to the limit',
    [{ compress: letters(LIMIT), fragment: 20 }],
    outcome(gets.text(letters(LIMIT)), CLEAN),
  ),
  small(
    'fragments that inflate to one octet over the limit',
    [{ compress: letters(LIMIT + 1), fragment: 20 }],
    TOO_BIG,
  ),
  small(
    'twenty messages that inflate to the limit each',
    Array.from({ length: 20 }, () => ({ compress: zeros(LIMIT), text: false })),
    outcome(...Array.from({ length: 20 }, () => gets.binary(zeros(LIMIT))), CLEAN),
  ),
  small('stored blocks over the limit', [{ compress: noise(LIMIT + 1), text: false, level: 0 }], TOO_BIG),
  // Longer compressed than it is itself.
  small(
    'what can not be compressed, as large as the limit',
    [{ compress: noise(LIMIT), text: false }],
    outcome(gets.binary(noise(LIMIT)), CLEAN),
    { also: [TOO_BIG] },
  ),
  small('a plain message as large as the limit', [binary(noise(LIMIT))], outcome(gets.binary(noise(LIMIT)), CLEAN)),
  small('a plain message one octet over the limit', [binary(noise(LIMIT + 1))], TOO_BIG),
  ...[1, 16, 64].flatMap((size) => [
    small(`a bomb of ${size} MiB`, [() => whole(bomb(size), opcode.binary)], TOO_BIG),
    small(`a bomb of ${size} MiB as text`, [() => whole(bomb(size))], TOO_BIG, { also: [CORRUPT] }),
  ]),
  small('a bomb behind a good message', [whole(hello), () => whole(bomb(1), opcode.binary)], outcome(HELLO, TOO_BIG)),
  small(
    'a bomb in fragments',
    [() => join(begun(bomb(1).subarray(0, 100)), more(bomb(1).subarray(100, 500)), end(bomb(1).subarray(500)))],
    TOO_BIG,
  ),
  small('a bomb with BFINAL', [{ compress: zeros(2 ** 20), text: false, final: true }], TOO_BIG),
  small('a bomb on the default limit', [() => whole(bomb(64), opcode.binary)], TOO_BIG, { server: 'compression' }),
];

export default [...section('7692-7.2.2', [...texts, ...corrupt, ...truncated]), ...section('7692 limits', limits)];
