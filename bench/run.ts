/**
 * Rounds, and turns within them: every peer in turn, beginning with another one each time.
 *
 * @module
 */
import type { Cores } from './machine.ts';
import { Measurement, measureIdle, type Sample, type WarmUp, warm } from './measure.ts';
import { type Peer, referenceOf } from './peers.ts';
import { PeerProcess } from './process.ts';
import { type Rounds, resultOf, type ShapeResult } from './results.ts';
import type { ChurnShape, EchoShape, IdleShape, Shape } from './shapes.ts';

/** How a shape is measured. */
export interface Plan {
  readonly cores: Cores;
  readonly rounds: number;
  /** How long each round measures each peer. */
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

/** In another order each turn, backwards every other time, so that none always follows the same one. */
export function rotated<T>(items: readonly T[], turn: number): readonly T[] {
  const at = items.length === 0 ? 0 : turn % items.length;
  const order = [...items.slice(at), ...items.slice(0, at)];
  return turn % 2 === 0 ? order : order.reverse();
}

/** About how long a turn is, in seconds. */
const TURN = 0.2;

/** Measures peers in one shape. A peer that fails is out of it, and its failure is in the result. */
export async function runShape(shape: Shape, peers: readonly Peer[], plan: Plan): Promise<ShapeResult> {
  const rounds = shape.kind === 'idle' ? Math.min(plan.rounds, MOST_IDLE_ROUNDS) : plan.rounds;
  const field = new Field(shape.id, peers, plan);
  if (shape.kind === 'idle') await runIdle(shape, rounds, field);
  else await runInTurns(shape, rounds, field);
  const all = peers.map((peer): Rounds => {
    const failure = field.failures.get(peer);
    const samples = Array.from({ length: rounds }, (_, round) => field.samples.get(peer)?.[round]);
    return { peer, samples, ...(failure === undefined ? {} : { failure }) };
  });
  return resultOf(shape, all, (peer) => referenceOf(peer, peers));
}

/** Those who are measured, and what came of it. */
class Field {
  readonly plan: Plan;
  readonly samples: ReadonlyMap<Peer, Sample[]>;
  readonly failures = new Map<Peer, string>();
  readonly #peers: readonly Peer[];
  readonly #shape: string;

  constructor(shape: string, peers: readonly Peer[], plan: Plan) {
    this.plan = plan;
    this.samples = new Map(peers.map((peer) => [peer, []]));
    this.#peers = peers;
    this.#shape = shape;
  }

  /** Does something with all who have not failed, one after the other. */
  async each(turn: number, act: (peer: Peer) => Promise<void>): Promise<void> {
    for (const peer of rotated(this.#peers, turn)) {
      if (this.failures.has(peer)) continue;
      try {
        await act(peer);
      } catch (error) {
        const why = (error as Error).message.split('\n')[0] ?? '';
        this.failures.set(peer, why);
        this.plan.progress(`${this.#shape}: ${peer.id} FAILED: ${why}`);
      }
    }
  }

  keep(peer: Peer, round: number, sample: Sample): void {
    (this.samples.get(peer) as Sample[])[round] = sample;
    this.plan.progress(`${this.#shape} round ${round + 1}: ${peer.id} ${sample.cost.toPrecision(4)}`);
  }
}

async function runIdle(shape: IdleShape, rounds: number, field: Field): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await field.each(round, async (peer) => {
      // What is measured is how its memory grows, which it does but once.
      const server = await PeerProcess.start(peer, field.plan.cores, peer.crowdFlags);
      try {
        field.keep(peer, round, await measureIdle(shape, server));
      } finally {
        await server.stop();
      }
    });
  }
}

async function runInTurns(shape: EchoShape | ChurnShape, rounds: number, field: Field): Promise<void> {
  const { cores, seconds, firstWarmUp = 'until steady', servers } = field.plan;
  const running = servers ?? new Map<Peer, PeerProcess>();
  const turns = Math.max(1, Math.round(seconds / TURN));
  try {
    await field.each(0, async (peer) => {
      const server = running.get(peer) ?? (await PeerProcess.start(peer, cores));
      running.set(peer, server);
      await warm(shape, server, firstWarmUp);
    });
    for (let round = 0; round < rounds; round++) {
      // Opened anew each round: in a longer one, peers might take those who wait for their turn for gone.
      const measurements = new Map<Peer, Measurement>();
      const of = (peer: Peer) => measurements.get(peer) as Measurement;
      try {
        await field.each(round, async (peer) => {
          measurements.set(peer, await Measurement.begin(shape, running.get(peer) as PeerProcess));
        });
        for (let turn = 0; turn < turns; turn++) {
          await field.each(round * turns + turn, (peer) => of(peer).turn(seconds / turns));
        }
        await field.each(0, async (peer) => field.keep(peer, round, of(peer).end()));
      } finally {
        for (const measurement of measurements.values()) measurement.close();
      }
    }
  } finally {
    if (servers === undefined) await Promise.all([...running.values()].map((server) => server.stop()));
  }
}
