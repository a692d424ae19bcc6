/**
 * What a case of the conformance suite is: what a client sends, and the outcome that the RFCs require.
 *
 * An outcome is one line, such as `text "Hello" | close 1002`: what came, in order, and how the connection ended. `clean`
 * stands for an end by the client's own Close, answered as it should be.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { closePayload, type FrameOptions, frame, opcode } from '../support/raw.ts';

/** The sets of flags that cases run against, one server each. */
export const servers = {
  plain: [],
  small: ['--max-message-size', '1024'],
  compression: ['--compression'],
  'compression 9 bits': ['--compression', '--compression-window-bits', '9'],
  'compression 12 bits': ['--compression', '--compression-window-bits', '12'],
  'compression reset': ['--compression', '--compression-no-context-takeover'],
  'compression small': ['--compression', '--max-message-size', '64KiB'],
} as const satisfies Record<string, readonly string[]>;

export type ServerName = keyof typeof servers;

/** A message that the client compresses as was agreed. */
export interface Compressed {
  readonly compress: string | Uint8Array;
  /** Default: true. */
  readonly text?: boolean;
  /** The most octets of compressed data in one frame. Default: all in one frame. */
  readonly fragment?: number;
  /** Ends the DEFLATE stream with this message (BFINAL, RFC 7692 section 7.2.3.4). Default: false. */
  readonly final?: boolean;
  /** Forgets the earlier messages first, though that was not agreed on; always a client's right. Default: false. */
  readonly reset?: boolean;
  /** zlib's level; 0 stores. Default: 6. */
  readonly level?: number;
  /** Sent before each but the first of its frames. */
  readonly between?: Uint8Array;
}

export type Step =
  /** Octets, in one write. */
  | Uint8Array
  /** The same, made when it is their turn: for what is large. */
  | (() => Uint8Array)
  /** Octets, so many at a time. */
  | { readonly chop: Uint8Array; readonly every: number }
  | Compressed
  /** A PING; `alive` when its PONG came. */
  | 'ping'
  /** Waits until the server has answered another client: `alive` unless the connection was ended by then. */
  | 'beside';

export interface Case {
  readonly title: string;
  /** Default: `plain`. */
  readonly server?: ServerName;
  /** The value of Sec-WebSocket-Extensions; several make several headers. The outcome begins with `no extension` when declined. */
  readonly offer?: string | readonly string[];
  /** Whether the outcome begins with what was agreed. Default: false. */
  readonly negotiation?: true;
  readonly send: readonly Step[];
  /**
   * What ends the connection after that: a Close with 1000, to be answered; the client's answer to a Close of the server's;
   * nothing but the server; FIN; or a reset. Default: `close`.
   */
  readonly last?: 'close' | 'answer' | 'server' | 'fin' | 'reset';
  /** The outcome that is required, and that the portable engine has. */
  readonly expect: string;
  /** Outcomes that the RFCs allow as well. */
  readonly also?: readonly string[];
  /** Outcomes that break no "MUST", but are not what a careful server does. */
  readonly nonStrict?: readonly string[];
}

/** A case in its place. */
export interface PlacedCase extends Case {
  /** Such as `6455-5.2`: the RFC, its section, and a word where that has more than one list of cases. */
  readonly section: string;
  /** Section and number in it, such as `6455-5.2-3`: unique, but shifting when a case is put before it. */
  readonly number: string;
  /** Section and title: unique, and what expected outcomes are kept under. */
  readonly id: string;
}

/** The cases of one section of an RFC, such as `6455-5.2`. */
export function section(name: string, cases: readonly Case[]): PlacedCase[] {
  return cases.map((each, index) => ({
    ...each,
    section: name,
    number: `${name}-${index + 1}`,
    id: `${name} ${each.title}`,
  }));
}

/** All that tells what a case sends, and to whom, from what another does: the same for two is one too many. */
export function fingerprint({ server = 'plain', offer = '', send, last = 'close' }: Case): string {
  const steps = send.map((step) => {
    if (typeof step === 'string') return step;
    if (typeof step === 'function') return digest(step());
    if (step instanceof Uint8Array) return digest(step);
    if ('chop' in step) return step.every < step.chop.length ? [digest(step.chop), step.every] : digest(step.chop);
    const { compress, between = '', ...rest } = step;
    return [digest(compress), digest(between), rest];
  });
  return JSON.stringify([server, offer, steps, last]);
}

const digest = (data: string | Uint8Array): string => createHash('sha1').update(data).digest('hex');

// What a client sends.

type Payload = string | Uint8Array;

export const text = (payload: Payload = '', options?: FrameOptions): Buffer => frame(opcode.text, payload, options);
export const binary = (payload: Payload = '', options?: FrameOptions): Buffer => frame(opcode.binary, payload, options);
export const ping = (payload: Payload = '', options?: FrameOptions): Buffer => frame(opcode.ping, payload, options);
export const pong = (payload: Payload = '', options?: FrameOptions): Buffer => frame(opcode.pong, payload, options);
/** The first frame of a fragmented message. */
export const first = (payload: Payload = '', code: number = opcode.text): Buffer =>
  frame(code, payload, { fin: false });
/** A frame in the middle of a message. */
export const more = (payload: Payload = ''): Buffer => frame(opcode.continuation, payload, { fin: false });
/** The last frame of a fragmented message. */
export const end = (payload: Payload = '', options?: FrameOptions): Buffer =>
  frame(opcode.continuation, payload, options);
export const close = (code?: number, reason: Payload = ''): Buffer =>
  frame(opcode.close, code === undefined ? '' : closePayload(code, reason));

export const bytes = (...values: number[]): Buffer => Buffer.from(values);
export const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
export const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

/** One message in fragments of `size` octets; `between` goes before each but the first. */
export function fragmented(payload: Payload, size: number, code: number = opcode.text, between?: Uint8Array): Buffer {
  const data = Buffer.from(payload);
  const parts: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < data.length; at += size) {
    if (at > 0 && between !== undefined) parts.push(between);
    const part = data.subarray(at, at + size);
    parts.push(frame(at === 0 ? code : opcode.continuation, part, { fin: at + size >= data.length }));
  }
  return Buffer.concat(parts);
}

const ALPHABET = 'The quick brown fox jumps over the lazy dog. 0123456789 ';

/** So many octets of ASCII. */
export function letters(length: number, seed = 0): string {
  const start = seed % ALPHABET.length;
  return (ALPHABET.slice(start) + ALPHABET.repeat(Math.ceil(length / ALPHABET.length))).slice(0, length);
}

/** So many octets that do not compress, and always the same. */
export function noise(length: number, seed = 1): Buffer {
  const data = Buffer.alloc(length);
  let state = seed * 2654435761;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[at] = state >>> 24;
  }
  return data;
}

// What a client gets.

/** The outcome when the client closed and all was well. */
export const CLEAN = 'clean';
/** The connection ends without a Close frame. */
export const NO_CLOSE = 'no close';

const SHORT = 40;

function described(payload: Payload, asText: boolean): string {
  const data = Buffer.from(payload);
  if (data.length > SHORT) return `${data.length} ${createHash('sha1').update(data).digest('hex').slice(0, 8)}`;
  return asText ? JSON.stringify(data.toString()) : data.length === 0 ? '0' : data.toString('hex');
}

/** What is awaited: the items of an outcome. */
export const gets = {
  text: (payload: Payload): string => `text ${described(payload, true)}`,
  binary: (payload: Payload): string => `binary ${described(payload, false)}`,
  pong: (payload: Payload = ''): string => `pong ${described(payload, false)}`,
  /** The reason that comes with the codes of a failure is the server's own, and free. */
  close: (code?: number, reason: Payload = ''): string => {
    if (code === undefined) return 'close';
    const free = code === 1002 || code === 1007 || code === 1009;
    return free || reason.length === 0 ? `close ${code}` : `close ${code} ${described(reason, true)}`;
  },
};

/** From how many items on an outcome is summed up. */
const MANY = 12;

/** Joins the items of an outcome; many messages and PONGs are summed up by their number and a digest. */
export function outcome(...items: readonly string[]): string {
  const counts = items.filter((item) => /^(?:text|binary|pong) /.test(item));
  if (counts.length <= MANY) return items.join(' | ');
  const digest = createHash('sha1').update(counts.join('\n')).digest('hex').slice(0, 8);
  return [
    ...items.filter((item) => item.startsWith('permessage-deflate')),
    `${counts.length} frames ${digest}`,
    ...items.filter((item) => !counts.includes(item) && !item.startsWith('permessage-deflate')),
  ].join(' | ');
}
