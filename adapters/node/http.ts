/**
 * What `node:http` leaves to its user where a request asks for an upgrade: the request as a standard one, and an answer
 * that is none.
 *
 * @module
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long what is left of a refused request is read, so that the answer arrives before the connection's end. */
const LINGER = 1_000;

/** A Host that can stand in a URL as it is (RFC 9110 section 7.2). */
const HOST = /^(?:[\w.~%!$&'()*+,;=-]+|\[[\da-f:.]+\])(?::\d*)?$/i;

/** The request as a standard one, without its body, or `undefined` where it can't be one. */
export function toRequest(incoming: IncomingMessage): Request | undefined {
  const { host = 'localhost' } = incoming.headers;
  if (!HOST.test(host)) return undefined;
  const headers = new Headers();
  const { rawHeaders } = incoming;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  }
  try {
    const target = incoming.url ?? '/';
    const url = target.startsWith('/') ? `http://${host}${target}` : target;
    return new Request(url, { method: incoming.method ?? 'GET', headers });
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
