/**
 * Starts a server as a program: options in, one line when it is ready, signals until it ends.
 *
 * It uses `node:process`, which Node, Bun and Deno all have; what differs between them is in their adapters.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { chooseEngine } from '../core/choice.ts';
import { COMPRESSION_WARNING } from '../core/compression.ts';
import { parseConfig } from '../core/config.ts';
import type { Handler } from '../core/connection.ts';
import { echo } from '../core/echo.ts';
import type { Listener } from '../core/engine.ts';
import { createLog, type ListeningReport, type Log } from './log.ts';
import { endOnSignals, fail, print, printSoon, USAGE } from './process.ts';
import { detectRuntime } from './runtime.ts';
import { type AppMaker, type Service, serve } from './serve.ts';
import { readCertificate, renewCertificate } from './tls.ts';
import { supervise } from './workers/primary.ts';
import { isWorker, work } from './workers/worker.ts';

/** What a program can set. */
export interface StartOptions {
  /** What is run for each connection. Default: the echo loop. */
  readonly handler?: Handler;
  /**
   * Makes a Hono app of one's own, in which `webSocket` of core is a route. Default: that of the echo server, with its page,
   * `/info` and `/health`. Then {@link handler} counts for nothing; `--path` is for the app to heed.
   */
  readonly app?: AppMaker;
  /** Default: those of the process. */
  readonly argv?: readonly string[];
}

/** Starts a server and serves until a signal ends it. Ends the process where that can't be. */
export async function start(options: StartOptions = {}): Promise<void> {
  const { handler = echo, app, argv = process.argv.slice(2) } = options;
  const parsed = parseConfig({ argv, env: (name) => process.env[name] });
  if (parsed.kind === 'help') return print(parsed.text);
  if (parsed.kind === 'version') return print(`${version()}\n`);
  if (parsed.kind === 'error') return fail(parsed.message, USAGE);
  const { config, given } = parsed;

  const runtime = await detectRuntime();
  const { native, portable } = runtime;
  const choice = chooseEngine(config, { runtime: runtime.name, native, portable }, given);
  if ('fault' in choice) return fail(choice.fault, USAGE);
  const engine = choice.engine === 'native' ? native : portable;

  // A reader that is gone, or a full disk, is no reason to drop every connection.
  process.stdout.on('error', () => {});
  if (isWorker()) return work({ config, given, runtime, engine, handler, app });

  const certificate = config.tlsCert === '' ? undefined : readCertificate({ config, given, runtime });
  if (certificate !== undefined && 'fault' in certificate) return fail(certificate.fault, USAGE);

  const notes = choice.note === undefined ? [] : [choice.note];
  // Without TLS, HTTP/2 is for a proxy that ends it.
  const overTls = certificate !== undefined || config.http2Cleartext;
  if (config.compression && overTls) notes.push(COMPRESSION_WARNING);
  const log = createLog(config.log, printSoon);
  const ready = ({ hostname, port }: Pick<Listener, 'hostname' | 'port'>, workers: number): ListeningReport => ({
    event: 'listening',
    url: `${certificate === undefined ? 'http' : 'https'}://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`,
    path: config.path,
    runtime: runtime.name,
    version: runtime.version,
    engine: engine.name,
    workers,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  });

  const workers = config.workers === 'auto' ? availableParallelism() : config.workers;
  if (workers > 1) return supervise({ config, given, runtime, engine, certificate, log, workers, ready });
  return serveAlone(
    { config, given, runtime, engine, handler, app, certificate, report: log.report },
    log,
    (listener) => ready(listener, 1),
  );
}

/** Serves in this process. */
async function serveAlone(service: Service, log: Log, ready: (listener: Listener) => ListeningReport): Promise<void> {
  const { config, given, runtime, engine, certificate } = service;
  const serving = await serve(service);
  if ('why' in serving) return fail(serving.why, serving.status);
  endOnSignals(serving.stop);
  const { listener } = serving;
  if (certificate !== undefined) {
    const renewal = { config, given, runtime, engine, log, reload: listener.reload };
    process.on('SIGHUP', () => void renewCertificate(renewal));
  }
  log.listening(ready(listener));
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
