/**
 * The few numbers that many are summed up in.
 *
 * @module
 */

/** What several rounds come to: the middle half of them lies between the quartiles. */
export interface Summary {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

/**
 * The value that `share` of the values are not above.
 *
 * @param share - 0 to 1; 0.5 is the median.
 * @returns NaN when there are no values.
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

/** Median and quartiles. */
export function summarise(values: readonly number[]): Summary {
  return {
    median: quantile(values, 0.5),
    lowerQuartile: quantile(values, 0.25),
    upperQuartile: quantile(values, 0.75),
  };
}

/**
 * How one series compares with another, round by round: what disturbs a round disturbs both.
 *
 * @returns The ratios `of[i] / to[i]` of the rounds that both took part in, or undefined when there are none.
 */
export function ratios(
  of: readonly (number | undefined)[],
  to: readonly (number | undefined)[],
): readonly number[] | undefined {
  const found: number[] = [];
  of.forEach((value, round) => {
    const other = to[round];
    if (value !== undefined && other !== undefined && other > 0) found.push(value / other);
  });
  return found.length === 0 ? undefined : found;
}

/** So many figures in succession must bring nothing better: compilers work in several steps. */
const LOOKS = 3;
/** What counts as better. */
const BETTER = 0.95;

/** Whether a cost, measured again and again from the start of a program on, has stopped falling. */
export function isSteady(costs: readonly number[]): boolean {
  if (costs.length <= LOOKS) return false;
  return Math.min(...costs.slice(-LOOKS)) > BETTER * Math.min(...costs.slice(0, -LOOKS));
}
