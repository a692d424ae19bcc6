/**
 * The connections of one server: who may open one, what each is told, and how all of them end.
 *
 * @module
 */
import type { CompressionPolicy } from './compression.ts';
import type { Handler } from './connection.ts';
import { echo } from './echo.ts';
import type { Peer, RequestHead, Upgrade } from './engine.ts';
import { type Accept, judgeHandshake, type Refusal, refuseFull, refuseShutdown } from './handshake.ts';
import type { Host } from './host.ts';
import { isThenable } from './intake.ts';
import { Liveness, type Verdict } from './liveness.ts';
import { createOriginPolicy, type OriginPolicy } from './origin.ts';
import type { Claim } from './places.ts';
import { type End, printable, type ShutdownSummary } from './report.ts';
import { ServerConnection, type Surroundings } from './server-connection.ts';
import { missingOption, type ServerOptions } from './server-options.ts';
import { pathOf } from './text.ts';
import type { Receiver, Transport } from './transport.ts';

export type { ServerOptions } from './server-options.ts';

/** How long a standing queue is borne where X is off, in milliseconds. */
const STALL_TIMEOUT = 30_000;

/** The idle timeout: 2·X, or 0 where there is none. In milliseconds. */
export function idleTimeout(options: Pick<ServerOptions, 'pingInterval' | 'liveness'>): number {
  return options.liveness === 'off' ? 0 : 2 * options.pingInterval;
}

/** A server without its sockets: engines bring those. */
export class WebSocketServer implements Surroundings {
  readonly options: ServerOptions;
  readonly liveness: Liveness<ServerConnection>;
  readonly maxBuffered: number;
  readonly maxQueued: number;
  readonly framesCount: boolean;
  readonly canPause: boolean;
  readonly messageLimit: number;
  /** See {@link Host.places}. */
  readonly places: Claim | undefined;

  readonly #host: Host;
  readonly #origins: OriginPolicy;
  readonly #compression: CompressionPolicy | undefined;
  readonly #connections = new Set<ServerConnection>();
  /** Upgrades that are under way. */
  #reserved = 0;
  #lastId = 0;
  #ticking = false;
  #shutdown: Promise<ShutdownSummary> | undefined;
  #emptied: (() => void) | undefined;

  /** @throws TypeError for an option that is missing, and for an Origin that can never match. */
  constructor(options: ServerOptions, host: Host) {
    const missing = missingOption(options);
    if (missing !== undefined) {
      throw new TypeError(`the option ${missing} is missing; resolveOptions() completes options with their defaults`);
    }
    this.options = options;
    this.#host = host;
    this.places = host.places;
    this.#origins = createOriginPolicy({ allowed: [...options.allowedOrigins], required: options.requireOrigin });
    const { compression } = host.capabilities;
    if (options.compression && compression !== false) {
      const { compressionWindowBits: windowBits, compressionNoContextTakeover: noContextTakeover } = options;
      this.#compression = { windowBits, noContextTakeover, wide: compression === 'wide' };
    }
    this.maxBuffered = options.maxBuffered;
    // Where a client can't be slowed down, one largest message has to fit on top of what waits already.
    this.maxQueued = options.maxBuffered + options.maxMessageSize;
    this.framesCount = options.liveness === 'frames';
    this.canPause = host.capabilities.pause;
    this.messageLimit = host.capabilities.messageLimit ? Number.POSITIVE_INFINITY : options.maxMessageSize;
    const idle = idleTimeout(options);
    this.liveness = new Liveness(
      {
        idleTimeout: idle,
        // An engine that can't ping on demand was told the interval when it began to listen.
        keepAliveInterval: host.capabilities.ping ? options.keepAliveInterval : 0,
        keepAliveTimeout: options.keepAliveTimeout,
        stallTimeout: idle || STALL_TIMEOUT,
      },
      Math.ceil(host.now()),
    );
  }

  /** How many connections there are, those included whose closing handshake is not over. */
  get size(): number {
    return this.#connections.size;
  }

  /** Whether {@link shutdown} was called. */
  get shuttingDown(): boolean {
    return this.#shutdown !== undefined;
  }

  /**
   * Judges a request for a WebSocket. A refusal is reported by {@link refused}, not here.
   *
   * @param extendedConnect - Whether it came as a CONNECT request for `websocket` (RFC 8441).
   */
  judge({ method, headers }: RequestHead, extendedConnect = false): Accept | Refusal {
    const verdict = judgeHandshake(
      { method, headers, extendedConnect },
      { origins: this.#origins, subprotocols: this.options.subprotocols, compression: this.#compression },
    );
    return verdict.accepted ? (this.#refuseMore() ?? verdict) : verdict;
  }

  /**
   * Makes an accepted request ready for its adapter, and keeps a place for it. Where there are {@link places}, one was
   * taken for it; a refusal leaves that to the caller.
   *
   * @param headers - The headers to answer with.
   */
  admit(
    request: RequestHead,
    peer: Peer,
    accept: Accept,
    headers: Upgrade['headers'],
    handler: Handler,
  ): Upgrade | Refusal {
    // Others may have come while the application around us was at work.
    const refusal = this.#refuseMore();
    if (refusal !== undefined) return refusal;
    const { protocol, compression } = accept;
    const origin = request.headers.get('origin');
    const path = pathOf(request.url);
    this.#reserved++;
    return {
      protocol,
      compression: compression !== undefined && agreesOnCompression(headers) ? compression : undefined,
      headers,
      open: (transport) => {
        this.#reserved--;
        return this.#open(transport, peer, { protocol, origin, path }, handler);
      },
      abandon: () => {
        this.#reserved--;
        this.#placeLeft();
      },
    };
  }

  /** Reports a refusal. */
  refused(refusal: Refusal, request: Pick<RequestHead, 'headers'>, peer: Peer): void {
    this.#host.report({
      event: 'refused',
      status: refusal.status,
      reason: refusal.reason,
      remote: peer.address,
      origin: safe(request.headers.get('origin')),
    });
  }

  /** Reports an error of the application's. */
  applicationFailed(error: unknown): void {
    this.#host.report({ event: 'handler-error', connection: null, error });
  }

  /**
   * Refuses what comes from now on with 503, closes every connection with 1001, and terminates those that have not
   * answered within `shutdownTimeout`. Called again, it returns the same promise.
   */
  shutdown(): Promise<ShutdownSummary> {
    this.#shutdown ??= this.#shutDown();
    return this.#shutdown;
  }

  byteLength(text: string): number {
    return this.#host.byteLength(text);
  }

  ended(connection: ServerConnection, end: End): void {
    const now = this.#host.now();
    const durationMs = Math.round(now - connection.openedAt);
    // The clock that messages are timed by runs a little behind, and may say that one came before its connection.
    const silenceMs = Math.min(durationMs, Math.max(0, Math.round(now - connection.lastMessage)));
    this.#host.report({
      event: 'ended',
      connection: connection.id,
      remote: connection.remote,
      cause: end.cause,
      code: end.code,
      reason: printable(end.reason),
      durationMs,
      messagesIn: connection.messagesIn,
      messagesOut: connection.messagesOut,
      bytesIn: connection.bytesIn,
      bytesOut: connection.bytesOut,
      lastMessageMs: connection.messagesIn === 0 ? null : silenceMs,
    });
  }

  gone(connection: ServerConnection): void {
    this.liveness.remove(connection);
    this.#connections.delete(connection);
    this.#placeLeft();
  }

  failed(connection: ServerConnection, error: unknown): void {
    this.#host.report({ event: 'handler-error', connection: connection.id, error });
  }

  #refuseMore(): Refusal | undefined {
    if (this.shuttingDown) return refuseShutdown();
    return this.#connections.size + this.#reserved < this.options.maxConnections ? undefined : refuseFull();
  }

  #open(
    transport: Transport,
    peer: Peer,
    about: { protocol: string; origin: string | null; path: string },
    handler: Handler,
  ): Receiver {
    const now = this.#host.now();
    const id = ++this.#lastId;
    const connection = new ServerConnection(this, transport, {
      id,
      remote: peer.address,
      protocol: about.protocol,
      now,
    });
    this.#connections.add(connection);
    this.liveness.add(connection, Math.ceil(now));
    this.#tick();
    this.#host.report({
      event: 'opened',
      connection: id,
      remote: peer.address,
      origin: safe(about.origin),
      path: printable(about.path),
      protocol: about.protocol,
    });
    // Later, so that a handler that ends the connection at once finds the adapter ready for it.
    queueMicrotask(() => {
      if (this.shuttingDown) this.#sayGoodbye(connection);
      run(handler, connection);
    });
    return connection;
  }

  #tick(): void {
    if (this.#ticking || this.liveness.size === 0) return;
    this.#ticking = true;
    this.#host.after(this.liveness.resolution, this.#advance);
  }

  readonly #advance = (): void => {
    this.#ticking = false;
    this.liveness.advance(Math.ceil(this.#host.now()), execute);
    this.#tick();
  };

  async #shutDown(): Promise<ShutdownSummary> {
    const goneBefore = this.#lastId - this.#connections.size;
    // One iteration over a copy: an engine may end a connection while it is told to close it.
    for (const connection of [...this.#connections]) this.#sayGoodbye(connection);
    if (!this.#empty) {
      await new Promise<void>((resolve) => {
        const cancel = this.#host.after(this.options.shutdownTimeout, resolve);
        this.#emptied = () => {
          cancel();
          resolve();
        };
      });
    }
    const terminated = this.#connections.size;
    for (const connection of [...this.#connections]) connection.abandon();
    // Upgrades that were under way have joined those that were there.
    const summary = { closed: this.#lastId - goneBefore - terminated, terminated };
    this.#host.report({ event: 'shutdown', ...summary });
    return summary;
  }

  /** Whether there is neither a connection nor one to come. */
  get #empty(): boolean {
    return this.#connections.size + this.#reserved === 0;
  }

  #placeLeft(): void {
    this.places?.give();
    if (this.#empty) this.#emptied?.();
  }

  #sayGoodbye(connection: ServerConnection): void {
    // The clock's own patience begins where that of shutdown() has ended.
    connection.shut('shutdown', 1001, 'server shutting down', this.options.shutdownTimeout + 60_000);
  }
}

/** Whether what was agreed is still said to be: middleware may have taken it back. */
function agreesOnCompression(headers: Upgrade['headers']): boolean {
  for (const [name] of headers) if (name === 'sec-websocket-extensions') return true;
  return false;
}

function safe(text: string | null): string | null {
  return text === null ? null : printable(text);
}

/** Runs a handler for as long as it likes. */
function run(handler: Handler, connection: ServerConnection): void {
  if (handler === echo) {
    connection.echo();
    return;
  }
  let result: unknown;
  try {
    result = handler(connection);
  } catch (error) {
    connection.broke(error);
    return;
  }
  // What the connection itself promised needs nobody to wait for it: it is over then, and what broke it is known.
  if (connection.isOwnPromise(result)) return;
  if (isThenable(result)) {
    result.then(
      () => connection.close(),
      (error: unknown) => connection.broke(error),
    );
  } else {
    connection.close();
  }
}

/** Does what the clock says. */
function execute(connection: ServerConnection, verdict: Verdict): void {
  switch (verdict) {
    case 'ping':
      connection.ping();
      break;
    case 'idle-timeout':
      connection.fail('idle-timeout', 3008, 'idle timeout');
      break;
    case 'slow-consumer':
      connection.fail('slow-consumer', 1013, 'too slow');
      break;
    case 'keep-alive-timeout':
      connection.drop('keep-alive-timeout');
      break;
    case 'terminate':
      connection.abandon();
      break;
  }
}
