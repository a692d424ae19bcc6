/**
 * What `node:http` and `node:http2` leave to their user where a request asks for a WebSocket: the request as a standard
 * one, the proof that it was understood, and an answer that is none.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { acceptInput } from '../../core/handshake.ts';

/** How long what is left of a refused request is read, so that the answer arrives before the connection's end. */
const LINGER = 1_000;

/** A Host that can stand in a URL as it is (RFC 9110 section 7.2). */
const HOST = /^(?:[\w.~%!$&'()*+,;=-]+|\[[\da-f:.]+\])(?::\d*)?$/i;

/** The value of `Sec-WebSocket-Accept` for a key. */
export function proofOf(key: string): string {
  return createHash('sha1').update(acceptInput(key)).digest('base64');
}

/** The request as a standard one, without its body, or `undefined` where it can't be one. */
export function toRequest(incoming: IncomingMessage, scheme: string): Request | undefined {
  const { rawHeaders, url = '/', method = 'GET', headers } = incoming;
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    fields.push([rawHeaders[at] as string, rawHeaders[at + 1] as string]);
  }
  return standardRequest(method, scheme, headers.host ?? 'localhost', url, fields);
}

/** @param target - What the request line or `:path` has: a path, or a whole URL. */
export function standardRequest(
  method: string,
  scheme: string,
  host: string,
  target: string,
  fields: readonly (readonly [name: string, value: string])[],
): Request | undefined {
  if (!HOST.test(host)) return undefined;
  try {
    const headers = new Headers();
    for (const [name, value] of fields) headers.append(name, value);
    const url = target.startsWith('/') ? `${scheme}://${host}${target}` : target;
    return new Request(url, { method, headers });
  } catch {
    return undefined;
  }
}

/** Writes a response to a socket that `node:http` has let go of, and ends it. */
export async function writeResponse(socket: Duplex, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set('content-length', String(body.length));
  headers.set('connection', headers.has('upgrade') ? 'Upgrade, close' : 'close');
  let head = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  socket.write(`${head}\r\n`, 'latin1');
  socket.end(body);
  // Bytes that nobody read would turn our end into a reset, which can overtake the answer.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}
