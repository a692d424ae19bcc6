/**
 * What one peer does under one load.
 *
 * @module
 */
import process from 'node:process';
import { pass } from '../test/support/wait.ts';
import { moveOn } from './load/addresses.ts';
import { churn } from './load/churn.ts';
import { EchoLoad } from './load/echo.ts';
import { Crowd } from './load/idle.ts';
import type { PeerProcess } from './process.ts';
import type { ChurnShape, EchoShape, IdleShape } from './shapes.ts';
import { isSteady, quantile } from './statistics.ts';

/** What a round found out. */
export interface Sample {
  /**
   * What it costs: server CPU in microseconds a message, or a connection opened and closed; memory in KiB an idle
   * connection. The ratios are made of these.
   */
  readonly cost: number;
  /** Messages, or connections, a second. */
  readonly perSecond?: number;
  /** Milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** Shares of a core that were busy. */
  readonly server?: number;
  readonly client?: number;
}

/**
 * What runs unmeasured before a server is first measured: the same load for so many seconds, longer where the server gets
 * less of a core, or until what it costs has stopped falling, for at most 8 s. Compilers can take seconds.
 */
export type WarmUp = number | 'until steady';

/** How long a step of a warm-up is, and the longest one in all, in seconds. */
const STEP = 0.4;
const LONGEST = 8;
/** How long the load runs unmeasured before each turn, in seconds: the core has just served others. */
const PREPARATION = 0.01;
/**
 * How long what a load has left to do still counts, in milliseconds: garbage, which Bun collects up to 16 ms later, and
 * reports, which are written within 10 ms.
 */
const AFTERMATH = 40;
/** So many latencies say enough. */
const MOST_LATENCIES = 1 << 18;

interface Cost {
  /** Seconds. */
  readonly elapsed: number;
  readonly server: number;
  readonly client: number;
}

/** Runs something and says what it took. */
async function costOf<T>(server: PeerProcess, run: () => Promise<T>): Promise<[value: T, cost: Cost]> {
  const [cpu, own, start] = [server.cpu(), clientCpu(), performance.now()];
  const value = await run();
  const elapsed = (performance.now() - start) / 1000;
  return [value, { elapsed, client: clientCpu() - own, server: server.cpu() - cpu }];
}

interface Load {
  /** Runs for so many seconds; answers how many messages or connections that were, and milliseconds that they took. */
  run(seconds: number): Promise<{ readonly count: number; readonly latencies?: Float64Array }>;
  close(): void;
}

async function loadOf(shape: EchoShape | ChurnShape, server: PeerProcess): Promise<Load> {
  if (shape.kind === 'echo') {
    const load = await EchoLoad.open({ ...shape, http2: server.peer.http2 ?? false }, server.port);
    return {
      async run(seconds) {
        const { messages, latencies } = await load.run(seconds);
        return { count: messages, latencies };
      },
      close: () => load.close(),
    };
  }
  return {
    async run(seconds) {
      moveOn();
      return { count: await churn(server.port, shape.connections, seconds) };
    },
    close() {},
  };
}

/** Lets a server get ready to be measured. */
export async function warm(shape: EchoShape | ChurnShape, server: PeerProcess, warmUp: WarmUp): Promise<void> {
  const load = await loadOf(shape, server);
  try {
    if (warmUp === 'until steady') await warmUntilSteady(load, server);
    else await warmFor(warmUp, load, server);
  } finally {
    load.close();
  }
}

async function warmUntilSteady(load: Load, server: PeerProcess): Promise<void> {
  const costs: number[] = [];
  while (!isSteady(costs) && costs.length < LONGEST / STEP) {
    const before = server.cpu();
    const { count } = await load.run(STEP);
    costs.push((server.cpu() - before) / count);
  }
}

/** A server on a busy machine may not get much of a core: its own time counts, but not for ever. */
async function warmFor(seconds: number, load: Load, server: PeerProcess): Promise<void> {
  const enough = server.cpu() + seconds / 2;
  for (let tries = 0; tries < 4; tries++) {
    await load.run(seconds);
    if (server.cpu() >= enough) return;
  }
}

/** One server under one load, measured in turns. Others have theirs in between: what disturbs one then disturbs all. */
export class Measurement {
  readonly #load: Load;
  readonly #server: PeerProcess;
  /** Of all turns: messages or connections, some of their latencies, and seconds. */
  #count = 0;
  readonly #latencies: Float64Array[] = [];
  #timed = 0;
  #elapsed = 0;
  #serverCpu = 0;
  /** That of them until the last echo was back. */
  #busy = 0;
  #clientCpu = 0;

  private constructor(load: Load, server: PeerProcess) {
    this.#load = load;
    this.#server = server;
  }

  static async begin(shape: EchoShape | ChurnShape, server: PeerProcess): Promise<Measurement> {
    return new Measurement(await loadOf(shape, server), server);
  }

  async turn(seconds: number): Promise<void> {
    try {
      await this.#load.run(PREPARATION);
      await pass(AFTERMATH);
      await this.#measure(seconds);
    } catch (error) {
      // What is left of the load is not to disturb those whose turn is next.
      this.close();
      throw error;
    }
  }

  async #measure(seconds: number): Promise<void> {
    const [{ count, latencies }, cost] = await costOf(this.#server, () => this.#load.run(seconds));
    const [, aftermath] = await costOf(this.#server, () => pass(AFTERMATH));
    this.#count += count;
    this.#elapsed += cost.elapsed;
    this.#clientCpu += cost.client;
    this.#busy += cost.server;
    this.#serverCpu += cost.server + aftermath.server;
    if (latencies !== undefined && this.#timed < MOST_LATENCIES) {
      // Its memory is that of the next turn.
      this.#latencies.push(latencies.slice());
      this.#timed += latencies.length;
    }
  }

  /** Ends it. @returns What all turns found out. */
  end(): Sample {
    this.close();
    const latencies = new Float64Array(this.#timed);
    let at = 0;
    for (const some of this.#latencies) {
      latencies.set(some, at);
      at += some.length;
    }
    return {
      cost: (this.#serverCpu * 1e6) / this.#count,
      perSecond: this.#count / this.#elapsed,
      ...(at === 0 ? {} : { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }),
      server: this.#busy / this.#elapsed,
      client: this.#clientCpu / this.#elapsed,
    };
  }

  close(): void {
    this.#load.close();
  }
}

function clientCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Waits until a process has the same memory for half a second, give or take 256 KiB; at most 5 s. */
async function settledMemory(server: PeerProcess): Promise<number> {
  let last = server.memory();
  for (let i = 0, same = 0; i < 50 && same < 5; i++) {
    await pass(100);
    const now = server.memory();
    same = Math.abs(now - last) < 256 * 1024 ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** Memory is that of a process which has served some connections before: its code is loaded. */
export async function measureIdle(shape: IdleShape, server: PeerProcess): Promise<Sample> {
  const first = new Crowd();
  await first.open(server.port, 200);
  await first.beat(0.2, 0.3);
  const crowd = new Crowd();
  try {
    const before = await settledMemory(server);
    await crowd.open(server.port, shape.connections);
    const after = await settledMemory(server);
    const [, { elapsed, ...busy }] = await costOf(server, () => crowd.beat(shape.heartbeat, shape.watch));
    if (crowd.lost > 0) throw new Error(`${crowd.lost} of ${shape.connections} connections were lost`);
    return {
      cost: (after - before) / 1024 / shape.connections,
      server: busy.server / elapsed,
      client: busy.client / elapsed,
    };
  } finally {
    first.close();
    crowd.close();
  }
}
