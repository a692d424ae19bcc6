/**
 * What the server says of itself at `GET /info`.
 *
 * @module
 */
import { formatBytes, formatSeconds } from './message.js';

/**
 * @typedef {object} Facts
 * @property {string} runtime - Such as `node`; empty when unknown.
 * @property {string} version - The runtime's version; empty when unknown.
 * @property {string} engine - `native` or `portable`; empty when unknown.
 * @property {string} path - Where the server takes WebSockets.
 * @property {number} pingInterval - How often the server wants a message, in seconds; 0 = it does not ask.
 * @property {number} idleTimeout - After how much silence the server hangs up, in seconds; 0 = never.
 * @property {number} maxMessageSize - The largest message the server takes, in bytes.
 * @property {string[]} subprotocols - What the server can agree on, in its order of preference.
 */

/** The server's own defaults, assumed until it has answered. @type {Readonly<Facts>} */
export const defaultFacts = Object.freeze({
  runtime: '',
  version: '',
  engine: '',
  path: '/ws',
  pingInterval: 30,
  idleTimeout: 60,
  maxMessageSize: 16 * 1024 * 1024,
  subprotocols: [],
});

const runtimeNames = new Map([
  ['node', 'Node'],
  ['bun', 'Bun'],
  ['deno', 'Deno'],
]);

/**
 * Takes what is usable of an answer, and the default for the rest.
 *
 * @param {unknown} json
 * @returns {Facts}
 */
export function readFacts(json) {
  const given = /** @type {Record<string, unknown>} */ (typeof json === 'object' && json !== null ? json : {});
  /** @param {'runtime' | 'version' | 'engine' | 'path'} name */
  const text = (name) => (typeof given[name] === 'string' ? given[name] : defaultFacts[name]);
  /** @param {'pingInterval' | 'idleTimeout' | 'maxMessageSize'} name */
  const amount = (name) => {
    const value = given[name];
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : defaultFacts[name];
  };
  const path = text('path');
  return {
    runtime: text('runtime'),
    version: text('version'),
    engine: text('engine'),
    path: path.startsWith('/') ? path : defaultFacts.path,
    pingInterval: amount('pingInterval'),
    idleTimeout: amount('idleTimeout'),
    maxMessageSize: amount('maxMessageSize'),
    subprotocols: Array.isArray(given.subprotocols)
      ? given.subprotocols.filter((value) => typeof value === 'string')
      : [],
  };
}

/**
 * Asks the server.
 *
 * @returns {Promise<Facts>} Rejects when there is no usable answer within five seconds.
 */
export async function loadFacts() {
  const response = await fetch('info', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return readFacts(await response.json());
}

/**
 * The facts as lines of a definition list.
 *
 * @param {Facts} facts
 * @returns {[term: string, value: string][]}
 */
export function describeFacts(facts) {
  const runtime = `${runtimeNames.get(facts.runtime.toLowerCase()) ?? facts.runtime} ${facts.version}`.trim();
  /** @type {[string, string][]} */
  const lines = [
    ['Runtime and engine', [runtime || 'unknown', facts.engine].filter(Boolean).join(', ')],
    ['Wants a message every', facts.pingInterval > 0 ? formatSeconds(facts.pingInterval) : 'not asked for'],
    ['Hangs up after', facts.idleTimeout > 0 ? `${formatSeconds(facts.idleTimeout)} of silence` : 'never'],
    ['Largest message', formatBytes(facts.maxMessageSize)],
  ];
  if (facts.subprotocols.length > 0) lines.push(['Subprotocols', facts.subprotocols.join(', ')]);
  return lines;
}

/**
 * The address to offer in the URL field.
 *
 * @param {{ protocol: string, host: string }} page - The page's `location`.
 * @param {string} path
 * @returns {string}
 */
export function defaultUrl(page, path) {
  return `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}${path}`;
}

/**
 * Says what is wrong with an address; a browser's own judgement comes after it.
 *
 * @param {string} value
 * @returns {{ url: URL } | { problem: string }}
 */
export function checkUrl(value) {
  const trimmed = value.trim();
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  // `localhost:8080/ws` parses as the scheme `localhost:`, so an unknown scheme gets the same advice.
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    return {
      problem: 'That is not a WebSocket address. It starts with ws:// or wss://, such as ws://localhost:8080/ws.',
    };
  }
  if (trimmed.includes('#')) return { problem: 'A WebSocket address has no #fragment. Remove it.' };
  return { url };
}
