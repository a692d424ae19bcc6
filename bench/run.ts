/**
 * Rounds: every peer in turn, in another order each time.
 *
 * @module
 */
import type { Cores } from './machine.ts';
import { measure, type Sample, type WarmUp } from './measure.ts';
import { type Peer, referenceOf } from './peers.ts';
import { PeerProcess } from './process.ts';
import { type Rounds, resultOf, type ShapeResult } from './results.ts';
import type { Shape } from './shapes.ts';

/** How a shape is measured. */
export interface Plan {
  readonly cores: Cores;
  readonly rounds: number;
  readonly seconds: number;
  /** Is told how things go. */
  readonly progress: (line: string) => void;
  /** Before the first measurement of a peer. Default: until steady. */
  readonly firstWarmUp?: WarmUp;
  /** Servers that run already, and go on running afterwards. Default: each shape has its own. */
  readonly servers?: Map<Peer, PeerProcess>;
}

/** A very large crowd takes its time, and its memory varies little. */
const MOST_IDLE_ROUNDS = 3;

/** Later, a peer has only to get back to where it was. */
const warmUpOf = (round: number, { seconds, firstWarmUp = 'until steady' }: Plan): WarmUp =>
  round === 0 ? firstWarmUp : Math.max(0.1, seconds / 4);

/** The peers, beginning with another one each round. */
export function rotated<T>(items: readonly T[], round: number): readonly T[] {
  const at = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/** Measures peers in one shape. A peer that fails is out of it, and its failure is in the result. */
export async function runShape(shape: Shape, peers: readonly Peer[], plan: Plan): Promise<ShapeResult> {
  const { cores, seconds, progress } = plan;
  const rounds = shape.kind === 'idle' ? Math.min(plan.rounds, MOST_IDLE_ROUNDS) : plan.rounds;
  const running = plan.servers ?? new Map<Peer, PeerProcess>();
  const samples = new Map(peers.map((peer) => [peer, [] as (Sample | undefined)[]]));
  const failures = new Map<Peer, string>();

  const once = async (peer: Peer, round: number): Promise<Sample> => {
    if (shape.kind === 'idle') {
      // What is measured is how its memory grows, which it does but once.
      const server = await PeerProcess.start(peer, cores, peer.crowdFlags);
      try {
        return await measure(shape, server, 0, seconds);
      } finally {
        await server.stop();
      }
    }
    const server = running.get(peer) ?? (await PeerProcess.start(peer, cores));
    running.set(peer, server);
    return measure(shape, server, warmUpOf(round, plan), seconds);
  };

  try {
    for (let round = 0; round < rounds; round++) {
      for (const peer of rotated(peers, round)) {
        if (failures.has(peer)) continue;
        try {
          const sample = await once(peer, round);
          const list = samples.get(peer) ?? [];
          list[round] = sample;
          progress(`${shape.id} round ${round + 1} of ${rounds}: ${peer.id} ${sample.cost.toPrecision(4)}`);
        } catch (error) {
          const why = (error as Error).message.split('\n')[0] ?? '';
          failures.set(peer, why);
          progress(`${shape.id} round ${round + 1} of ${rounds}: ${peer.id} FAILED: ${why}`);
        }
      }
    }
  } finally {
    if (plan.servers === undefined) await Promise.all([...running.values()].map((server) => server.stop()));
  }

  const all = peers.map((peer): Rounds => {
    const failure = failures.get(peer);
    const list = Array.from({ length: rounds }, (_, round) => samples.get(peer)?.[round]);
    return { peer, samples: list, ...(failure === undefined ? {} : { failure }) };
  });
  return resultOf(shape, all, (peer) => referenceOf(peer, peers));
}
