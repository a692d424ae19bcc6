/**
 * What `node:http` and `node:http2` leave to their user where a request asks for a WebSocket: the request as a standard
 * one, the proof that it was understood, and an answer that is none.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestHead } from '../../core/engine.ts';
import { acceptInput } from '../../core/handshake.ts';
import { trimBlanks } from '../../core/text.ts';

/** How long what is left of a refused request is read, so that the answer arrives before the connection's end. */
const LINGER = 1_000;

/** Methods that a Request can't have (Fetch standard, section 2.2.1). */
const FORBIDDEN = /^(?:CONNECT|TRACE|TRACK)$/i;

/** The value of `Sec-WebSocket-Accept` for a key. */
export function proofOf(key: string): string {
  return createHash('sha1').update(acceptInput(key)).digest('base64');
}

/** The request as far as a handshake is about it: a standard one costs as much as all the rest of an upgrade. */
export function headOf({ rawHeaders, method = 'GET', url = '/' }: IncomingMessage): RequestHead {
  return { method, url, headers: new RawHeaders(rawHeaders) };
}

/** Header fields as they came: names and values in turn. */
class RawHeaders implements Pick<Headers, 'get'> {
  readonly #fields: readonly string[];

  constructor(fields: readonly string[]) {
    this.#fields = fields;
  }

  get(name: string): string | null {
    const fields = this.#fields;
    let found: string | null = null;
    let several = false;
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const field = fields[at] as string;
      if (field.length !== name.length || field.toLowerCase() !== name) continue;
      const value = trimBlanks(fields[at + 1] as string);
      several = found !== null;
      found = found === null ? value : `${found}, ${value}`;
    }
    return several ? trimBlanks(found as string) : found;
  }
}

/** The request as a standard one, without its body. */
export function toRequest({ rawHeaders, method = 'GET', url = '/' }: IncomingMessage, scheme: string): Request {
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    fields.push([rawHeaders[at] as string, rawHeaders[at + 1] as string]);
  }
  return standardRequest(method, scheme, url, fields);
}

/** @param target - What the request line or `:path` has: a path, a whole URL, or a host and a port. */
export function standardRequest(
  method: string,
  scheme: string,
  target: string,
  fields: readonly (readonly [name: string, value: string])[],
): Request {
  const headers = new Headers();
  for (const [name, value] of fields) {
    const before = headers.get(name);
    // Joined here, because append() keeps no empty value in Deno.
    headers.set(name, before === null ? value : `${before}, ${value}`);
  }
  // None of them is GET, and that is all that matters of them.
  const sayable = FORBIDDEN.test(method) ? 'POST' : method;
  return new Request(urlOf(scheme, target, headers.get('host')).href, { method: sayable, headers });
}

/** The URL that was asked for. Where a malformed Host lets there be none, core answers before it looks at this one. */
function urlOf(scheme: string, target: string, host: string | null): URL {
  // What CONNECT asks for is a host and a port: no path that there is.
  const path = target.startsWith('/') ? target : `/${target}`;
  const text = /^https?:\/\//i.test(target) ? target : `${scheme}://${host ?? 'localhost'}${path}`;
  const url = new URL(URL.canParse(text) ? text : 'http://localhost/');
  // A Request takes none (Fetch standard, section 5.4).
  url.username = '';
  url.password = '';
  return url;
}

/** Writes a response to a socket that `node:http` has let go of, and ends it. */
export async function writeResponse(socket: Duplex, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  // An answer to HEAD says how long its body would be.
  if (!headers.has('content-length')) headers.set('content-length', String(body.length));
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
