/**
 * What a run found out: the form of the JSON file, and how rounds become figures.
 *
 * @module
 */
import type { Machine } from './machine.ts';
import type { Sample } from './measure.ts';
import type { Peer, PeerKind } from './peers.ts';
import type { RuntimeName } from './runtimes.ts';
import type { Shape } from './shapes.ts';
import { quantile, ratios, type Summary, summarise } from './statistics.ts';

/** One peer's figures in one shape. Of absolute figures these are the medians over the rounds. */
export interface PeerResult {
  readonly id: string;
  readonly title: string;
  readonly runtime: RuntimeName;
  readonly kind: PeerKind;
  /** Whom the ratio is to. */
  readonly reference?: string;
  /** How often over it does what the reference does, for the same cost; of memory, how much it takes of its. */
  readonly ratio?: Summary;
  /** Figures as {@link Sample} has them. */
  readonly cost?: Summary;
  readonly perSecond?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly server?: number;
  readonly client?: number;
  /** Why there are no figures, or not of every round. */
  readonly failure?: string;
  readonly rounds: readonly (Sample | null)[];
}

/** All peers in one shape. */
export interface ShapeResult {
  readonly id: string;
  readonly title: string;
  readonly kind: Shape['kind'];
  readonly connections: number;
  readonly peers: readonly PeerResult[];
}

/** A run. */
export interface Results {
  /** Day, as 2030-01-31. */
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  /** What a reader of the figures must know. */
  readonly notes: readonly string[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
  readonly shapes: readonly ShapeResult[];
}

/** What the rounds of one peer came to. */
export interface Rounds {
  readonly peer: Peer;
  readonly samples: readonly (Sample | undefined)[];
  readonly failure?: string;
}

function medianOf(samples: readonly Sample[], what: 'perSecond' | 'p50' | 'p99' | 'server' | 'client') {
  const values = samples.flatMap((sample) => sample[what] ?? []);
  return values.length === 0 ? {} : { [what]: quantile(values, 0.5) };
}

/** Sums up the rounds of a shape. */
export function resultOf(
  shape: Shape,
  all: readonly Rounds[],
  referenceOf: (peer: Peer) => Peer | undefined,
): ShapeResult {
  const peers = all.map(({ peer, samples, failure }): PeerResult => {
    const reference = all.find((other) => other.peer.id === referenceOf(peer)?.id);
    const costs = samples.map((sample) => sample?.cost);
    const others = reference?.samples.map((sample) => sample?.cost) ?? [];
    // Memory is compared as it is; of CPU time, less for a message is more messages.
    const compared = shape.kind === 'idle' ? ratios(costs, others) : ratios(others, costs);
    const present = samples.filter((sample) => sample !== undefined);
    return {
      id: peer.id,
      title: peer.title,
      runtime: peer.runtime,
      kind: peer.kind,
      ...(reference === undefined ? {} : { reference: reference.peer.id }),
      ...(compared === undefined ? {} : { ratio: summarise(compared) }),
      ...(present.length === 0 ? {} : { cost: summarise(present.map(({ cost }) => cost)) }),
      ...medianOf(present, 'perSecond'),
      ...medianOf(present, 'p50'),
      ...medianOf(present, 'p99'),
      ...medianOf(present, 'server'),
      ...medianOf(present, 'client'),
      ...(failure === undefined ? {} : { failure }),
      rounds: samples.map((sample) => sample ?? null),
    };
  });
  const { id, title, kind, connections } = shape;
  return { id, title, kind, connections, peers };
}

/** Says where the client, not the server, set the pace: messages a second are then no figure of the server's. */
export function bottlenecks(shapes: readonly ShapeResult[]): string[] {
  return shapes.flatMap(({ id, kind, peers }) => {
    const slow = peers.filter(({ server = 0, client = 0 }) => kind !== 'idle' && client > 0.9 && server < 0.9);
    if (slow.length === 0) return [];
    const names = slow.map((peer) => peer.id).join(', ');
    return [`${id}: the client's core was full before the server's with ${names}; only their CPU figures count.`];
  });
}
