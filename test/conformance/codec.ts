/**
 * The client's half of permessage-deflate (RFC 7692 section 7.2), by the rules that were agreed on and no laxer.
 *
 * @module
 */
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  deflateRawSync,
  type InflateRaw,
} from 'node:zlib';

/** What ends every message and is not sent (section 7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** What a server answered, read. */
export interface Agreement {
  readonly serverBits: number;
  readonly clientBits: number;
  readonly serverResets: boolean;
  readonly clientResets: boolean;
}

/** Reads Sec-WebSocket-Extensions of an answer; `undefined` when it is not one permessage-deflate. */
export function readAgreement(header: string): Agreement | undefined {
  const [name, ...parameters] = header.split(';').map((part) => part.trim());
  if (name !== 'permessage-deflate' || header.includes(',')) return undefined;
  const values = new Map(parameters.map((each) => each.split('=') as [string, string | undefined]));
  return {
    serverBits: Number(values.get('server_max_window_bits') ?? 15),
    clientBits: Number(values.get('client_max_window_bits') ?? 15),
    serverResets: values.has('server_no_context_takeover'),
    clientResets: values.has('client_no_context_takeover'),
  };
}

/** Compresses and inflates the messages of one connection. */
export class Codec {
  readonly #agreed: Agreement;
  #deflate: DeflateRaw | undefined;
  #inflate: InflateRaw | undefined;

  constructor(agreed: Agreement) {
    this.#agreed = agreed;
  }

  async compress(data: Uint8Array, options: { final: boolean; reset: boolean; level: number }): Promise<Buffer> {
    const windowBits = this.#agreed.clientBits;
    if (options.final) {
      this.#drop('deflate');
      // One octet 00 follows the end of the stream, so that the empty block that a receiver adds is a block.
      return Buffer.concat([deflateRawSync(data, { windowBits, level: options.level }), Buffer.from([0])]);
    }
    if (options.reset || this.#agreed.clientResets) this.#drop('deflate');
    this.#deflate ??= createDeflateRaw({ windowBits, level: options.level });
    const out = await through(this.#deflate, data);
    if (!out.subarray(-4).equals(TAIL)) throw new Error('zlib did not end at a block');
    return out.subarray(0, -4);
  }

  /** Rejects when the data is not what was agreed on: such as when it reaches behind the server's window. */
  async inflate(data: Uint8Array): Promise<Buffer> {
    if (this.#agreed.serverResets) this.#drop('inflate');
    // A window of no more than was agreed: zlib refuses what reaches further back.
    this.#inflate ??= createInflateRaw({ windowBits: this.#agreed.serverBits });
    return await through(this.#inflate, Buffer.concat([data, TAIL]));
  }

  /** Lets go of zlib's memory. */
  end(): void {
    this.#drop('deflate');
    this.#drop('inflate');
  }

  #drop(which: 'deflate' | 'inflate'): void {
    if (which === 'deflate') {
      this.#deflate?.close();
      this.#deflate = undefined;
    } else {
      this.#inflate?.close();
      this.#inflate = undefined;
    }
  }
}

function through(stream: DeflateRaw | InflateRaw, data: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const take = (part: Buffer) => parts.push(part);
    stream.on('data', take);
    stream.once('error', reject);
    stream.write(data);
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      stream.off('data', take);
      stream.off('error', reject);
      resolve(Buffer.concat(parts));
    });
  });
}
