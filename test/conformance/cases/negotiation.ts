/** RFC 7692 sections 5 and 7.1: what is agreed on for which offer. */
import { binary, type Case, CLEAN, gets, letters, noise, outcome, type ServerName, section, text } from '../case.ts';

const NAME = 'permessage-deflate';

/** Parameters of an offer or an answer. */
interface Parameters {
  readonly serverBits?: number;
  /** `true` is the parameter without a value, which is of an offer only. */
  readonly clientBits?: number | true;
  readonly serverResets?: boolean;
  readonly clientResets?: boolean;
}

/** In alphabetical order, as outcomes have it. */
function written({ serverBits, clientBits, serverResets, clientResets }: Parameters): string {
  const parts = [NAME];
  if (clientBits !== undefined) parts.push(`client_max_window_bits${clientBits === true ? '' : `=${clientBits}`}`);
  if (clientResets) parts.push('client_no_context_takeover');
  if (serverBits !== undefined) parts.push(`server_max_window_bits=${serverBits}`);
  if (serverResets) parts.push('server_no_context_takeover');
  return parts.join('; ');
}

/** A text that is compressed where it may be, twice, and what comes of it. */
const message = letters(300);
const send: Case['send'] = [{ compress: message }, { compress: message }];
const echoed = (agreed: string): string => outcome(agreed, gets.text(message), gets.text(message), CLEAN);
const DECLINED = echoed('no extension');

/** What a server whose own window is of so many bits may answer besides what is expected of ours. */
function allowed(offer: Parameters, configured = 15): string[] {
  const bits = offer.clientBits === true ? 15 : offer.clientBits;
  const found = [DECLINED];
  for (const serverResets of offer.serverResets ? [true] : [false, true]) {
    for (const clientResets of [false, true]) {
      for (const clientBits of bits === undefined ? [undefined] : [undefined, bits]) {
        for (const serverBits of offer.serverBits === undefined ? [undefined, configured] : [offer.serverBits]) {
          found.push(
            echoed(
              written({
                serverResets,
                clientResets,
                ...(clientBits === undefined ? {} : { clientBits }),
                ...(serverBits === undefined ? {} : { serverBits }),
              }),
            ),
          );
        }
      }
    }
  }
  return found;
}

const negotiated = (
  title: string,
  offer: string | readonly string[],
  agreed: string,
  rest: Partial<Case> = {},
): Case => ({
  title,
  server: 'compression',
  offer,
  negotiation: true,
  send,
  expect: echoed(agreed),
  ...rest,
});

const accepted = (offer: Parameters, answer: Parameters = offer, server: ServerName = 'compression'): Case =>
  negotiated(`${written(offer)}${server === 'compression' ? '' : `, to ${server}`}`, written(offer), written(answer), {
    server,
    also: allowed(offer, answer.serverBits),
  });

const flags: Parameters[] = [
  {},
  { serverResets: true },
  { clientResets: true },
  { serverResets: true, clientResets: true },
];
const windows = [9, 10, 11, 12, 13, 14, 15];

const offers: Case[] = [
  ...flags.flatMap((flag) => [
    accepted(flag),
    accepted({ ...flag, clientBits: true }, { ...flag, clientBits: 15 }),
    accepted({ ...flag, serverBits: 10 }),
    accepted({ ...flag, clientBits: 10 }),
    accepted({ ...flag, serverBits: 12, clientBits: 11 }),
    accepted({ ...flag, serverBits: 15, clientBits: true }, { ...flag, serverBits: 15, clientBits: 15 }),
    accepted({ ...flag, serverBits: 10, clientBits: true }, { ...flag, serverBits: 10, clientBits: 15 }),
  ]),
  ...windows
    .filter((bits) => bits !== 10)
    .flatMap((bits) => [accepted({ serverBits: bits }), accepted({ clientBits: bits })]),
  ...windows.map((bits) => accepted({ serverBits: bits, clientBits: bits })),
];

const configured: Case[] = [
  accepted({}, { serverBits: 9 }, 'compression 9 bits'),
  accepted({ serverBits: 9 }, { serverBits: 9 }, 'compression 9 bits'),
  accepted({ serverBits: 15 }, { serverBits: 9 }, 'compression 9 bits'),
  accepted({ clientBits: true }, { serverBits: 9, clientBits: 15 }, 'compression 9 bits'),
  accepted({}, { serverBits: 12 }, 'compression 12 bits'),
  accepted({ serverBits: 9 }, { serverBits: 9 }, 'compression 12 bits'),
  accepted({ serverBits: 14, clientBits: 14 }, { serverBits: 12, clientBits: 14 }, 'compression 12 bits'),
  accepted({}, { serverResets: true, clientResets: true }, 'compression reset'),
  accepted({ serverResets: true }, { serverResets: true, clientResets: true }, 'compression reset'),
  accepted({ clientBits: true }, { serverResets: true, clientResets: true, clientBits: 15 }, 'compression reset'),
  accepted({ serverBits: 10 }, { serverResets: true, clientResets: true, serverBits: 10 }, 'compression reset'),
];

const declined = (parameters: string, rest: Partial<Case> = {}): Case =>
  negotiated(`${NAME}; ${parameters}`, `${NAME}; ${parameters}`, 'no extension', rest);

const bad: Case[] = [
  // Right, but zlib can't deflate with it.
  declined('server_max_window_bits=8', { also: allowed({ serverBits: 8 }) }),
  declined('client_max_window_bits=8', { also: allowed({ clientBits: 8 }) }),
  ...['0', '1', '7', '16', '32', '99', '-9', '+9', '010', '9.0', 'x', '1e1'].flatMap((value) => [
    declined(`server_max_window_bits=${value}`),
    declined(`client_max_window_bits=${value}`),
  ]),
  declined('server_max_window_bits'),
  declined('server_max_window_bits='),
  declined('client_max_window_bits='),
  declined('server_no_context_takeover=1'),
  declined('client_no_context_takeover=true'),
  declined('server_no_context_takeover='),
  declined('server_max_window_bits=10; server_max_window_bits=10'),
  declined('client_max_window_bits; client_max_window_bits=10'),
  declined('server_no_context_takeover; server_no_context_takeover'),
  declined('client_no_context_takeover; client_no_context_takeover'),
  declined('unknown'),
  declined('unknown=1'),
  declined('client_max_window_bits; unknown'),
  declined('max_window_bits=10'),
  declined('server_max_window_bits=10; server_max_window_bits=11'),
  declined('client_max_window_bits=10; client_max_window_bits=10'),
  declined('client_max_window_bits; client_max_window_bits'),
];

/** A parameter with something wrong about it, which nothing beside it makes good. */
const flaws = [
  'server_max_window_bits=8',
  'server_max_window_bits=16',
  'server_max_window_bits',
  'server_max_window_bits=',
  'client_max_window_bits=8',
  'client_max_window_bits=16',
  'client_max_window_bits=',
  'server_no_context_takeover=1',
  'client_no_context_takeover=""',
  'unknown',
  'unknown="10"',
  'Client_Max_Window_Bits',
];
const flawed: Case[] = flaws.flatMap((flaw) => {
  const right = [
    'server_no_context_takeover',
    'client_no_context_takeover',
    'server_max_window_bits=15',
    'client_max_window_bits=15',
  ].filter((parameter) => !parameter.startsWith(flaw.split('=')[0] as string));
  const eight = flaw === 'server_max_window_bits=8' || flaw === 'client_max_window_bits=8';
  // What is right by the RFC may be taken up.
  const also = (rest: Parameters) =>
    eight ? allowed({ ...rest, ...(flaw.startsWith('server') ? { serverBits: 8 } : { clientBits: 8 }) }) : [];
  const all = flaw.startsWith('server') ? { clientBits: 15 } : { serverBits: 15 };
  return [
    declined(`${flaw}; ${right.join('; ')}`, { also: also({ ...all, serverResets: true, clientResets: true }) }),
    declined(`${right.join('; ')}; ${flaw}`, { also: also({ ...all, serverResets: true, clientResets: true }) }),
    negotiated(`another offer behind one with ${flaw}`, `${NAME}; ${flaw}, ${NAME}`, NAME, {
      also: [...allowed({}), ...also({})],
    }),
  ];
});

const quoted: Case[] = [
  negotiated('a quoted value', `${NAME}; server_max_window_bits="10"`, written({ serverBits: 10 }), {
    also: allowed({ serverBits: 10 }),
  }),
  negotiated('a quoted value with an escape', `${NAME}; client_max_window_bits="1\\0"`, written({ clientBits: 10 }), {
    also: allowed({ clientBits: 10 }),
  }),
  negotiated(
    'spaces around separators',
    `  ${NAME} ;  client_max_window_bits  ; server_no_context_takeover `,
    written({ clientBits: 15, serverResets: true }),
    {
      also: allowed({ clientBits: true, serverResets: true }),
    },
  ),
  negotiated(
    'no spaces at all',
    `${NAME};client_max_window_bits;server_no_context_takeover`,
    written({ clientBits: 15, serverResets: true }),
    {
      also: allowed({ clientBits: true, serverResets: true }),
    },
  ),
];

const quotedAccepted: Case[] = [
  ...[9, 15].flatMap((bits) => [
    negotiated(
      `server_max_window_bits="${bits}"`,
      `${NAME}; server_max_window_bits="${bits}"`,
      written({ serverBits: bits }),
      {
        also: allowed({ serverBits: bits }),
      },
    ),
    negotiated(
      `client_max_window_bits="${bits}"`,
      `${NAME}; client_max_window_bits="${bits}"`,
      written({ clientBits: bits }),
      {
        also: allowed({ clientBits: bits }),
      },
    ),
  ]),
  negotiated(
    'all parameters, their values quoted, in another order',
    `${NAME}; server_no_context_takeover; server_max_window_bits="15"; client_no_context_takeover; client_max_window_bits="12"`,
    written({ serverBits: 15, clientBits: 12, serverResets: true, clientResets: true }),
    { also: allowed({ serverBits: 15, clientBits: 12, serverResets: true, clientResets: true }) },
  ),
];

const quotedDeclined: Case[] = [
  ...['8', '16', '', ' 10', '10 ', '10;', '1"0'].flatMap((value) => {
    const text = `"${value.replace('"', '\\"')}"`;
    const eight = value === '8';
    return [
      declined(`server_max_window_bits=${text}`, { also: eight ? allowed({ serverBits: 8 }) : [] }),
      declined(`client_max_window_bits=${text}`, { also: eight ? allowed({ clientBits: 8 }) : [] }),
    ];
  }),
  declined('server_no_context_takeover=""'),
  declined('client_no_context_takeover="1"'),
  declined('unknown="x, permessage-deflate, y"'),
  negotiated(
    'another offer behind one with separators in quotation marks',
    `${NAME}; unknown="x, ${NAME}, y", ${NAME}; server_no_context_takeover`,
    written({ serverResets: true }),
    { also: allowed({ serverResets: true }) },
  ),
];

const several: Case[] = [
  negotiated('the first of two offers', `${NAME}; server_max_window_bits=10, ${NAME}`, written({ serverBits: 10 }), {
    also: [...allowed({ serverBits: 10 }), ...allowed({})],
  }),
  negotiated('the second of two offers, as the first is unknown', `x-webkit-deflate-frame, ${NAME}`, NAME, {
    also: allowed({}),
  }),
  negotiated(
    'the second of two offers, as the first has an unknown parameter',
    `${NAME}; mystery, ${NAME}; client_max_window_bits`,
    written({ clientBits: 15 }),
    { also: allowed({ clientBits: true }) },
  ),
  negotiated(
    'the third of three offers',
    `${NAME}; mystery, other, ${NAME}; server_no_context_takeover`,
    written({ serverResets: true }),
    { also: allowed({ serverResets: true }) },
  ),
  negotiated('offers in two headers', ['other', NAME], NAME, { also: allowed({}) }),
  negotiated(
    'two offers in two headers',
    [`${NAME}; server_max_window_bits=7`, `${NAME}; server_max_window_bits=11`],
    written({ serverBits: 11 }),
    { also: allowed({ serverBits: 11 }) },
  ),
  negotiated('only extensions that nobody knows', 'foo, bar; baz=1', 'no extension'),
  negotiated('a name that begins alike', 'permessage-deflate2', 'no extension'),
  negotiated('another compression', 'permessage-bzip2', 'no extension'),
];

/** Neither agreed on nor refused. */
const REFUSED = ['refused 400'];
const malformed: Case[] = [
  '',
  ',',
  ';',
  `${NAME};`,
  `${NAME};;client_max_window_bits`,
  `${NAME}; =10`,
  `${NAME}; server_max_window_bits="10`,
  `"${NAME}"`,
].map((offer) =>
  negotiated(`what is no offer: ${JSON.stringify(offer)}`, offer, 'no extension', {
    also: [...REFUSED, ...allowed({})],
  }),
);

const RSV1 = { rsv: 4 };
const without: Case[] = [
  { title: 'an offer to a server without compression', offer: NAME, negotiation: true, send, expect: DECLINED },
  {
    title: 'RSV1 on a server without compression',
    offer: NAME,
    send: [text('x', RSV1)],
    expect: outcome('no extension', gets.close(1002)),
  },
  { title: 'RSV1 where nothing was offered', server: 'compression', send: [text('x', RSV1)], expect: gets.close(1002) },
  {
    title: 'RSV1 on binary where nothing was offered',
    server: 'compression',
    send: [binary(noise(100), RSV1)],
    expect: gets.close(1002),
  },
  {
    title: 'RSV1 where the offer was declined',
    server: 'compression',
    offer: `${NAME}; mystery`,
    send: [text('x', RSV1)],
    expect: outcome('no extension', gets.close(1002)),
  },
  {
    title: 'plain messages where nothing was offered',
    server: 'compression',
    send: [text(message), binary(noise(2000))],
    expect: outcome(gets.text(message), gets.binary(noise(2000)), CLEAN),
  },
];

export default [
  ...section('7692-7.1', [...offers, ...configured, ...quotedAccepted]),
  ...section('7692-7.1 declined', [...bad, ...flawed, ...quotedDeclined]),
  ...section('7692-5', [...quoted, ...several, ...malformed, ...without]),
];
