/**
 * How the server must at least compare with the bare engine of its runtime, in messages per second of server CPU.
 *
 * @module
 */

/** A line that must not be gone below. */
export interface Floor {
  /** A peer of the benchmark. */
  readonly peer: string;
  /** A shape of the benchmark. */
  readonly shape: '64x1' | '64x32' | '16k' | '1m' | 'churn';
  readonly floor: number;
}

/**
 * 60 % of what a quiet machine shows, or less where that swings: what falls below is no noise. To find a smaller loss, compare two runs of
 * `npm run bench`.
 */
export const floors: readonly Floor[] = [
  { peer: 'ours-node', shape: '64x32', floor: 8 },
  { peer: 'ours-node', shape: '64x1', floor: 0.65 },
  { peer: 'ours-node', shape: '16k', floor: 0.9 },
  { peer: 'ours-node', shape: '1m', floor: 1 },
  { peer: 'ours-node', shape: 'churn', floor: 0.5 },
  { peer: 'ours-bun-native', shape: '64x32', floor: 0.58 },
  { peer: 'ours-bun-native', shape: '64x1', floor: 0.5 },
  { peer: 'ours-bun-native', shape: '16k', floor: 0.55 },
  { peer: 'ours-bun-native', shape: '1m', floor: 0.5 },
  { peer: 'ours-bun-native', shape: 'churn', floor: 0.35 },
  { peer: 'ours-bun-portable', shape: '64x32', floor: 0.75 },
  { peer: 'ours-bun-portable', shape: '64x1', floor: 0.45 },
  { peer: 'ours-bun-portable', shape: '16k', floor: 0.6 },
  { peer: 'ours-bun-portable', shape: '1m', floor: 0.45 },
  { peer: 'ours-deno-native', shape: '64x32', floor: 0.5 },
  { peer: 'ours-deno-native', shape: '64x1', floor: 0.5 },
  { peer: 'ours-deno-native', shape: '16k', floor: 0.5 },
  { peer: 'ours-deno-native', shape: '1m', floor: 0.5 },
  { peer: 'ours-deno-native', shape: 'churn', floor: 0.5 },
  { peer: 'ours-deno-portable', shape: '64x32', floor: 8 },
  { peer: 'ours-deno-portable', shape: '64x1', floor: 0.5 },
  { peer: 'ours-deno-portable', shape: '16k', floor: 0.75 },
  { peer: 'ours-deno-portable', shape: '1m', floor: 0.5 },
];
