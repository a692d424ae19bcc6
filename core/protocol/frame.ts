/**
 * Frame headers (RFC 6455 section 5.2).
 *
 * @module
 */

/** Opcodes, and the bits of a header's first two octets. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;
export const FIN = 0x80;
export const MASK = 0x80;

/** RSV1: on the first frame of a message it says that the message is compressed (RFC 7692 section 6). */
export const COMPRESSED = 0x40;

/** RSV1 to RSV3. */
const RESERVED = 0x70;

/** The longest payload of a control frame (section 5.5). */
export const MAX_CONTROL = 125;

/**
 * Judges the first two octets of a client's frame.
 *
 * @param fragmented - Whether a message has begun and not ended.
 * @param compression - Whether messages may come compressed.
 * @returns What is wrong with them, in words fit for a Close frame with 1002; `''` when nothing is.
 */
export function headerFault(first: number, second: number, fragmented: boolean, compression: boolean): string {
  const opcode = first & 0x0f;
  const allowed = compression && (opcode === TEXT || opcode === BINARY) ? COMPRESSED : 0;
  if ((first & RESERVED & ~allowed) !== 0) return 'reserved bit set';
  if ((second & MASK) === 0) return 'frame not masked';
  if (opcode >= CLOSE) {
    if (opcode > PONG) return 'unknown opcode';
    if ((first & FIN) === 0) return 'fragmented control frame';
    const length = second & 0x7f;
    if (length > MAX_CONTROL) return 'control frame too long';
    return opcode === CLOSE && length === 1 ? 'invalid close frame' : '';
  }
  if (opcode > BINARY) return 'unknown opcode';
  if (opcode === CONTINUATION) return fragmented ? '' : 'unexpected continuation';
  return fragmented ? 'continuation expected' : '';
}

/** The size of a server's header (no mask) before a payload of `length` bytes. */
export function headerSize(length: number): number {
  return length <= 125 ? 2 : length <= 0xffff ? 4 : 10;
}

/**
 * Writes a server's header.
 *
 * @param first - The opcode, with {@link FIN}.
 * @returns Where the payload begins.
 */
export function writeHeader(bytes: Uint8Array, at: number, first: number, length: number): number {
  bytes[at] = first;
  if (length <= 125) {
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length <= 0xffff) {
    bytes[at + 1] = 126;
    bytes[at + 2] = length >>> 8;
    bytes[at + 3] = length;
    return at + 4;
  }
  bytes[at + 1] = 127;
  let rest = length;
  for (let index = at + 9; index > at + 1; index--) {
    bytes[index] = rest;
    rest = Math.floor(rest / 256);
  }
  return at + 10;
}
