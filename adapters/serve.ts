/**
 * Serves: core and an engine, bound to each other.
 *
 * @module
 */
import process from 'node:process';
import type { Hono } from 'hono';
import { type AppEnv, createAnswerer, createApp, createDirectAnswerer } from '../core/app.ts';
import type { Config, OptionName } from '../core/config.ts';
import type { Handler } from '../core/connection.ts';
import type { Certificate, Engine, Listener } from '../core/engine.ts';
import type { Claim } from '../core/places.ts';
import { printable, type Report, type ShutdownSummary } from '../core/report.ts';
import { WebSocketServer } from '../core/server.ts';
import { readPage } from './page.ts';
import { FAILED, USAGE } from './process.ts';
import type { Runtime } from './runtime.ts';
import { refusal } from './tls.ts';

/** How long what was said last may take to leave, in milliseconds. */
const LINGER = 1_000;

/** Makes an app of one's own around a server. With several workers, each makes one. */
export type AppMaker = (server: WebSocketServer, config: Config) => Hono<AppEnv>;

/** What is served, and on what. */
export interface Service {
  readonly config: Config;
  /** What the options are called by the person who gave them. */
  readonly given: ReadonlyMap<OptionName, string>;
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly handler: Handler;
  /** What is served in place of the echo server's app, its page and its handler. */
  readonly app?: AppMaker | undefined;
  readonly certificate?: Certificate | undefined;
  report(report: Report): void;
  /** What this process shares with others that serve on the same port. */
  readonly shared?: {
    readonly port: number;
    readonly workers: number;
    readonly places: Claim;
    /** How many connections all of them have. */
    connections(): Promise<number>;
  };
}

/** A server that serves. */
export interface Serving {
  readonly listener: Listener;
  /** Closes all connections as `WebSocketServer.shutdown` does, then stops listening. */
  stop(): Promise<ShutdownSummary>;
}

/** Why nothing can be served: one line, and the exit status. */
export interface Unserved {
  readonly why: string;
  readonly status: number;
}

/** Begins to serve. */
export async function serve(service: Service): Promise<Serving | Unserved> {
  const { config, runtime, engine, handler, certificate, report, shared } = service;
  const server = new WebSocketServer(config, {
    capabilities: engine.capabilities,
    now: () => performance.now(),
    after(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
    byteLength: (text) => Buffer.byteLength(text),
    report,
    ...(shared === undefined ? {} : { places: shared.places }),
  });
  const app =
    service.app?.(server, config) ??
    createApp(server, {
      path: config.path,
      handler,
      page: readPage(new URL('../public/', import.meta.url)),
      runtime: runtime.name,
      version: runtime.version,
      engine: engine.name,
      ...(shared === undefined ? {} : { workers: shared.workers, connections: shared.connections }),
    });

  let listener: Listener;
  try {
    listener = await engine.listen({
      hostname: config.host,
      port: shared?.port ?? config.port,
      answer: createAnswerer(app, server),
      // In an app of one's own, middleware is to have its say.
      ...(service.app === undefined ? { direct: createDirectAnswerer(server, config.path, handler) } : {}),
      maxMessageSize: config.maxMessageSize,
      compression: config.compression,
      keepAliveInterval: config.keepAliveInterval,
      http2: config.http2 || config.http2Cleartext,
      sharesPort: shared !== undefined,
      ...(certificate === undefined ? {} : { certificate }),
    });
  } catch (error) {
    // Some runtimes judge a certificate only now.
    if (certificate === undefined || !isOfCertificate(error, config)) return whyNotListening(error, config);
    return { why: refusal(service, error), status: USAGE };
  }

  // A promise that a handler let go of is its own mistake, and none of the other connections'.
  process.on('unhandledRejection', (error) => server.applicationFailed(error));

  return {
    listener,
    async stop() {
      const summary = await server.shutdown();
      await Promise.race([listener.close(), new Promise((resolve) => setTimeout(resolve, LINGER))]);
      return summary;
    },
  };
}

/** Whether an error is about a certificate or its key, which only its text tells: Deno gives such errors no code. */
function isOfCertificate(error: unknown, { host }: Pick<Config, 'host'>): boolean {
  const { message } = error as { message?: string };
  return /\b(?:certificate|key|PEM|SSL|TLS)\b/i.test(message?.replaceAll(host, '') ?? '');
}

/** One line on why an address can't be listened on, and the exit status. Node and Bun give codes, Deno names. */
export function whyNotListening(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): Unserved {
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  const reason = code ?? name ?? '';
  if (/^(?:EADDRINUSE|AddrInUse)$/.test(reason)) {
    return {
      why: `port ${port} of ${host} is in use; stop what uses it, or choose another with --port (0 takes a free one)`,
      status: FAILED,
    };
  }
  if (/^(?:EACCES|EPERM|PermissionDenied|NotCapable)$/.test(reason)) {
    return {
      why: `port ${port} of ${host} may not be listened on; choose another with --port (from 1024 on anyone may)`,
      status: FAILED,
    };
  }
  const unknown = /failed to lookup|^Failed to listen at /.test(message ?? '');
  if (unknown || /^(?:EADDRNOTAVAIL|AddrNotAvailable|ENOTFOUND|EAI_AGAIN)$/.test(reason)) {
    return {
      why: `${host} is no address of this machine; choose another with --host, such as 127.0.0.1`,
      status: USAGE,
    };
  }
  return { why: `can't listen on port ${port} of ${host}: ${printable(message ?? String(error))}`, status: FAILED };
}
