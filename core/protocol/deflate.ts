/**
 * Compressed messages (RFC 7692 section 7.2), one at a time.
 *
 * Between messages nothing is kept of zlib's state, which is 300 KiB a connection: what a message may refer back to is
 * the end of the messages before it, and that is kept as it is.
 *
 * @module
 */
import type { Compression } from '../compression.ts';

/** The runtime's zlib, as two functions that are done when they return. */
export interface Zlib {
  /** Whether {@link deflate} can refer back to what went before; where it can't, that is not kept for it. */
  readonly refersBack: boolean;
  /**
   * Deflates without a header (RFC 1951), up to a sync flush: the last octets are 00 00 FF FF.
   *
   * @param before - What may be referred to.
   */
  deflate(data: Uint8Array, before: Uint8Array, settings: DeflateSettings): Uint8Array;
  /**
   * Inflates what has no header, up to the end of a block with BFINAL.
   *
   * @param before - What may be referred to.
   * @param limit - The most to give out, at least 1. No more memory than that is taken, whatever the data asks for.
   * @returns `'invalid'` for what deflate did not make or what has no such end, `'too-big'` for what is more than the
   *   limit.
   */
  inflate(data: Uint8Array, before: Uint8Array, limit: number): Inflated | Uninflatable;
}

/** zlib's parameters of the same names; `windowBits` 9 to 15. */
export interface DeflateSettings {
  readonly windowBits: number;
  readonly memLevel: number;
  readonly level: number;
}

export interface Inflated {
  readonly data: Uint8Array;
  /** How much of the input that took: not all of it where a block with BFINAL was not the last. */
  readonly read: number;
}

export type Uninflatable = 'invalid' | 'too-big';

/** What both sides of a connection compress with. */
export interface CompressionOptions {
  readonly agreed: Compression;
  readonly zlib: Zlib;
}

/** Below this many bytes a message is sent as it is: it fits its packet either way. */
const WORTH = 64;
/**
 * How much of what was sent is kept to refer back to, whatever the window: what a message has in common with those
 * before it mostly stands in the last few, and zlib is slower the more there is (five times with 32 KiB).
 */
const KEPT = 4096;
/** From this many bytes on speed counts for more than the last few per cent: nobody else is served meanwhile. */
const LARGE = 256 * 1024;
/** How much of a large message is tried first: one that can't be compressed takes zlib the longest. */
const SAMPLE = 16 * 1024;
/** zlib refers back this much less than its window (its MIN_LOOKAHEAD). */
const LOOKAHEAD = 262;
/** A flush's last octets, which are not sent (section 7.2.1). */
const TAIL = 4;
/** How many blocks with BFINAL a message may have: each costs as much as a message. */
const MAX_FINAL = 16;
/** The largest window, for what a message refers to in itself. */
const WHOLE_WINDOW = 32 * 1024;

/**
 * What follows a message for zlib: the octets that its sender left out (section 7.2.2), and an empty block with BFINAL,
 * which tells a message that is whole from one that is cut off.
 */
const ENDING = new Uint8Array([0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]);

const NOTHING = new Uint8Array(0);

/** Compresses what is sent. */
export class Deflater {
  private readonly zlib: Zlib;
  private readonly windowBits: number;
  private readonly history: History;

  constructor({ agreed, zlib }: CompressionOptions) {
    this.zlib = zlib;
    this.windowBits = agreed.serverMaxWindowBits;
    const keeps = zlib.refersBack && !agreed.serverNoContextTakeover;
    this.history = new History(keeps ? Math.min(KEPT, 2 ** this.windowBits) : 0);
  }

  /**
   * Compresses one message.
   *
   * @returns `undefined` where it had better be sent as it is. Such a message is not referred to later: only what was
   *   compressed is in the receiver's window (section 7.2.2).
   */
  deflate(data: Uint8Array): Uint8Array | undefined {
    if (data.length < WORTH) return undefined;
    if (data.length >= LARGE && !this.shrinks(data.subarray(0, SAMPLE))) return undefined;
    const before = this.history.content;
    // A small window costs less to set up, and does as long as it holds all there is.
    const bits = Math.ceil(Math.log2(before.length + data.length + LOOKAHEAD));
    const deflated = this.zlib.deflate(data, before, {
      windowBits: Math.max(9, Math.min(bits, this.windowBits)),
      memLevel: Math.max(1, Math.min(bits - 7, 8)),
      level: data.length < LARGE ? 6 : 1,
    });
    const size = deflated.length - TAIL;
    if (size >= data.length) return undefined;
    this.history.add(data);
    return deflated.subarray(0, size);
  }

  private shrinks(sample: Uint8Array): boolean {
    return this.zlib.deflate(sample, NOTHING, { windowBits: 9, memLevel: 8, level: 1 }).length < sample.length;
  }
}

/** Inflates what came. */
export class Inflater {
  private readonly zlib: Zlib;
  private readonly history: History;

  constructor({ agreed, zlib }: CompressionOptions) {
    this.zlib = zlib;
    this.history = new History(agreed.clientNoContextTakeover ? 0 : 2 ** agreed.clientMaxWindowBits);
  }

  /**
   * Inflates one message, without the tail that section 7.2.2 has a receiver append.
   *
   * @param limit - The largest message in bytes.
   */
  inflate(data: Uint8Array, limit: number): Uint8Array | Uninflatable {
    if (data.length === 0) return NOTHING;
    const input = new Uint8Array(data.length + ENDING.length);
    input.set(data);
    input.set(ENDING, data.length);
    const first = this.zlib.inflate(input, this.history.content, limit);
    if (typeof first === 'string') return first;
    const whole = this.ends(input, first.read) ? first.data : this.goOn(input, first, limit);
    if (typeof whole !== 'string') this.history.add(whole);
    return whole;
  }

  /** Whether a block with BFINAL was the last: ours, or a message's own with nothing behind it (section 7.2.3.4). */
  private ends(input: Uint8Array, read: number): boolean {
    return read === input.length || read === input.length - ENDING.length;
  }

  /** Goes on behind a block with BFINAL (sections 7.2.3.4 and 7.2.3.5). */
  private goOn(input: Uint8Array, { data: start, read }: Inflated, limit: number): Uint8Array | Uninflatable {
    const before = new History(WHOLE_WINDOW);
    before.add(this.history.content);
    const parts = [start];
    let size = start.length;
    for (let at = read; !this.ends(input, at); ) {
      if (parts.length > MAX_FINAL) return 'invalid';
      before.add(parts[parts.length - 1] as Uint8Array);
      const part = this.zlib.inflate(input.subarray(at), before.content, Math.max(1, limit - size));
      if (typeof part === 'string') return part;
      parts.push(part.data);
      size += part.data.length;
      if (size > limit) return 'too-big';
      at += part.read;
    }
    if (size === start.length) return start;
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** The end of what went one way. */
class History {
  private readonly most: number;
  private bytes: Uint8Array = NOTHING;
  private size = 0;

  constructor(most: number) {
    this.most = most;
  }

  /** Good until something is added. */
  get content(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  add(data: Uint8Array): void {
    const { most } = this;
    const news = data.length > most ? data.subarray(data.length - most) : data;
    const over = this.size + news.length - most;
    if (over > 0) {
      this.bytes.copyWithin(0, over, this.size);
      this.size -= over;
    }
    const size = this.size + news.length;
    if (size > this.bytes.length) {
      const grown = new Uint8Array(Math.min(most, Math.max(size, 2 * this.bytes.length)));
      grown.set(this.content);
      this.bytes = grown;
    }
    this.bytes.set(news, this.size);
    this.size = size;
  }
}
