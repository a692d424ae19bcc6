/**
 * A client that can do everything wrong: exact bytes over TCP, and the answer as it stood on the wire.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { within } from './wait.ts';

/** The key that the tests send, and what it must be answered with (RFC 6455 section 1.3). */
export const key = 'dGhlIHNhbXBsZSBub25jZQ==';
export const acceptFor = (ofKey: string): string =>
  createHash('sha1').update(`${ofKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** An HTTP response as it came. */
export interface HttpResponse {
  readonly statusLine: string;
  readonly status: number;
  /** In order and spelt as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** The value of a header, any case; `undefined` when it is missing, joined by `, ` when there are several. */
  header(name: string): string | undefined;
}

/** A frame as it came. */
export interface Frame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

export interface FrameOptions {
  /** Default: true. */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. Default: 0. */
  readonly rsv?: number;
  /** The masking key; `null` sends the frame unmasked, as no client may. Default: a fixed key. */
  readonly mask?: readonly [number, number, number, number] | null;
  /** The length that the header claims, in place of the payload's own. */
  readonly length?: number | bigint;
  /** How many bytes of length to write (0, 2 or 8), in place of the fewest possible. */
  readonly lengthBytes?: 0 | 2 | 8;
}

/** Makes one frame, right or wrong. */
export function frame(code: number, payload: string | Uint8Array = '', options: FrameOptions = {}): Buffer {
  const data = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const length = BigInt(options.length ?? data.length);
  const lengthBytes = options.lengthBytes ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const mask = options.mask === undefined ? ([0x12, 0xa4, 0x5c, 0xf3] as const) : options.mask;
  const bytes = Buffer.alloc(2 + lengthBytes + (mask === null ? 0 : 4) + data.length);
  bytes[0] = ((options.fin ?? true) ? 0x80 : 0) | ((options.rsv ?? 0) << 4) | code;
  const maskBit = mask === null ? 0 : 0x80;
  if (lengthBytes === 0) bytes[1] = maskBit | Number(length);
  else if (lengthBytes === 2) {
    bytes[1] = maskBit | 126;
    bytes.writeUInt16BE(Number(length), 2);
  } else {
    bytes[1] = maskBit | 127;
    bytes.writeBigUInt64BE(length, 2);
  }
  let at = 2 + lengthBytes;
  if (mask !== null) {
    bytes.set(mask, at);
    at += 4;
  }
  bytes.set(data, at);
  if (mask !== null) for (let i = 0; i < data.length; i++) bytes[at + i] = (data[i] ?? 0) ^ (mask[i & 3] ?? 0);
  return bytes;
}

/** The payload of a Close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const text = typeof reason === 'string' ? Buffer.from(reason) : reason;
  const bytes = Buffer.alloc(2 + text.length);
  bytes.writeUInt16BE(code, 0);
  bytes.set(text, 2);
  return bytes;
}

/** Code and reason of a Close frame; 1005 when it has none. */
export function parseClose(payload: Uint8Array): { code: number; reason: string } {
  if (payload.length === 0) return { code: 1005, reason: '' };
  const bytes = Buffer.from(payload);
  return { code: bytes.readUInt16BE(0), reason: bytes.toString('utf8', 2) };
}

export interface ConnectOptions {
  readonly host?: string;
  /** The local address to connect from. */
  readonly from?: string;
}

const open = new Set<RawSocket>();

/** Drops every raw socket that is still open: for `afterEach`. */
export function dropAll(): void {
  for (const socket of open) socket.destroy();
}

/** A TCP connection, read at one's own pace. */
export class RawSocket {
  readonly socket: Socket;
  /** Our address and port, as the server reports them. */
  readonly address: string;
  /** How the connection ended as seen from here: the server's FIN, or a reset. */
  readonly ended: Promise<'fin' | 'reset'>;
  #chunks: Buffer[] = [];
  #length = 0;
  #over: 'fin' | 'reset' | undefined;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    this.address = `${socket.localAddress}:${socket.localPort}`;
    open.add(this);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      const end = (how: 'fin' | 'reset') => () => {
        this.#over ??= how;
        resolve(this.#over);
        this.#wake();
      };
      socket.on('end', end('fin'));
      socket.on('error', end('reset'));
      socket.on('close', end('reset'));
      socket.on('close', () => open.delete(this));
    });
  }

  static connect(port: number, options: ConnectOptions = {}): Promise<RawSocket> {
    return within(
      5000,
      'a TCP connection',
      new Promise((resolve, reject) => {
        const socket = connectTcp({
          port,
          host: options.host ?? '127.0.0.1',
          allowHalfOpen: true,
          ...(options.from === undefined ? {} : { localAddress: options.from }),
        });
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.off('error', reject);
          resolve(new RawSocket(socket));
        });
      }),
    );
  }

  /** Bytes that came and were not taken yet. */
  get available(): number {
    return this.#length;
  }

  /** Sends bytes; a string as Latin-1, one byte a character. Returns false when they wait for the server to read. */
  send(data: string | Uint8Array): boolean {
    return this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Sends bytes and resolves when the operating system has taken them. */
  flush(data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(data, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  /** Sends FIN: nothing more will be sent from here. */
  end(): void {
    this.socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Closes without a word on the WebSocket. */
  destroy(): void {
    this.socket.destroy();
  }

  async #until(what: string, timeout: number, enough: () => boolean): Promise<void> {
    if (enough()) return;
    await within(
      timeout,
      () => `${what}; ${this.#length} bytes came`,
      new Promise<void>((resolve, reject) => {
        this.#wake = () => {
          if (enough()) resolve();
          else if (this.#over !== undefined) {
            reject(new Error(`the connection ended (${this.#over}) while a test waited for ${what}`));
          }
        };
        this.#wake();
      }),
    );
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #drop(count: number): Buffer {
    const all = this.#joined();
    this.#chunks = [all.subarray(count)];
    this.#length -= count;
    return all.subarray(0, count);
  }

  /** Takes exactly so many bytes. */
  async bytes(count: number, timeout = 5000): Promise<Buffer> {
    await this.#until(`${count} bytes`, timeout, () => this.#length >= count);
    return this.#drop(count);
  }

  /** Takes everything until the server ends the connection. */
  async rest(timeout = 5000): Promise<Buffer> {
    await within(timeout, 'the end of the connection', this.ended);
    return this.#drop(this.#length);
  }

  /** Takes one HTTP response, whose body is as long as its headers say, or until the connection ends. */
  async response(options: { readonly head?: boolean; readonly timeout?: number } = {}): Promise<HttpResponse> {
    const timeout = options.timeout ?? 5000;
    let end = -1;
    await this.#until('a response', timeout, () => {
      end = this.#length === 0 ? -1 : this.#joined().indexOf('\r\n\r\n');
      return end >= 0;
    });
    const [statusLine = '', ...lines] = this.#drop(end + 4)
      .toString('latin1', 0, end)
      .split('\r\n');
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const header = (name: string): string | undefined => {
      const values = headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
      return values.length === 0 ? undefined : values.join(', ');
    };
    const status = Number(statusLine.split(' ')[1]);
    const length = header('content-length');
    let body: Buffer = Buffer.alloc(0);
    if (options.head === true || status === 101 || status === 204 || status === 304) {
      // No body, whatever the headers say (RFC 9110 section 6.4.1).
    } else if (length !== undefined) body = Buffer.from(await this.bytes(Number(length), timeout));
    else if (header('transfer-encoding') === 'chunked') body = await this.#chunkedBody(timeout);
    else body = Buffer.from(await this.rest(timeout));
    return { statusLine, status, headers, body, header };
  }

  async #chunkedBody(timeout: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      let end = -1;
      await this.#until('a chunk', timeout, () => {
        end = this.#length === 0 ? -1 : this.#joined().indexOf('\r\n');
        return end >= 0;
      });
      const size = Number.parseInt(this.#drop(end + 2).toString('latin1'), 16);
      const data = await this.bytes(size + 2, timeout);
      if (size === 0) return Buffer.concat(parts);
      parts.push(Buffer.from(data.subarray(0, size)));
    }
  }

  /** Takes one frame. */
  async frame(timeout = 5000): Promise<Frame> {
    const what = 'a frame';
    await this.#until(what, timeout, () => this.#length >= 2);
    let head = this.#joined();
    const first = head[0] ?? 0;
    const second = head[1] ?? 0;
    const lengthBytes = (second & 127) === 127 ? 8 : (second & 127) === 126 ? 2 : 0;
    const headLength = 2 + lengthBytes + (second & 128 ? 4 : 0);
    await this.#until(what, timeout, () => this.#length >= headLength);
    head = this.#joined();
    const length =
      lengthBytes === 8 ? Number(head.readBigUInt64BE(2)) : lengthBytes === 2 ? head.readUInt16BE(2) : second & 127;
    await this.#until(what, timeout, () => this.#length >= headLength + length);
    const payload = this.#drop(headLength + length).subarray(headLength);
    return { fin: first >= 128, rsv: (first >> 4) & 7, opcode: first & 15, masked: second >= 128, payload };
  }

  /** Takes frames up to the Close frame, and returns its code and reason. */
  async closeFrame(timeout = 5000): Promise<{ code: number; reason: string }> {
    for (;;) {
      const next = await this.frame(timeout);
      if (next.opcode === opcode.close) return parseClose(next.payload);
    }
  }

  /** Takes one whole unfragmented message. */
  async message(timeout = 5000): Promise<{ text: boolean; data: Buffer }> {
    const next = await this.frame(timeout);
    if (!next.fin || next.rsv !== 0 || next.masked || (next.opcode !== opcode.text && next.opcode !== opcode.binary)) {
      const { payload, ...head } = next;
      throw new Error(`expected a message, got ${JSON.stringify(head)} with ${payload.toString('hex', 0, 40)}`);
    }
    return { text: next.opcode === opcode.text, data: next.payload };
  }
}

export interface UpgradeOptions extends ConnectOptions {
  readonly path?: string;
  readonly origin?: string;
  readonly protocol?: string;
  /** Header lines to add, as `Name: value`. */
  readonly headers?: readonly string[];
}

/** The text of a good WebSocket request; any line can be replaced or left out (`undefined`) by its name. */
export function upgradeRequest(
  host: string,
  changes: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  line = 'GET /ws HTTP/1.1',
): string {
  const headers: Record<string, string | readonly string[] | undefined> = {
    Host: host,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    ...changes,
  };
  const lines = [line];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    for (const each of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${each}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Sends the text of a request over a connection of its own and takes the response. */
export async function exchange(
  port: number,
  request: string,
  options: { readonly head?: boolean; readonly timeout?: number } = {},
): Promise<HttpResponse> {
  const socket = await RawSocket.connect(port);
  try {
    socket.send(request);
    return await socket.response(options);
  } finally {
    socket.destroy();
  }
}

/** Opens a WebSocket over raw TCP. Rejects when it is refused. */
export async function openRaw(port: number, options: UpgradeOptions = {}): Promise<RawSocket> {
  const socket = await RawSocket.connect(port, options);
  const changes: Record<string, string> = {};
  if (options.origin !== undefined) changes.Origin = options.origin;
  if (options.protocol !== undefined) changes['Sec-WebSocket-Protocol'] = options.protocol;
  let request = upgradeRequest(
    `${options.host ?? '127.0.0.1'}:${port}`,
    changes,
    `GET ${options.path ?? '/ws'} HTTP/1.1`,
  );
  for (const line of options.headers ?? []) request = request.replace(/\r\n$/, `${line}\r\n\r\n`);
  socket.send(request);
  const response = await socket.response();
  if (response.status !== 101) {
    socket.destroy();
    throw new Error(`refused: ${response.statusLine}: ${response.body}`);
  }
  return socket;
}
