/**
 * The one list of options. Environment variables, flags, defaults, help and error messages all come from it.
 *
 * @module
 */

import { boolean, choice, Fault, type Kind, list, orWord, seconds, size, text, whole } from './config-kinds.ts';
import type { Config } from './config-type.ts';
import { readAllowedOrigin } from './origin.ts';
import { isToken, quote } from './text.ts';

/** The name of an option in a program. */
export type OptionName = keyof Config;

/** All that is known of an option. */
export interface Option<T> {
  /** With its dashes. */
  readonly flag: string;
  /** The environment variables, the documented one first. */
  readonly env: readonly [string, ...string[]];
  readonly kind: Kind<T>;
  readonly default: T;
  /** What stands for the value in the help; a flag without takes none, and has a `--no-` form. */
  readonly placeholder?: string;
  /** Whether the flag may be repeated. */
  readonly repeatable?: true;
  readonly help: string;
}

/** A day: longer than anyone waits, and two of them still fit a runtime's timer (2^31 ms). */
const DAY = 86_400_000;
/** Below this a timer's own lateness would count. */
const SHORTEST = 50;
/** Runtimes hold no longer text than about this in one string or buffer. */
const GIB = 2 ** 30;

/** What the server answers besides the socket path, and what the files of its page end in. */
const TAKEN = /^\/(?:info|health|metrics|.*\.(?:html|js|css|svg|ico|png|json|txt))?$/;

/** The name of a file, which may be left out. */
const file: Kind<string> = { ...text(fileFault), show: (path) => path || 'none' };

/** The options, in the order in which the help lists them. */
export const schema: { readonly [Name in OptionName]: Option<Config[Name]> } = {
  host: {
    flag: '--host',
    env: ['HOST'],
    kind: text(hostFault),
    default: '127.0.0.1',
    placeholder: 'address',
    help: 'Address to listen on. 0.0.0.0 or :: lets other machines connect.',
  },
  port: {
    flag: '--port',
    env: ['PORT'],
    kind: whole({ min: 0, max: 65535 }),
    default: 8080,
    placeholder: 'number',
    help: 'Port to listen on. 0 takes a free one and prints it.',
  },
  path: {
    flag: '--path',
    // Not PATH: every shell sets it.
    env: ['SOCKET_PATH'],
    kind: text(pathFault),
    default: '/ws',
    placeholder: 'path',
    help: 'Path that serves WebSockets. (Its variable is not PATH, which shells use.)',
  },
  allowedOrigins: {
    flag: '--allowed-origin',
    env: ['ALLOWED_ORIGINS', 'ALLOWED_ORIGIN'],
    kind: list(originFault, true),
    default: [],
    placeholder: 'origin',
    repeatable: true,
    help:
      'Origin that may connect, such as https://example.com or https://*.example.com; * for all. ' +
      'May be repeated. With none, only pages from the host that the request asks for may.',
  },
  requireOrigin: {
    flag: '--require-origin',
    env: ['REQUIRE_ORIGIN'],
    kind: boolean,
    default: false,
    help: 'Refuse WebSocket requests without Origin; only programs that are no browsers send those.',
  },
  pingInterval: {
    flag: '--ping-interval',
    env: ['PING_INTERVAL'],
    kind: seconds({ min: SHORTEST, max: DAY, off: true }),
    default: 30_000,
    placeholder: 'seconds',
    help: 'X: how often clients are to send a message. One silent for 2·X is disconnected. 0 is off.',
  },
  liveness: {
    flag: '--liveness',
    env: ['LIVENESS'],
    kind: choice('messages', 'frames', 'off'),
    default: 'messages',
    placeholder: 'what',
    help: 'What counts as a sign of life for 2·X: messages only, frames (PONGs too), or off.',
  },
  keepAliveInterval: {
    flag: '--keep-alive-interval',
    env: ['KEEP_ALIVE_INTERVAL'],
    kind: seconds({ min: SHORTEST, max: DAY, off: true }),
    default: 120_000,
    placeholder: 'seconds',
    help: 'How often the server sends a PING, so that proxies keep the connection open. 0 is off.',
  },
  keepAliveTimeout: {
    flag: '--keep-alive-timeout',
    env: ['KEEP_ALIVE_TIMEOUT'],
    kind: seconds({ min: SHORTEST, max: DAY, off: true }),
    default: 0,
    placeholder: 'seconds',
    help: 'How long a PONG may take before the connection is dropped. 0 is off.',
  },
  maxMessageSize: {
    flag: '--max-message-size',
    env: ['MAX_MESSAGE_SIZE'],
    kind: size({ min: 1, max: GIB }),
    default: 16 * 2 ** 20,
    placeholder: 'size',
    help: 'Largest message, in bytes or with KiB, MiB or GiB. A larger one ends the connection (1009).',
  },
  maxBuffered: {
    flag: '--max-buffered',
    env: ['MAX_BUFFERED'],
    kind: size({ min: 1, max: GIB }),
    default: 2 ** 20,
    placeholder: 'size',
    help: 'How much may wait for one slow reader before the server stops reading from it.',
  },
  maxConnections: {
    flag: '--max-connections',
    env: ['MAX_CONNECTIONS'],
    // About as many sockets as one process can have on Linux (fs.nr_open).
    kind: whole({ min: 1, max: 1_000_000 }),
    default: 10_000,
    placeholder: 'number',
    help: 'Most connections at a time; more are answered 503.',
  },
  subprotocols: {
    flag: '--subprotocol',
    env: ['SUBPROTOCOLS', 'SUBPROTOCOL'],
    kind: list(subprotocolFault, false),
    default: [],
    placeholder: 'name',
    repeatable: true,
    help: 'Subprotocol to agree on. May be repeated, the preferred one first.',
  },
  compression: {
    flag: '--compression',
    env: ['COMPRESSION'],
    kind: boolean,
    default: false,
    help: 'Agree on permessage-deflate with clients that offer it. Under TLS, mind CRIME and BREACH.',
  },
  compressionWindowBits: {
    flag: '--compression-window-bits',
    env: ['COMPRESSION_WINDOW_BITS'],
    kind: whole({ min: 9, max: 15 }),
    default: 15,
    placeholder: 'bits',
    help: "The server's compression window: 2^bits bytes, 9 to 15.",
  },
  compressionNoContextTakeover: {
    flag: '--compression-no-context-takeover',
    env: ['COMPRESSION_NO_CONTEXT_TAKEOVER'],
    kind: boolean,
    default: false,
    help: 'Compress each message by itself, on both sides: worse, but nothing is kept in between.',
  },
  shutdownTimeout: {
    flag: '--shutdown-timeout',
    env: ['SHUTDOWN_TIMEOUT'],
    kind: seconds({ min: 0, max: DAY, off: false }),
    default: 10_000,
    placeholder: 'seconds',
    help: 'How long connections may take to close at shutdown before they are dropped.',
  },
  tlsCert: {
    flag: '--tls-cert',
    env: ['TLS_CERT'],
    kind: file,
    default: '',
    placeholder: 'file',
    help: 'PEM file with the certificate and its chain: the server speaks TLS then. Read again at SIGHUP.',
  },
  tlsKey: {
    flag: '--tls-key',
    env: ['TLS_KEY'],
    kind: file,
    default: '',
    placeholder: 'file',
    help: "PEM file with the certificate's private key.",
  },
  http2: {
    flag: '--http2',
    env: ['HTTP2'],
    kind: boolean,
    default: false,
    help: 'Speak HTTP/2 too, for the page and for WebSockets (RFC 8441). Needs TLS.',
  },
  http2Cleartext: {
    flag: '--http2-cleartext',
    env: ['HTTP2_CLEARTEXT'],
    kind: boolean,
    default: false,
    help: 'The same without TLS, with prior knowledge: for a proxy in front that speaks HTTP/2 to servers.',
  },
  engine: {
    flag: '--engine',
    env: ['ENGINE'],
    kind: choice('auto', 'native', 'portable'),
    default: 'auto',
    placeholder: 'name',
    help: "native (the runtime's own WebSocket), portable (Echoline's), or auto: native where it can do what is asked.",
  },
  workers: {
    flag: '--workers',
    env: ['WORKERS'],
    kind: orWord('auto', whole({ min: 1, max: 256 })),
    default: 1,
    placeholder: 'number',
    help: 'How many processes serve, all on the one port; auto is one for each core.',
  },
  log: {
    flag: '--log',
    env: ['LOG'],
    kind: choice('pretty', 'json', 'off'),
    default: 'pretty',
    placeholder: 'format',
    help: 'How reports are written: pretty, json (a JSON object a line), or off.',
  },
};

/** The options' names, in the order of {@link schema}. */
export const optionNames = Object.keys(schema) as readonly OptionName[];

/**
 * What is wrong with options that are each right by themselves.
 *
 * @param named - An option as the person who gave it knows it.
 */
export function conflict(config: Config, named: (name: OptionName) => string): string | undefined {
  if (config.keepAliveTimeout > 0 && config.keepAliveInterval === 0) {
    const [timeout, interval] = [named('keepAliveTimeout'), named('keepAliveInterval')];
    return `${timeout} waits for the answer to a PING, and ${interval} 0 sends none; set ${interval} above 0`;
  }
  for (const name of ['compressionWindowBits', 'compressionNoContextTakeover'] as const) {
    if (config.compression || config[name] === schema[name].default) continue;
    return `${named(name)} is of use only with ${named('compression')}; set both`;
  }
  const tls = config.tlsCert !== '';
  if (tls !== (config.tlsKey !== '')) {
    const [given, missing] = tls ? (['tlsCert', 'tlsKey'] as const) : (['tlsKey', 'tlsCert'] as const);
    return `${named(given)} is of use only with ${named(missing)}; set both`;
  }
  const cleartext = named('http2Cleartext');
  if (config.http2 && !tls) {
    const needed = `${named('tlsCert')} and ${named('tlsKey')}`;
    const alone = config.http2Cleartext ? `${cleartext} alone` : cleartext;
    return `${named('http2')} needs TLS; set ${needed}, or take ${alone} behind a proxy that ends TLS`;
  }
  if (config.http2Cleartext && tls) {
    const instead = config.http2 ? `leave it out beside ${named('http2')}` : `take ${named('http2')} in its place`;
    return `${cleartext} is for connections without TLS, and ${named('tlsCert')} is set; ${instead}`;
  }
  return undefined;
}

function hostFault(host: string): string | undefined {
  if (/^\[.*\]$/.test(host)) return 'expected an IPv6 address without brackets, such as ::1';
  if (/^[^:]*:[0-9]*$/.test(host)) return 'expected an address without a port, which --port sets';
  if (!/^[^\s/[\]]+$/.test(host)) return 'expected an IP address or a host name, such as 127.0.0.1';
  return undefined;
}

function pathFault(path: string): string | undefined {
  // Neither what a URL would rewrite (dots, percent signs) nor what the router takes for a pattern.
  if (!/^(?:\/[A-Za-z0-9._~-]+)*\/?$/.test(path) || !path.startsWith('/') || /\/\.\.?(?:\/|$)/.test(path)) {
    return 'expected a path that starts with / and has only letters, digits and - . _ ~, such as /ws';
  }
  return TAKEN.test(path) ? 'the page or a report is served there; expected another path, such as /ws' : undefined;
}

function fileFault(path: string): string | undefined {
  return path.includes('\0') ? 'expected the name of a file' : undefined;
}

function originFault(origin: string): Fault | undefined {
  const read = readAllowedOrigin(origin);
  return 'fault' in read ? new Fault(read.fault) : undefined;
}

function subprotocolFault(name: string): Fault | undefined {
  if (isToken(name)) return undefined;
  return new Fault(`${quote(name)}: expected a name of letters, digits and !#$%&'*+-.^_\`|~, such as chat.v1`);
}
