/**
 * What is agreed about permessage-deflate (RFC 7692): offers in, the chosen answer out.
 *
 * @module
 */
import { isToken } from './text.ts';

/** What was agreed, seen from the server. */
export interface Compression {
  /** The server's window: it refers back at most 2^bits octets, 9 to 15 (RFC 7692 section 7.1.2.1). */
  readonly serverMaxWindowBits: number;
  /** The client's window, 9 to 15 (section 7.1.2.2). */
  readonly clientMaxWindowBits: number;
  /** Whether the server compresses each message by itself (section 7.1.1.1). */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client does (section 7.1.1.2). */
  readonly clientNoContextTakeover: boolean;
}

/** What the server would agree to. */
export interface CompressionPolicy {
  /** The largest window of the server's, 9 to 15. */
  readonly windowBits: number;
  /** Whether both sides are to compress each message by itself: costs bytes on the wire, and saves memory. */
  readonly noContextTakeover: boolean;
  /** Whether the engine can't bound its window where it compresses each message by itself; see `Capabilities`. */
  readonly wide: boolean;
}

/** An answer to the offers. */
export interface CompressionAnswer {
  readonly compression: Compression;
  /** The value of `Sec-WebSocket-Extensions` to answer with. */
  readonly header: string;
}

/** What the start-up line says where TLS carries compressed messages, as far as the server or a proxy before it. */
export const COMPRESSION_WARNING =
  "compression under TLS, a proxy's too, lets those who watch message sizes guess secrets that are compressed together " +
  'with text of their choosing (CRIME, BREACH); send secrets uncompressed';

const NAME = 'permessage-deflate';
const SERVER_LONE = 'server_no_context_takeover';
const CLIENT_LONE = 'client_no_context_takeover';
const SERVER_BITS = 'server_max_window_bits';
const CLIENT_BITS = 'client_max_window_bits';

/** The largest window: deflate's own limit of 32 KiB. */
const MAX_BITS = 15;
/** 8 is right by RFC 7692, but zlib can't deflate with it; no leading zero. */
const BITS = /^(?:9|1[0-5])$/;

/**
 * Chooses from what a client offers: the first offer that is acceptable. An offer is declined, and the next one looked
 * at, for anything in it that is malformed, unknown, repeated or out of range: nothing that a client offers is an
 * error, and without an acceptable offer the connection opens uncompressed (RFC 7692 section 5).
 *
 * @param header - The request's `Sec-WebSocket-Extensions`, several of them joined by commas; `null` where there is none.
 */
export function negotiateCompression(header: string | null, policy: CompressionPolicy): CompressionAnswer | undefined {
  if (header === null) return undefined;
  for (const offer of split(header, ',')) {
    const parameters = readOffer(offer);
    const compression = parameters === undefined ? undefined : judgeOffer(parameters, policy);
    if (parameters !== undefined && compression !== undefined) {
      return { compression, header: writeAnswer(compression, parameters) };
    }
  }
  return undefined;
}

/** The parameters of an offer, each with its value; `undefined` for another extension and for what can't be read. */
function readOffer(offer: string): ReadonlyMap<string, string | undefined> | undefined {
  const [name, ...rest] = split(offer, ';');
  if (name !== NAME) return undefined;
  const parameters = new Map<string, string | undefined>();
  for (const text of rest) {
    const equals = text.indexOf('=');
    const parameter = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? undefined : unquote(text.slice(equals + 1));
    if (!isToken(parameter) || parameters.has(parameter)) return undefined;
    if (value !== undefined && !isToken(value)) return undefined;
    parameters.set(parameter, value);
  }
  return parameters;
}

function judgeOffer(
  parameters: ReadonlyMap<string, string | undefined>,
  policy: CompressionPolicy,
): Compression | undefined {
  let serverMaxWindowBits = policy.windowBits;
  let clientMaxWindowBits = MAX_BITS;
  let serverNoContextTakeover = policy.noContextTakeover;
  let clientNoContextTakeover = policy.noContextTakeover;
  for (const [name, value] of parameters) {
    if (name === SERVER_LONE && value === undefined) serverNoContextTakeover = true;
    else if (name === CLIENT_LONE && value === undefined) clientNoContextTakeover = true;
    else if (name === CLIENT_BITS && value === undefined) clientMaxWindowBits = MAX_BITS;
    else if (name === CLIENT_BITS && BITS.test(value as string)) clientMaxWindowBits = Number(value);
    else if (name === SERVER_BITS && value !== undefined && BITS.test(value))
      serverMaxWindowBits = Math.min(policy.windowBits, Number(value));
    else return undefined;
  }
  if (policy.wide && serverNoContextTakeover && serverMaxWindowBits < MAX_BITS) return undefined;
  return { serverMaxWindowBits, clientMaxWindowBits, serverNoContextTakeover, clientNoContextTakeover };
}

/**
 * The server may name what nobody asked for, but for the client's window: that is answered only to a client that
 * offered to bound it (RFC 7692 section 7.1.2.2).
 */
function writeAnswer(compression: Compression, offered: ReadonlyMap<string, unknown>): string {
  const { serverMaxWindowBits, clientMaxWindowBits } = compression;
  const parts = [NAME];
  if (compression.serverNoContextTakeover) parts.push(SERVER_LONE);
  if (compression.clientNoContextTakeover) parts.push(CLIENT_LONE);
  if (serverMaxWindowBits < MAX_BITS || offered.has(SERVER_BITS)) parts.push(`${SERVER_BITS}=${serverMaxWindowBits}`);
  if (offered.has(CLIENT_BITS)) parts.push(`${CLIENT_BITS}=${clientMaxWindowBits}`);
  return parts.join('; ');
}

/** The parts between separators that stand outside of quotation marks, without the spaces and tabs around them. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(trim(text, start, at));
      start = at + 1;
    }
  }
  parts.push(trim(text, start, text.length));
  return parts;
}

function trim(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** What a `quoted-string` (RFC 9110 section 5.6.4) stands for; anything else, one without its end too, as it is. */
function unquote(text: string): string {
  return /^"(?:[^"\\]|\\.)*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}
