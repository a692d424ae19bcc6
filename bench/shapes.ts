/**
 * What is done to each peer.
 *
 * @module
 */
import { frame, opcode } from '../test/support/raw.ts';

/** Messages that come back. */
export interface EchoShape {
  readonly kind: 'echo';
  readonly id: string;
  readonly title: string;
  readonly opcode: number;
  readonly payload: Buffer;
  /** So many messages are written at once, and the next ones when all of them are back. */
  readonly inFlight: number;
  readonly connections: number;
  readonly http2: boolean;
}

/** Connections that say next to nothing. */
export interface IdleShape {
  readonly kind: 'idle';
  readonly id: string;
  readonly title: string;
  readonly connections: number;
  /** X: how often each sends a message, in seconds. */
  readonly heartbeat: number;
  /** How long the cost of heartbeats is measured for, in seconds. */
  readonly watch: number;
}

/** Connections that come and go. */
export interface ChurnShape {
  readonly kind: 'churn';
  readonly id: string;
  readonly title: string;
  /** So many at a time. */
  readonly connections: number;
}

export type Shape = EchoShape | IdleShape | ChurnShape;

/** JSON of exactly so many bytes, of letters that take one to four bytes each. */
function json(size: number): Buffer {
  const line = 'Zażółć gęślą jaźń, Größe, ελληνικά, 日本語の文章, 🙂; ';
  const wrap = (text: string) => Buffer.from(JSON.stringify({ id: 4711, user: 'Żaneta', text }));
  let text = '';
  while (wrap(text + line).length <= size) text += line;
  return wrap(text + ' '.repeat(size - wrap(text).length));
}

const bytes = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255));

function echo(id: string, title: string, payload: Buffer, inFlight: number, connections: number): EchoShape {
  return { kind: 'echo', id, title, opcode: opcode.binary, payload, inFlight, connections, http2: false };
}

const small = echo('64x1', '64 B, 1 in flight', bytes(64), 1, 16);
const burst = echo('64x32', '64 B, 32 in flight', bytes(64), 32, 16);

export const shapes: readonly Shape[] = [
  { ...small, id: 'alone', title: '64 B, 1 in flight, alone', connections: 1 },
  small,
  burst,
  { ...echo('text', '1 KiB JSON text, 4 in flight', json(1024), 4, 16), opcode: opcode.text },
  echo('16k', '16 KiB binary, 4 in flight', bytes(16 * 1024), 4, 16),
  echo('1m', '1 MiB binary, 1 in flight', bytes(1024 * 1024), 1, 4),
  { kind: 'churn', id: 'churn', title: 'connections opened and closed', connections: 16 },
  { kind: 'idle', id: 'idle', title: 'idle connections', connections: 15_000, heartbeat: 30, watch: 10 },
  { ...small, id: 'http2-64x1', title: '64 B, 1 in flight, over HTTP/2', http2: true },
  { ...burst, id: 'http2-64x32', title: '64 B, 32 in flight, over HTTP/2', http2: true },
];

/** One message of the shape as a client sends it. */
export const messageOf = (shape: EchoShape): Buffer => frame(shape.opcode, shape.payload);

/** The same with fewer of everything, for a look rather than a result. */
export const quick = (shape: Shape): Shape =>
  shape.kind === 'idle' ? { ...shape, connections: 2000, watch: 4 } : shape;
