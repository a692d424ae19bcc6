/**
 * Messages between the form, the socket and the log: what to send, and how to show what came.
 *
 * @module
 */

/** How much of a text message the log shows, in UTF-16 code units. */
export const textShown = 10_000;
/** How much of a binary message the log shows, in bytes. */
export const bytesShown = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * What a form field asks to be sent.
 *
 * @param {string} field - The text of the field.
 * @param {string} mode - `text`; `binary`, the text's UTF-8; or `hex`, bytes written as hexadecimal digits.
 * @returns {{ data: string | Uint8Array<ArrayBuffer>, size: number } | { problem: string }} The size is in bytes on
 *   the wire.
 */
export function compose(field, mode) {
  if (mode === 'text') return { data: field, size: encoder.encode(field).length };
  const data = mode === 'hex' ? parseHex(field) : encoder.encode(field);
  if (data === undefined) return { problem: 'Hex is pairs of the digits 0-9 and a-f, such as 48 69 or 00ff7f.' };
  return { data, size: data.length };
}

/**
 * Reads bytes written as pairs of hexadecimal digits, spaces allowed between the pairs.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer> | undefined} `undefined` when it is something else.
 */
export function parseHex(text) {
  if (!/^\s*(?:[0-9a-f]{2}\s*)*$/i.test(text)) return undefined;
  const digits = text.replace(/\s+/g, '');
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} Such as `48 69`.
 */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/**
 * Bytes as text for the eye: UTF-8, `�` for what is none, `·` for control characters.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toText(bytes) {
  return decoder.decode(bytes).replace(/\p{Cc}/gu, '·');
}

/**
 * @typedef {object} Shown
 * @property {string} text - The message as text.
 * @property {string} hex - The bytes in hexadecimal; empty for a text message.
 * @property {string} note - What else is to be said of it: its kind and size, what was left out. May be empty.
 */

/**
 * How the log shows a message.
 *
 * @param {string | Uint8Array} data
 * @returns {Shown}
 */
export function show(data) {
  if (typeof data === 'string') {
    if (data === '') return { text: '', hex: '', note: 'empty message' };
    const more = data.length - textShown;
    return { text: data.slice(0, textShown), hex: '', note: more > 0 ? `… and ${count(more, 'more character')}` : '' };
  }
  const part = data.subarray(0, bytesShown);
  const more = data.length - part.length;
  const note = `binary, ${count(data.length, 'byte')}${more > 0 ? ` (${bytesShown} shown)` : ''}`;
  return { text: toText(part), hex: toHex(part), note };
}

/**
 * @param {number} number
 * @param {string} thing
 */
function count(number, thing) {
  return `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`;
}

/**
 * @param {number} bytes
 * @returns {string} Such as `16 MiB`.
 */
export function formatBytes(bytes) {
  for (const [unit, size] of /** @type {const} */ ([
    ['MiB', 1024 * 1024],
    ['KiB', 1024],
  ])) {
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`;
  }
  return count(bytes, 'byte');
}

/**
 * @param {number} seconds
 * @returns {string} Such as `30 s`.
 */
export function formatSeconds(seconds) {
  return `${Number(seconds.toFixed(2))} s`;
}

/** What close codes mean here, for people who don't know them by heart. */
const meanings = new Map([
  [1001, 'The server is shutting down.'],
  [1002, 'The other side broke the WebSocket protocol.'],
  [1007, 'A text message was not UTF-8.'],
  [1008, 'The server does not allow this.'],
  [1009, 'The message was larger than the server takes.'],
  [1011, 'Something failed in the server.'],
  [1013, 'The server is overloaded; try again later.'],
  [3008, 'The server heard no message for as long as its idle timeout.'],
]);

/**
 * Says in words what a close code means.
 *
 * @param {number} code - RFC 6455 section 7.4.
 * @param {boolean} opened - Whether the connection had been open.
 * @returns {string} Empty when there is nothing to add.
 */
export function explainClose(code, opened) {
  if (code !== 1006) return meanings.get(code) ?? '';
  return opened
    ? 'The connection was lost: there was no closing handshake.'
    : 'It was never open: the server refused it, or can’t be reached. Browsers don’t tell pages which.';
}
