/**
 * Starts a server as a program: options in, one line when it is ready, signals until it ends.
 *
 * It uses `node:process`, which Node, Bun and Deno all have; what differs between them is in their adapters.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createAnswerer, createApp } from '../core/app.ts';
import { chooseEngine } from '../core/choice.ts';
import { COMPRESSION_WARNING } from '../core/compression.ts';
import { type Config, parseConfig } from '../core/config.ts';
import type { Handler } from '../core/connection.ts';
import { echo } from '../core/echo.ts';
import type { Engine, Listener } from '../core/engine.ts';
import { printable } from '../core/report.ts';
import { WebSocketServer } from '../core/server.ts';
import { createLog, type Log } from './log.ts';
import { readPage } from './page.ts';
import { detectRuntime, type Runtime } from './runtime.ts';
import { readCertificate } from './tls.ts';

/** What a program can set. */
export interface StartOptions {
  /** What is run for each connection. Default: the echo loop. */
  readonly handler?: Handler;
  /** Default: those of the process. */
  readonly argv?: readonly string[];
}

/** Exit statuses, after what shells use for a signal (128 + SIGINT). */
const USAGE = 2;
const FAILED = 1;
const INTERRUPTED = 130;
/**
 * Ctrl-C reaches this process from the terminal, and once more from npm or another wrapper that passes it on. Signals so
 * near to each other, in milliseconds, are one press of the keys.
 */
const SAME_KEY = 100;

/** How long what was said last may take to leave, in milliseconds. */
const LINGER = 1_000;

/** Starts a server and serves until a signal ends it. Ends the process where that can't be. */
export async function start({ handler = echo, argv = process.argv.slice(2) }: StartOptions = {}): Promise<void> {
  const parsed = parseConfig({ argv, env: (name) => process.env[name] });
  if (parsed.kind === 'help') return print(parsed.text);
  if (parsed.kind === 'version') return print(`${version()}\n`);
  if (parsed.kind === 'error') return fail(parsed.message, USAGE);
  const { config } = parsed;

  const runtime = await detectRuntime();
  const choice = chooseEngine(config, { runtime: runtime.name, native: runtime.native, portable: runtime.portable });
  if ('fault' in choice) return fail(choice.fault, USAGE);
  const engine = choice.engine === 'native' ? runtime.native : runtime.portable;

  const certificate = config.tlsCert === '' ? undefined : readCertificate(config);
  if (certificate !== undefined && 'fault' in certificate) return fail(certificate.fault, USAGE);

  // A reader that is gone, or a full disk, is no reason to drop every connection.
  process.stdout.on('error', () => {});
  const log = createLog(config.log, print);
  const server = new WebSocketServer(config, {
    capabilities: engine.capabilities,
    now: () => performance.now(),
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
    byteLength: (text) => Buffer.byteLength(text),
    report: log.report,
  });
  const app = createApp(server, {
    path: config.path,
    handler,
    page: readPage(new URL('../public/', import.meta.url)),
    runtime: runtime.name,
    version: runtime.version,
    engine: engine.name,
  });

  let listener: Listener;
  try {
    listener = await engine.listen({
      hostname: config.host,
      port: config.port,
      answer: createAnswerer(app, server),
      maxMessageSize: config.maxMessageSize,
      compression: config.compression,
      keepAliveInterval: config.keepAliveInterval,
      http2: config.http2 || config.http2Cleartext,
      ...(certificate === undefined ? {} : { certificate }),
    });
  } catch (error) {
    const [why, status] = whyNotListening(error, config);
    return fail(why, status);
  }

  // A promise that a handler let go of is its own mistake, and none of the other connections'.
  process.on('unhandledRejection', (error) => server.applicationFailed(error));

  endOnSignals(async () => {
    await server.shutdown();
    await Promise.race([listener.close(), new Promise((resolve) => setTimeout(resolve, LINGER))]);
  });
  if (certificate !== undefined) process.on('SIGHUP', () => void renew(config, listener, runtime, engine, log));

  const notes = choice.note === undefined ? [] : [choice.note];
  if (config.compression && certificate !== undefined) notes.push(COMPRESSION_WARNING);
  log.listening({
    event: 'listening',
    url: `${certificate === undefined ? 'http' : 'https'}://${listener.hostname.includes(':') ? `[${listener.hostname}]` : listener.hostname}:${listener.port}`,
    path: config.path,
    runtime: runtime.name,
    version: runtime.version,
    engine: engine.name,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  });
}

/** Reads the certificate again. Whatever is wrong with the new one, the server goes on with the old. */
async function renew(config: Config, listener: Listener, runtime: Runtime, engine: Engine, log: Log): Promise<void> {
  if (!engine.capabilities.reloadCertificates) {
    const reason = `${runtime.name}'s ${engine.name} engine can't take another; take --engine portable, or restart`;
    return log.certificate({ event: 'certificate', reloaded: false, reason });
  }
  const certificate = readCertificate(config);
  if ('fault' in certificate) {
    return log.certificate({ event: 'certificate', reloaded: false, reason: certificate.fault });
  }
  try {
    await listener.reload(certificate);
    log.certificate({ event: 'certificate', reloaded: true });
  } catch (error) {
    log.certificate({ event: 'certificate', reloaded: false, reason: printable(String(error)) });
  }
}

/** Shuts down at the first signal, and ends at once at the second. */
function endOnSignals(shutdown: () => Promise<unknown>): void {
  let first: number | undefined;
  const onSignal = (signal: string) => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      void shutdown().finally(() => exit(0));
    } else if (signal !== 'SIGINT' || now - first > SAME_KEY) {
      process.exit(INTERRUPTED);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function print(text: string): void {
  try {
    process.stdout.write(text);
  } catch {
    // Whoever read this is gone. The connections are not.
  }
}

function fail(message: string, status: number): void {
  process.stderr.write(`echoline: ${message}\n`);
  exit(status);
}

/** Ends the process when what was printed is out. */
function exit(status: number): void {
  process.stdout.write('', () => process.exit(status));
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

/** One line on why an address can't be listened on, and the exit status. Node and Bun give codes, Deno names. */
function whyNotListening(error: unknown, { host, port }: Config): [why: string, status: number] {
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  const reason = code ?? name ?? '';
  if (/^(?:EADDRINUSE|AddrInUse)$/.test(reason)) {
    return [
      `port ${port} of ${host} is in use; stop what uses it, or choose another with --port (0 takes a free one)`,
      FAILED,
    ];
  }
  if (/^(?:EACCES|EPERM|PermissionDenied|NotCapable)$/.test(reason)) {
    return [
      `port ${port} of ${host} may not be listened on; choose another with --port (from 1024 on anyone may)`,
      FAILED,
    ];
  }
  if (/^(?:EADDRNOTAVAIL|AddrNotAvailable|ENOTFOUND|EAI_AGAIN)$/.test(reason)) {
    return [`${host} is no address of this machine; choose another with --host, such as 127.0.0.1`, USAGE];
  }
  return [`can't listen on port ${port} of ${host}: ${printable(message ?? String(error))}`, FAILED];
}
