/** RFC 6455 sections 5.5.1 and 7: Close frames and the end. */
import { frame, opcode } from '../../support/raw.ts';
import {
  binary,
  bytes,
  type Case,
  CLEAN,
  close,
  end,
  first,
  gets,
  hex,
  join,
  letters,
  more,
  NO_CLOSE,
  noise,
  outcome,
  ping,
  pong,
  section,
  text,
} from '../case.ts';

const REFUSED = gets.close(1002);
const closed = (title: string, send: Case['send'], expect: string, rest: Partial<Case> = {}): Case => ({
  title,
  send,
  last: 'server',
  expect,
  ...rest,
});

const codes: Case[] = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3001, 3999, 4000, 4500, 4999].map((code) =>
    closed(`code ${code}`, [close(code)], gets.close(code)),
  ),
  // Registered at IANA after the RFC.
  ...[1012, 1013, 1014].map((code) =>
    closed(`code ${code}`, [close(code)], gets.close(code), { nonStrict: [REFUSED] }),
  ),
  // "MUST NOT be set in a Close frame", or in a range that is not used.
  ...[0, 1, 255, 999, 1004, 1005, 1006, 1015].map((code) => closed(`code ${code}`, [close(code)], REFUSED)),
  // Reserved for what is to be registered.
  ...[1016, 1017, 1100, 1999, 2000, 2999].map((code) => closed(`code ${code}`, [close(code)], REFUSED)),
  // Not in any range.
  ...[5000, 5001, 10000, 65535].map((code) =>
    closed(`code ${code}`, [close(code)], REFUSED, { also: [gets.close(code)] }),
  ),
  ...[1000, 3000, 4999].map((code) =>
    closed(`code ${code} with a reason`, [close(code, 'bye now')], gets.close(code, 'bye now')),
  ),
  ...[0, 1005, 1006, 1015, 2999].map((code) => closed(`code ${code} with a reason`, [close(code, 'bye now')], REFUSED)),
];

const CHARACTERS = 'é€😀';
const payloads: Case[] = [
  closed('no payload', [close()], gets.close(), { also: [gets.close(1000)] }),
  ...[0, 3, 127, 255].map((octet) =>
    closed(`a payload of one octet, ${octet}`, [frame(opcode.close, bytes(octet))], REFUSED),
  ),
  ...[1, 2, 10, 60, 121, 122, 123].map((length) =>
    closed(`a reason of ${length}`, [close(3000, letters(length))], gets.close(3000, letters(length))),
  ),
  ...[124, 125, 126, 1000].map((length) => closed(`a reason of ${length}`, [close(3000, letters(length))], REFUSED)),
  closed('a reason of more than ASCII', [close(1000, CHARACTERS)], gets.close(1000, CHARACTERS)),
  closed('a reason of 123 that is no ASCII', [close(1000, '€'.repeat(41))], gets.close(1000, '€'.repeat(41))),
  closed('a reason with NUL and a byte order mark', [close(1000, '\0\ufeff')], gets.close(1000, '\0\ufeff')),
  ...[
    ['FF', 'ff'],
    ['a lone continuation octet', '61 80'],
    ['an overlong slash', 'c0 af'],
    ['a surrogate', 'ed a0 80'],
    ['a code point beyond U+10FFFF', 'f4 90 80 80'],
    ['a character cut off', '61 e2 82'],
    ['a surrogate inside text', 'ce ba ed a0 80 65'],
  ].map(([what, octets]) => closed(`a reason with ${what}`, [close(1000, hex(octets as string))], gets.close(1007))),
  closed('a bad code and a bad reason', [close(999, bytes(0xff))], REFUSED, { also: [gets.close(1007)] }),
  closed(
    'a Close with a reason, octet by octet',
    [{ chop: close(3000, 'bye now'), every: 1 }],
    gets.close(3000, 'bye now'),
  ),
  closed(
    'a Close of 125, octet by octet',
    [{ chop: close(3000, letters(123)), every: 1 }],
    gets.close(3000, letters(123)),
  ),
  closed('a bad reason, octet by octet', [{ chop: close(1000, bytes(0x61, 0xff)), every: 1 }], gets.close(1007)),
];

const BYE = gets.close(3000, 'bye');
const bye = close(3000, 'bye');
const order: Case[] = [
  closed('a Close behind a text', [join(text('t'), bye)], outcome(gets.text('t'), BYE)),
  closed('a Close behind a large binary', [join(binary(noise(300000)), bye)], outcome(gets.binary(noise(300000)), BYE)),
  closed('a Close behind a PING', [join(ping('p'), bye)], outcome(gets.pong('p'), BYE)),
  closed('a Close behind a PONG', [join(pong('p'), bye)], BYE),
  closed(
    'a Close behind 100 texts',
    [join(...Array.from({ length: 100 }, (_, index) => text(letters(index))), bye)],
    outcome(...Array.from({ length: 100 }, (_, index) => gets.text(letters(index))), BYE),
  ),
  closed('a Close inside a fragmented text', [join(first('a'), bye)], BYE),
  closed('a Close inside a fragmented text, which then goes on', [join(first('a'), more('b'), bye, end('c'))], BYE),
  closed('a Close inside a fragmented binary', [join(first('a', opcode.binary), bye)], BYE),
  closed('a Close inside a character', [join(first(bytes(0xe2, 0x82)), bye)], BYE),
];

/** "The endpoint MUST NOT send any more data frames" after a Close: what comes then counts for nothing. */
const after: Case[] = [
  closed('a text after a Close', [join(bye, text('late'))], BYE),
  closed('a binary after a Close', [join(bye, binary('late'))], BYE),
  closed('a PING after a Close', [join(bye, ping('late'))], BYE),
  closed('a PONG after a Close', [join(bye, pong('late'))], BYE),
  closed('another Close after a Close', [join(bye, close(4000, 'again'))], BYE),
  closed('three Closes', [join(bye, bye, bye)], BYE),
  closed('a frame with all reserved bits after a Close', [join(bye, text('late', { rsv: 7 }))], BYE),
  closed('an unknown opcode after a Close', [join(bye, frame(15, 'late'))], BYE),
  closed('an unmasked text after a Close', [join(bye, text('late', { mask: null }))], BYE),
  closed('bad UTF-8 after a Close', [join(bye, text(bytes(0xff)))], BYE),
  closed('a fragment after a Close', [join(bye, first('late'))], BYE),
  closed('half a header after a Close', [join(bye, text('late').subarray(0, 1))], BYE),
  closed('256 KiB after a Close', [join(bye, binary(noise(262144)))], BYE),
  closed('a text after a Close that was answered', [bye, 'beside', text('late')], outcome(BYE)),
  closed('a PING after a bad frame', [join(text('bad', { rsv: 7 }), ping('late'))], REFUSED),
  closed('a Close after a bad frame', [join(text('bad', { rsv: 7 }), bye)], REFUSED),
  closed('a text after a bad Close', [join(close(1005), text('late'))], REFUSED),
  closed('another bad frame after a bad one', [join(text(bytes(0xff)), text('bad', { rsv: 7 }))], gets.close(1007)),
];

/** The client's end of the connection, with or without a Close. */
const ends: Case[] = [
  { title: 'FIN without a Close', send: [], last: 'fin', expect: NO_CLOSE },
  { title: 'FIN behind a text', send: [text('t')], last: 'fin', expect: outcome(gets.text('t'), NO_CLOSE) },
  { title: 'FIN behind a PING', send: ['ping'], last: 'fin', expect: outcome('alive', NO_CLOSE) },
  { title: 'FIN behind a Close', send: [bye], last: 'fin', expect: BYE },
  { title: 'FIN inside a header', send: [text('t').subarray(0, 1)], last: 'fin', expect: NO_CLOSE },
  { title: 'FIN inside a key', send: [text('t').subarray(0, 4)], last: 'fin', expect: NO_CLOSE },
  { title: 'FIN inside a payload', send: [text(letters(1000)).subarray(0, 500)], last: 'fin', expect: NO_CLOSE },
  { title: 'FIN inside a Close', send: [bye.subarray(0, 7)], last: 'fin', expect: NO_CLOSE },
  { title: 'FIN inside a fragmented text', send: [first('a')], last: 'fin', expect: NO_CLOSE },
  {
    title: 'a reset without a Close',
    send: [text('t'), 'ping'],
    last: 'reset',
    expect: outcome(gets.text('t'), 'alive', NO_CLOSE),
  },
  {
    title: 'a reset inside a payload',
    send: ['ping', text(letters(1000)).subarray(0, 500)],
    last: 'reset',
    expect: outcome('alive', NO_CLOSE),
  },
  { title: 'a Close, and nothing else', send: [], expect: CLEAN },
];

export default [
  ...section('6455-7.4 code', codes),
  ...section('6455-5.5.1', [...payloads, ...order, ...after]),
  ...section('6455-7.1', ends),
];
