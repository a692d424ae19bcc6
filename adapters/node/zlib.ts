/**
 * `node:zlib` as core's protocol wants it.
 *
 * @module
 */
import { constants, deflateRawSync, type InputType, inflateRawSync, type ZlibOptions } from 'node:zlib';
import type { DeflateSettings, Inflated, Uninflatable, Zlib } from '../../core/protocol/deflate.ts';

const { Z_SYNC_FLUSH } = constants;

/** The most that is given out in one piece. */
const PIECE = 64 * 1024;
/** What the octets of a flush and of a block's header may add to data that can't be compressed. */
const OVERHEAD = 64;
/** How much smaller than what is in them messages mostly are. */
const RATIO = 8;
/** The octets before a block that is not compressed: its kind, its length, and the length's complement (RFC 1951). */
const STORED = 5;

const NOTHING = new Uint8Array(0);

/** Whether raw deflate and inflate heed `dictionary`. Deno's (2.9) don't. */
const heedsDictionary = ((): boolean => {
  const data = new TextEncoder().encode('Whether this is said for the first time.');
  const settings = { windowBits: 9, memLevel: 1, level: 6 };
  return deflate(data, data, settings).length < deflate(data, NOTHING, settings).length;
})();

export const zlib: Zlib = { refersBack: heedsDictionary, deflate, inflate };

function deflate(data: Uint8Array, before: Uint8Array, settings: DeflateSettings): Uint8Array {
  return deflateRawSync(data, {
    ...settings,
    finishFlush: Z_SYNC_FLUSH,
    chunkSize: Math.min(PIECE, data.length + OVERHEAD),
    ...(before.length === 0 ? {} : { dictionary: before }),
  });
}

function inflate(data: Uint8Array, before: Uint8Array, limit: number): Inflated | Uninflatable {
  if (heedsDictionary || before.length === 0)
    return run(data, limit, before.length === 0 ? {} : { dictionary: before });
  // What went before comes first once more, as a block that is not compressed.
  const { length } = before;
  const input = new Uint8Array(STORED + length + data.length);
  // 32 KiB at most, so that its length fits the two octets.
  input.set([0, length, length >>> 8, ~length, ~length >>> 8]);
  input.set(before, STORED);
  input.set(data, STORED + length);
  const inflated = run(input, length + limit, {});
  if (typeof inflated === 'string') return inflated;
  return { data: inflated.data.subarray(length), read: inflated.read - STORED - length };
}

function run(data: Uint8Array, limit: number, options: ZlibOptions): Inflated | Uninflatable {
  try {
    const { buffer, engine } = inflateRawSync(data, {
      ...options,
      chunkSize: Math.min(PIECE, RATIO * data.length + OVERHEAD),
      maxOutputLength: limit,
      // For what was read; not in every version's types.
      info: true,
    } as ZlibOptions & InputType) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    // No Buffer: its slice() does not copy, and what core gives out is what the web knows.
    return { data: new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length), read: engine.bytesWritten };
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-big' : 'invalid';
  }
}
