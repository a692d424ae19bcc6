/**
 * Reading a server's frames as fast as can be: headers alone, payloads passed over.
 *
 * @module
 */

/** Counts the messages in a stream of bytes. */
export interface Counter {
  /** Takes bytes, and returns how many messages they completed. */
  count(bytes: Buffer, length: number): number;
}

/** For servers that send each message in one frame: all are of the same length, so that nothing need be parsed. */
export class LengthCounter implements Counter {
  readonly #message: number;
  #over = 0;

  /** @param payload - Length of every message's payload, in bytes. */
  constructor(payload: number) {
    this.#message = payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : 10);
  }

  count(_bytes: Buffer, length: number): number {
    const all = this.#over + length;
    const messages = Math.floor(all / this.#message);
    this.#over = all - messages * this.#message;
    return messages;
  }
}

/** For servers that cut messages into frames wherever they like. */
export class FrameCounter implements Counter {
  /** Bytes of the payload that are to be passed over. */
  #skip = 0;
  /** The header as far as it came. */
  readonly #head = Buffer.alloc(10);
  #have = 0;

  count(bytes: Buffer, length: number): number {
    let messages = 0;
    let at = 0;
    while (at < length) {
      if (this.#skip === 0) {
        this.#head[this.#have++] = bytes[at++] as number;
        const short = this.#head[1] as number;
        if (this.#have < 2 || this.#have < (short < 126 ? 2 : short === 126 ? 4 : 10)) continue;
        this.#have = 0;
        this.#skip = short < 126 ? short : short === 126 ? this.#head.readUInt16BE(2) : this.#head.readUInt32BE(6);
      }
      const step = Math.min(this.#skip, length - at);
      this.#skip -= step;
      at += step;
      const first = this.#head[0] as number;
      // A data frame with FIN ends a message, when all of it is there; control frames are no messages.
      if (this.#skip === 0 && first >= 0x80 && (first & 8) === 0) messages++;
    }
    return messages;
  }
}

/** A message put together from frames. */
export interface Whole {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly frames: number;
}

/**
 * Puts the messages in these bytes together.
 *
 * @returns Undefined when the bytes end within a message, or within a frame.
 */
export function messagesIn(bytes: Buffer): Whole[] | undefined {
  const messages: Whole[] = [];
  let parts: Buffer[] = [];
  let opcode = 0;
  let at = 0;
  while (at < bytes.length) {
    const short = bytes[at + 1] ?? 0;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + head > bytes.length) return undefined;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
    const first = bytes[at] as number;
    const end = at + head + length;
    if (end > bytes.length) return undefined;
    if ((first & 8) === 0) {
      if (parts.length === 0) opcode = first & 0x7f;
      parts.push(bytes.subarray(at + head, end));
      if (first >= 0x80) {
        messages.push({ opcode, payload: Buffer.concat(parts), frames: parts.length });
        parts = [];
      }
    }
    at = end;
  }
  return parts.length === 0 ? messages : undefined;
}
