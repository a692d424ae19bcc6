/**
 * A client for HTTP/2 in cleartext that sends exactly the frames it is told to (RFC 9113 section 4), right or wrong.
 *
 * @module
 */
import { RawSocket } from './raw.ts';

export const type = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export interface H2Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Makes one frame. */
export function h2Frame(kind: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = kind;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** Header fields as literals that are not indexed (RFC 7541 section 6.2.2), none longer than 126 bytes. */
export function h2Headers(fields: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(fields).flatMap((field) =>
    field.flatMap((text, at) => [Buffer.from(at === 0 ? [0, text.length] : [text.length]), Buffer.from(text)]),
  );
  return Buffer.concat(parts);
}

/** The fields of an extended CONNECT. */
export const connectFields = {
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':authority': '127.0.0.1',
  ':path': '/ws',
  'sec-websocket-version': '13',
};

/** A connection, and how much its server takes. */
export class RawH2 {
  readonly socket: RawSocket;
  /** What may still be sent on all streams, and on each. */
  readonly room = new Map([[0, 65_535]]);
  #initialWindow = 65_535;

  private constructor(socket: RawSocket) {
    this.socket = socket;
  }

  /** Connects and takes the server's settings. */
  static async connect(port: number): Promise<RawH2> {
    const raw = new RawH2(await RawSocket.connect(port));
    raw.socket.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    raw.socket.send(h2Frame(type.settings, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])));
    raw.socket.send(h2Frame(type.windowUpdate, 0, 0, Buffer.from([0x7f, 0, 0, 0])));
    await raw.frame((next) => next.type === type.settings && (next.flags & flag.ack) === 0);
    return raw;
  }

  /** Opens a WebSocket. */
  async open(stream: number): Promise<void> {
    this.room.set(stream, this.#initialWindow);
    this.socket.send(h2Frame(type.headers, flag.endHeaders, stream, h2Headers(connectFields)));
    await this.frame((next) => next.type === type.headers && next.stream === stream);
  }

  /** Sends data in one frame, and not before there is room for all of it. */
  async data(stream: number, payload: Uint8Array): Promise<void> {
    const room = (of: number) => this.room.get(of) ?? 0;
    while (Math.min(room(0), room(stream)) < payload.length) await this.frame(() => true);
    for (const each of [0, stream]) this.room.set(each, room(each) - payload.length);
    this.socket.send(h2Frame(type.data, 0, stream, payload));
  }

  /** Takes frames up to the one that is wanted. */
  async frame(wanted: (next: H2Frame) => boolean): Promise<H2Frame> {
    for (;;) {
      const head = await this.socket.bytes(9);
      const payload = Buffer.from(await this.socket.bytes(head.readUIntBE(0, 3)));
      const next = { type: head[3] ?? 0, flags: head[4] ?? 0, stream: head.readUInt32BE(5), payload };
      this.#note(next);
      if (wanted(next)) return next;
    }
  }

  #note({ type: kind, flags, stream, payload }: H2Frame): void {
    if (kind === type.windowUpdate) this.room.set(stream, (this.room.get(stream) ?? 0) + payload.readUInt32BE(0));
    if (kind !== type.settings || (flags & flag.ack) !== 0) return;
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) === 4) this.#initialWindow = payload.readUInt32BE(at + 2);
    }
    this.socket.send(h2Frame(type.settings, flag.ack, 0));
  }
}
