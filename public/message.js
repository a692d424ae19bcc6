/**
 * Messages between the form, the socket and the log: what to send, and how to show what came.
 *
 * @module
 */

/** How much of a text message the log shows, in UTF-16 code units. */
export const textShown = 4096;
/** How much of a binary message the log shows, in bytes. */
export const bytesShown = 1024;

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
  const bytes = new Uint8Array(text.length >> 1);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const high = digit(text.charCodeAt(i));
    if (high < 0) {
      if (!/\s/.test(text.charAt(i))) return undefined;
      continue;
    }
    // Past the end is NaN, which is no digit either.
    const low = digit(text.charCodeAt(++i));
    if (low < 0) return undefined;
    bytes[length++] = high * 16 + low;
  }
  return bytes.subarray(0, length);
}

/**
 * @param {number} code - Of a character.
 * @returns {number} What it is worth as a hexadecimal digit; -1 when it is none.
 */
function digit(code) {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = (code | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
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
 * The part of a message that the log shows.
 *
 * @typedef {object} Excerpt
 * @property {string | Uint8Array} part
 * @property {number} length - Of the whole message, in UTF-16 code units or in bytes.
 */

/**
 * Takes of a message what the log shows, and lets go of the rest.
 *
 * @param {string | Uint8Array} data
 * @returns {Excerpt}
 */
export function excerpt(data) {
  const { length } = data;
  if (typeof data !== 'string') return { part: data.slice(0, bytesShown), length };
  // Not between the halves of a surrogate pair.
  const half = length > textShown && /[\uD800-\uDBFF]/.test(data.charAt(textShown - 1));
  return { part: data.slice(0, half ? textShown - 1 : textShown), length };
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
 * @param {Excerpt} message
 * @returns {Shown}
 */
export function show({ part, length }) {
  const cut = length > part.length ? `, the first ${part.length.toLocaleString('en')} shown` : '';
  if (typeof part === 'string') {
    if (part === '') return { text: '', hex: '', note: 'empty message' };
    return { text: part, hex: '', note: cut && `${count(length, 'character')}${cut}` };
  }
  return { text: toText(part), hex: toHex(part), note: `binary, ${count(length, 'byte')}${cut}` };
}

/**
 * @param {number} number
 * @param {string} thing
 */
export function count(number, thing) {
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
 * A size and the limit that it is over, in whole bytes where rounded they would look the same.
 *
 * @param {number} size - In bytes.
 * @param {number} limit - In bytes.
 * @returns {[size: string, limit: string]}
 */
export function formatExcess(size, limit) {
  const [large, most] = [formatBytes(size), formatBytes(limit)];
  return large === most ? [count(size, 'byte'), count(limit, 'byte')] : [large, most];
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
 * @param {boolean} offered - Whether subprotocols were offered: a browser fails the connection when none is agreed on.
 * @returns {string} Empty when there is nothing to add.
 */
export function explainClose(code, opened, offered) {
  if (code !== 1006) return meanings.get(code) ?? '';
  if (opened) return 'The connection was lost: there was no closing handshake.';
  const causes = offered
    ? 'the server refused it, agreed to none of the subprotocols, or can’t be reached'
    : 'the server refused it, or can’t be reached';
  return `It was never open: ${causes}. Browsers don’t tell pages which.`;
}
