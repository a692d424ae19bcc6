/**
 * One measurement: one peer, one shape, one round.
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
import type { ChurnShape, EchoShape, IdleShape, Shape } from './shapes.ts';
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

interface Cost {
  /** Seconds. */
  readonly elapsed: number;
  readonly server: number;
  readonly client: number;
}

const clientCpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Runs something and says what it took. */
async function costOf<T>(server: PeerProcess, run: () => Promise<T>): Promise<[value: T, cost: Cost]> {
  const [start, cpu, own] = [performance.now(), server.cpu(), clientCpu()];
  const value = await run();
  const elapsed = (performance.now() - start) / 1000;
  return [value, { elapsed, server: server.cpu() - cpu, client: clientCpu() - own }];
}

/**
 * What runs unmeasured before a measurement: the same load for so many seconds, longer where the server gets less of a
 * core, or until what it costs has stopped falling. Compilers can take seconds.
 */
export type WarmUp = number | 'until steady';

/** In seconds: what is looked at as one, and the most in all. */
const SLICE = 0.4;
const LONGEST = 8;

/** @param run - Runs the load for so many seconds; answers how many messages or connections that were. */
async function warm(server: PeerProcess, warmUp: WarmUp, run: (seconds: number) => Promise<number>): Promise<void> {
  if (warmUp === 'until steady') {
    const costs: number[] = [];
    while (!isSteady(costs) && costs.length < LONGEST / SLICE) {
      const before = server.cpu();
      const count = await run(SLICE);
      costs.push((server.cpu() - before) / count);
    }
    return;
  }
  // A server on a busy machine may not get much of a core: its own time counts, but not for ever.
  const enough = server.cpu() + warmUp / 2;
  for (let tries = 0; tries < 4; tries++) {
    await run(warmUp);
    if (server.cpu() >= enough) return;
  }
}

const shares = ({ elapsed, server, client }: Cost) => ({ server: server / elapsed, client: client / elapsed });

async function measureEcho(shape: EchoShape, server: PeerProcess, warmUp: WarmUp, seconds: number): Promise<Sample> {
  const load = await EchoLoad.open({ ...shape, http2: server.peer.http2 ?? false }, server.port);
  try {
    await warm(server, warmUp, async (slice) => (await load.run(slice)).messages);
    const [{ messages, latencies }, cost] = await costOf(server, () => load.run(seconds));
    return {
      cost: (cost.server * 1e6) / messages,
      perSecond: messages / cost.elapsed,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      ...shares(cost),
    };
  } finally {
    load.close();
  }
}

async function measureChurn(shape: ChurnShape, server: PeerProcess, warmUp: WarmUp, seconds: number): Promise<Sample> {
  moveOn();
  await warm(server, warmUp, (slice) => churn(server.port, shape.connections, slice));
  moveOn();
  const [count, cost] = await costOf(server, () => churn(server.port, shape.connections, seconds));
  return { cost: (cost.server * 1e6) / count, perSecond: count / cost.elapsed, ...shares(cost) };
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
async function measureIdle(shape: IdleShape, server: PeerProcess): Promise<Sample> {
  const first = new Crowd();
  await first.open(server.port, 200);
  await first.beat(0.2, 0.3);
  const crowd = new Crowd();
  try {
    const before = await settledMemory(server);
    await crowd.open(server.port, shape.connections);
    const after = await settledMemory(server);
    const [, cost] = await costOf(server, () => crowd.beat(shape.heartbeat, shape.watch));
    if (crowd.lost > 0) throw new Error(`${crowd.lost} of ${shape.connections} connections were lost`);
    return { cost: (after - before) / 1024 / shape.connections, ...shares(cost) };
  } finally {
    first.close();
    crowd.close();
  }
}

/** Measures once. */
export function measure(shape: Shape, server: PeerProcess, warmUp: WarmUp, seconds: number): Promise<Sample> {
  if (shape.kind === 'echo') return measureEcho(shape, server, warmUp, seconds);
  if (shape.kind === 'churn') return measureChurn(shape, server, warmUp, seconds);
  return measureIdle(shape, server);
}
