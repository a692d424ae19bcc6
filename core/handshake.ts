/**
 * The server's side of the opening handshake (RFC 6455 section 4.2) as values: a request is accepted or refused.
 *
 * @module
 */
import { type Compression, type CompressionPolicy, negotiateCompression } from './compression.ts';
import type { OriginPolicy } from './origin.ts';
import { elements, isToken } from './text.ts';

/** What is judged of a request. */
export interface HandshakeRequest {
  readonly method: string;
  /** Several headers of one name come joined by `, `. */
  readonly headers: Pick<Headers, 'get'>;
  /** Whether it is an extended CONNECT for the protocol `websocket` (RFC 8441). {@link method} says nothing then. Default: no. */
  readonly extendedConnect?: boolean;
}

/** What a request is judged by. */
export interface HandshakePolicy {
  readonly origins: OriginPolicy;
  /** The subprotocols that the server speaks, the preferred one first. */
  readonly subprotocols: readonly string[];
  /** What may be agreed about permessage-deflate (RFC 7692). Default: nothing. */
  readonly compression?: CompressionPolicy | undefined;
}

/** The request may be upgraded. */
export interface Accept {
  readonly accepted: true;
  /** The subprotocol that was agreed, or `''`. */
  readonly protocol: string;
  /** What was agreed about compression, if anything. */
  readonly compression?: Compression | undefined;
  /** The headers to answer with, besides those that the upgrade itself consists of; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer instead of an upgrade. */
export interface Refusal {
  readonly accepted: false;
  readonly status: number;
  /** Names in lower case. Without `content-length`, which the adapter adds. */
  readonly headers: Readonly<Record<string, string>>;
  /** {@link reason}, ended by a newline. */
  readonly body: string;
  /** One line that a person can act on. It repeats nothing of what the client sent. */
  readonly reason: string;
}

/** The version that is spoken, RFC 6455's. */
const VERSION = '13';
const NOTHING: readonly string[] = [];
/** Seconds after which a client that got a 503 may try again. */
const RETRY_AFTER = '10';
/** Base64 (RFC 4648 section 4) of 16 bytes. Bits left over in the last digit are not looked at, nor used by anyone. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
/** A Host (RFC 9110 section 7.2): a name or address and perhaps a port, without user info, and not a list. */
const HOST = /^(?:[\w.~%!$&'()*+;=-]+|\[[\da-f:.]+\])(?::(\d{0,5}))?$/i;
/** A number as it would be written, of any size. */
const NUMBER = /^(?:0|[1-9][0-9]*)$/;

const NO_UPGRADE = refusal(
  400,
  'This path speaks WebSocket only: connect with a WebSocket client (Upgrade: websocket).',
);
const NO_CONNECTION = refusal(
  400,
  'The Connection header lacks the token Upgrade; a proxy in between may have removed it.',
);
const MALFORMED_HOST = refusal(400, 'The Host header is missing or is not one host, with a port or without.');
const BODY = refusal(400, 'A WebSocket handshake has no body.');
const WRONG_METHOD = refusal(405, 'A WebSocket handshake is a GET request.', { allow: 'GET' });
const MALFORMED_VERSION = refusal(400, 'The Sec-WebSocket-Version header is not one number.');
const WRONG_VERSION = refusal(426, 'This server speaks version 13 of the WebSocket protocol (RFC 6455).', {
  'sec-websocket-version': VERSION,
  upgrade: 'websocket',
  // Upgrade is meant for the next hop alone, and must be named as such (RFC 9110 section 7.8).
  connection: 'Upgrade',
});
const MISSING_KEY = refusal(400, 'The Sec-WebSocket-Key header is missing.');
const MALFORMED_KEY = refusal(400, 'The Sec-WebSocket-Key header is not 16 bytes in base64.');
const MALFORMED_PROTOCOL = refusal(400, 'The Sec-WebSocket-Protocol header is not a list of distinct tokens.');
const FULL = refusal(503, 'The server has as many connections as it allows; try again later.', {
  'retry-after': RETRY_AFTER,
});
const SHUTDOWN = refusal(503, 'The server is shutting down; try again later.', { 'retry-after': RETRY_AFTER });
const READ_ONLY = refusal(405, 'This path can only be read, with GET or HEAD.', { allow: 'GET, HEAD' });
const UNKNOWN_PATH = refusal(404, 'There is nothing at this path.');
const NO_SOCKET_PATH = refusal(404, 'There are no WebSockets at this path.');
const UNKNOWN_PROTOCOL = refusal(501, 'CONNECT is for WebSockets only here (:protocol = websocket, RFC 8441).');

/**
 * Judges the request for a WebSocket at a path that serves them (RFC 6455 sections 4.2.1 and 4.2.2).
 *
 * The first of these that is not right decides, each depending on those before it:
 * 1. It asks for an upgrade to `websocket`, else 400: it is another kind of request.
 * 2. Method GET, else 405.
 * 3. One Host and no body, else 400.
 * 4. Version 13, else 426; 400 for what is no version. Before the key, which other versions don't have.
 * 5. A key of 16 bytes, else 400.
 * 6. Well-formed subprotocols, else 400.
 * 7. An allowed Origin, else 403. After what a client's author must mend comes what the server's operator decides.
 *
 * Limits come last, and are the server's to check ({@link refuseFull}).
 *
 * Over HTTP/2 an extended CONNECT stands for the upgrade, the method and the key (RFC 8441 section 5); the rest is the same.
 *
 * Of the subprotocols the one is agreed that the server likes most; none is no reason to refuse. Nor is anything in the
 * offers of extensions.
 */
export function judgeHandshake(request: HandshakeRequest, policy: HandshakePolicy): Accept | Refusal {
  const { method, headers, extendedConnect = false } = request;
  if (!extendedConnect) {
    if (!lists(headers.get('upgrade'), 'websocket')) return NO_UPGRADE;
    if (!lists(headers.get('connection'), 'upgrade')) return NO_CONNECTION;
    if (method !== 'GET') return WRONG_METHOD;
  }
  const host = headers.get('host');
  if (!isHost(host)) return MALFORMED_HOST;
  // What follows the request is taken for frames, so that it can't be a body too. Not by has(): for that, Deno makes a list of
  // all headers, which lives as long as the connection.
  if (headers.get('transfer-encoding') !== null || Number(headers.get('content-length') ?? 0) !== 0) return BODY;

  const version = headers.get('sec-websocket-version');
  if (version !== VERSION) return version === null || NUMBER.test(version) ? WRONG_VERSION : MALFORMED_VERSION;

  if (!extendedConnect) {
    const key = headers.get('sec-websocket-key');
    if (key === null) return MISSING_KEY;
    if (!KEY.test(key)) return MALFORMED_KEY;
  }

  const offer = headers.get('sec-websocket-protocol');
  const offered = offer === null ? NOTHING : elements(offer);
  // That each is named once is the client's duty (RFC 6455 section 4.1). Case counts.
  if (!offered.every(isToken) || (offer !== null && new Set(offered).size < offered.length)) return MALFORMED_PROTOCOL;

  const fault = policy.origins.judge(headers.get('origin'), host);
  if (fault !== undefined) return refuseOrigin(fault);

  const protocol = policy.subprotocols.find((name) => offered.includes(name)) ?? '';
  const answers: Record<string, string> = protocol === '' ? {} : { 'sec-websocket-protocol': protocol };
  const agreed =
    policy.compression === undefined
      ? undefined
      : negotiateCompression(headers.get('sec-websocket-extensions'), policy.compression);
  if (agreed !== undefined) answers['sec-websocket-extensions'] = agreed.header;
  return { accepted: true, protocol, compression: agreed?.compression, headers: answers };
}

/** Whether a Host header can be what it says, as every URL that is made of it relies on. */
export function isHost(host: string | null): boolean {
  const match = host === null ? null : HOST.exec(host);
  return match !== null && Number(match[1] ?? 0) <= 65535;
}

/** Whether a comma-separated list has an element, in any case. */
function lists(value: string | null, element: string): boolean {
  if (value === null) return false;
  return value.toLowerCase() === element || elements(value.toLowerCase()).includes(element);
}

function refusal(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  return {
    accepted: false,
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers },
    body: `${reason}\n`,
    reason,
  };
}

/** 403: the Origin is not allowed. @param reason - What {@link OriginPolicy.judge} answered. */
function refuseOrigin(reason: string): Refusal {
  return refusal(403, reason);
}

/** 503 with `Retry-After`: the limit of connections is reached. */
export function refuseFull(): Refusal {
  return FULL;
}

/** 503 with `Retry-After`: the server is shutting down. */
export function refuseShutdown(): Refusal {
  return SHUTDOWN;
}

/** 405: a page or a report was asked for with a method that does more than read. */
export function refuseMethod(): Refusal {
  return READ_ONLY;
}

/** 400: the Host header is malformed. */
export function refuseHost(): Refusal {
  return MALFORMED_HOST;
}

/** 404: no such path. */
export function refuseUnknownPath(): Refusal {
  return UNKNOWN_PATH;
}

/** 404: a WebSocket was asked for with CONNECT where something else is served, or nothing. */
export function refuseNoSocketPath(): Refusal {
  return NO_SOCKET_PATH;
}

/** 501: a CONNECT request that is not for a WebSocket (RFC 9110 section 9.3.6, RFC 8441 section 4). */
export function refuseProtocol(): Refusal {
  return UNKNOWN_PROTOCOL;
}

/**
 * What the `Sec-WebSocket-Accept` header is made of (RFC 6455 section 4.2.2): the header is the base64 of the SHA-1
 * of this string, which only an adapter can compute.
 *
 * @param key - The request's `Sec-WebSocket-Key`, as it was sent.
 */
export function acceptInput(key: string): string {
  return `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
}
