/** What the tests of the protocol share: a client's frames, a stream without a network, a log of what was received. */
import { openWebSocket, type WebSocketOptions } from '../../../core/protocol/socket.ts';
import type { ByteReceiver, ByteStream, Receiver, Transport } from '../../../core/transport.ts';

const encoder = new TextEncoder();
const fatal = new TextDecoder('utf-8', { fatal: true });

export const bytes = (text: string): Uint8Array => encoder.encode(text);
export const string = (data: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(data);

export function isUtf8(data: Uint8Array): boolean {
  try {
    fatal.decode(data);
    return true;
  } catch {
    return false;
  }
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whether the octets are the same: for payloads so large that a matcher takes its time. */
export function same(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && other.every((byte, index) => one[index] === byte);
}

/** Numbers in [0, 1) that are the same in every run. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  readonly key?: readonly [number, number, number, number];
  /** Octets of the length field: 0, 2 or 8; the shortest that does by default. */
  readonly wide?: 0 | 2 | 8;
  /** What the header announces, where that is not what follows. */
  readonly announced?: number;
}

/** A frame as a client sends it, or should not send it. */
export function frame(opcode: number, payload: Uint8Array | string = '', options: FrameOptions = {}): Uint8Array {
  const data = typeof payload === 'string' ? bytes(payload) : payload;
  const { fin = true, rsv = 0, masked = true, key = [0x37, 0xfa, 0x21, 0x3d], announced = data.length } = options;
  const wide = options.wide ?? (announced <= 125 ? 0 : announced <= 0xffff ? 2 : 8);
  const header = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  header.push((masked ? 0x80 : 0) | (wide === 0 ? announced : wide === 2 ? 126 : 127));
  for (let index = wide - 1; index >= 0; index--) header.push(Math.floor(announced / 256 ** index) % 256);
  if (masked) header.push(...key);
  const masking = masked ? key : [0, 0, 0, 0];
  return concat(
    new Uint8Array(header),
    data.map((byte, index) => byte ^ (masking[index & 3] as number)),
  );
}

export const close = (code: number, reason: string | Uint8Array = ''): Uint8Array =>
  concat(new Uint8Array([code >>> 8, code & 255]), typeof reason === 'string' ? bytes(reason) : reason);

/** A frame as the server sent it. */
export interface SentFrame {
  readonly fin: boolean;
  /** RSV1. */
  readonly compressed: boolean;
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** Reads frames that a server sent; throws where they are none. */
export function readFrames(data: Uint8Array): SentFrame[] {
  const frames: SentFrame[] = [];
  let at = 0;
  while (at < data.length) {
    const [first, second] = [data[at] as number, data[at + 1] as number];
    if ((second & 0x80) !== 0 || (first & 0x30) !== 0) throw new Error('masked, or a reserved bit set');
    const wide = second === 126 ? 2 : second === 127 ? 8 : 0;
    let length = wide === 0 ? second : 0;
    for (let index = 0; index < wide; index++) length = length * 256 + (data[at + 2 + index] as number);
    if ((wide === 2 && length < 126) || (wide === 8 && length < 65536)) throw new Error('length not minimal');
    at += 2 + wide;
    if (at + length > data.length) throw new Error('cut frame');
    const [fin, compressed] = [(first & 0x80) !== 0, (first & 0x40) !== 0];
    frames.push({ fin, compressed, opcode: first & 15, payload: data.slice(at, at + length) });
    at += length;
  }
  return frames;
}

/** A stream whose other end takes as much as the test lets it. */
export class FakeStream implements ByteStream {
  /** Each write by itself. */
  readonly writes: Uint8Array[] = [];
  /** What else was asked for, in order. */
  readonly calls: string[] = [];
  /** Memory that is of no more use. */
  readonly freed: ArrayBufferLike[] = [];
  /** Whether the other end reads. While it does not, all that is written is queued. */
  reading = true;
  queued = 0;
  corked = 0;
  onWrite = (): void => {};

  /** Whether memory that is of no more use is taken away at once, so that whoever still reads it finds nothing there. */
  frees = false;

  write(data: Uint8Array): void {
    this.writes.push(this.frees ? data.slice() : data);
    if (!this.reading) this.queued += data.length;
    this.onWrite();
  }
  cork(): void {
    this.corked++;
  }
  uncork(): void {
    this.corked--;
  }
  end(): void {
    this.calls.push('end');
  }
  destroy(): void {
    this.calls.push('destroy');
  }
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
  }
  free(memory: ArrayBufferLike): void {
    this.freed.push(memory);
    if (this.frees) structuredClone(memory, { transfer: [memory as ArrayBuffer] });
  }

  get sent(): SentFrame[] {
    return readFrames(concat(...this.writes));
  }
}

/** Writes down what it receives, and does what the test wants at each message. */
export class Recorder implements Receiver {
  readonly messages: [data: string | Uint8Array, text: boolean][] = [];
  readonly closes: unknown[][] = [];
  pings = 0;
  pongs = 0;
  drains = 0;
  onMessage: (data: Uint8Array, text: boolean) => void = () => {};
  onDrain = (): void => {};
  /** Whether the transport may echo by itself, and what it told of that. */
  echoing = false;
  readonly echoes: [messages: number, bytes: number, keepsUp: boolean][] = [];

  echoed(...told: Parameters<Receiver['echoed']>): void {
    this.echoes.push(told);
  }

  take(data: string | Uint8Array, text: boolean): void {
    const raw = data as Uint8Array;
    this.messages.push([text ? string(raw) : raw, text]);
    this.onMessage(raw, text);
  }
  pingCame(): void {
    this.pings++;
  }
  pongCame(): void {
    this.pongs++;
  }
  drained(): void {
    this.drains++;
    this.onDrain();
  }
  over(...report: Parameters<Receiver['over']>): void {
    this.closes.push(report);
  }
}

export interface Harness {
  readonly stream: FakeStream;
  readonly recorder: Recorder;
  readonly transport: Transport;
  readonly feed: ByteReceiver;
}

/** A WebSocket over a {@link FakeStream}. */
export function harness(options: Partial<WebSocketOptions> = {}): Harness {
  const stream = new FakeStream();
  const recorder = new Recorder();
  let transport: Transport | undefined;
  const feed = openWebSocket(stream, { maxMessageSize: 16 * 1024 * 1024, isUtf8, ...options }, (given) => {
    transport = given;
    return recorder;
  });
  return { stream, recorder, transport: transport as unknown as Transport, feed };
}

/** Lets the microtasks run that were asked for so far. */
export const tick = (): Promise<void> => Promise.resolve().then(() => {});
