/** RFC 7692 section 7.1: traffic under every agreement, with windows and context takeover as they were agreed. */
import { frame, opcode } from '../../support/raw.ts';
import {
  bytes,
  type Case,
  CLEAN,
  type Compressed,
  gets,
  hex,
  join,
  noise,
  outcome,
  type ServerName,
  section,
} from '../case.ts';

const NAME = 'permessage-deflate';
const KIB = 1024;

/** Text that can be compressed a little in itself, and much with what lies `length` octets before it. */
const words = (length: number, seed: number): string =>
  noise(Math.ceil(length / 2), seed)
    .toString('hex')
    .slice(0, length);

const traffic = (title: string, offer: string, messages: readonly Compressed[], rest: Partial<Case> = {}): Case => {
  const echoes = messages.map(({ compress, text }) => ((text ?? true) ? gets.text(compress) : gets.binary(compress)));
  return {
    title,
    server: 'compression',
    offer,
    // A busy machine may read so slowly that a Close right behind them would cut off what is owed.
    send: [...messages, 'ping'],
    expect: outcome(...echoes, 'alive', CLEAN),
    // A server may decline whatever it is offered.
    also: [outcome('no extension', ...echoes, 'alive', CLEAN)],
    ...rest,
  };
};

/** Twice the same, a little further apart than the window is wide; and once more in the next message. */
const repeated = (bits: number): Compressed[] => {
  const once = words(2 ** bits + 300, bits);
  return [
    { compress: once + once },
    { compress: once },
    { compress: words(200, bits) },
    { compress: words(200, bits) },
  ];
};

const windows: Case[] = [9, 10, 11, 12, 13, 14, 15].flatMap((bits) => [
  traffic(`a server's window of ${bits} bits`, `${NAME}; server_max_window_bits=${bits}`, repeated(bits)),
  traffic(
    `a server's window of ${bits} bits, each message by itself`,
    `${NAME}; server_max_window_bits=${bits}; server_no_context_takeover`,
    repeated(bits),
  ),
  traffic(`a client's window of ${bits} bits`, `${NAME}; client_max_window_bits=${bits}`, repeated(bits)),
  traffic(
    `windows of ${bits} bits on both sides`,
    `${NAME}; client_max_window_bits=${bits}; server_max_window_bits=${bits}`,
    repeated(bits),
  ),
]);

const configured: Case[] = (
  [
    ['compression 9 bits', 9],
    ['compression 12 bits', 12],
    ['compression reset', 15],
  ] as [ServerName, number][]
).map(([server, bits]) =>
  traffic(`the windows of the server of ${server}`, `${NAME}; client_max_window_bits`, repeated(bits), { server }),
);

const same = words(900, 3);
const hello = frame(opcode.text, hex('f2 48 cd c9 c9 07 00'), { rsv: 4 });
const again = frame(opcode.text, hex('f2 00 11 00 00'), { rsv: 4 });
const HELLO = gets.text('Hello');
const contexts: Case[] = [
  traffic(
    'the same text a hundred times',
    NAME,
    Array.from({ length: 100 }, () => ({ compress: same })),
  ),
  traffic(
    'the same text a hundred times, each by itself',
    `${NAME}; server_no_context_takeover; client_no_context_takeover`,
    Array.from({ length: 100 }, () => ({ compress: same })),
  ),
  traffic(
    'a client that forgets what it need not forget',
    NAME,
    Array.from({ length: 20 }, (_, index) => ({ compress: same, reset: index % 3 === 0 })),
  ),
  traffic(
    'texts, binaries, small and large in turns',
    NAME,
    Array.from({ length: 40 }, (_, index) => ({
      compress: words(10 + ((index * 977) % 20000), index),
      text: index % 2 === 0,
    })),
  ),
  {
    title: 'a client that refers back though it agreed not to',
    server: 'compression',
    offer: `${NAME}; client_no_context_takeover`,
    send: [join(hello, again)],
    expect: outcome(HELLO, gets.close(1007)),
    also: [outcome(HELLO, gets.close(1002)), outcome(HELLO, HELLO, CLEAN)],
  },
  {
    title: 'a plain message is not referred to',
    server: 'compression',
    offer: NAME,
    send: [join(frame(opcode.text, 'Hello'), again)],
    expect: outcome(HELLO, gets.close(1007)),
    also: [outcome(HELLO, gets.close(1002))],
  },
  {
    title: 'an empty message changes nothing in the window',
    server: 'compression',
    offer: NAME,
    send: [join(hello, frame(opcode.text, bytes(0), { rsv: 4 }), again)],
    expect: outcome(HELLO, gets.text(''), HELLO, CLEAN),
  },
];

const agreements: [string, string][] = [
  ['nothing else', ''],
  ['the server forgetting', '; server_no_context_takeover'],
  ['the client forgetting', '; client_no_context_takeover'],
  ['both forgetting', '; server_no_context_takeover; client_no_context_takeover'],
  ["a server's window of 9", '; server_max_window_bits=9'],
  ["a client's window of 9", '; client_max_window_bits=9'],
  ['windows of 9', '; server_max_window_bits=9; client_max_window_bits=9'],
  ['windows of 12', '; server_max_window_bits=12; client_max_window_bits=12'],
  ['windows of 15', '; server_max_window_bits=15; client_max_window_bits=15'],
  [
    'windows of 9 and both forgetting',
    '; server_max_window_bits=9; client_max_window_bits=9; server_no_context_takeover; client_no_context_takeover',
  ],
];

const loads: [size: number, count: number][] = [
  [16, 200],
  [64, 200],
  [256, 150],
  [KIB, 100],
  [4 * KIB, 40],
  [8 * KIB, 30],
  [16 * KIB, 16],
  [32 * KIB, 10],
  [64 * KIB, 8],
  [128 * KIB, 6],
];

/** Alike enough that each refers to the ones before, every fourth in fragments. */
const made = (size: number, count: number): Compressed[] => {
  const base = words(size, size);
  return Array.from({ length: count }, (_, index) => {
    const compress = `${index}:${base}`.slice(0, size);
    return index % 4 === 3 ? { compress, fragment: Math.max(1, size >> 3) } : { compress, text: index % 2 === 0 };
  });
};

const named = (size: number): string => (size < KIB ? `${size}` : `${size / KIB} KiB`);
const loaded: Case[] = [
  ...agreements.flatMap(([what, parameters]) =>
    loads.map(([size, count]) =>
      traffic(`${count} messages of ${named(size)} with ${what}`, NAME + parameters, made(size, count)),
    ),
  ),
  traffic('1000 messages of 16 with nothing else', NAME, made(16, 1000)),
  traffic('1000 messages of 1 KiB with nothing else', NAME, made(KIB, 1000)),
];

export default [
  ...section('7692-7.1.2', [...windows, ...configured]),
  ...section('7692-7.1.1', contexts),
  ...section('7692-7 traffic', loaded),
];
