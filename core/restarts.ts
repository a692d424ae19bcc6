/**
 * When a worker that ended is replaced: at once, unless they end again and again.
 *
 * @module
 */

/** One that served for so long, in milliseconds, ended by no fault of its start. */
const LONG = 10_000;
/** The wait before the second replacement in a row, in milliseconds. Each one more doubles it. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 30_000;
/** How many ends in a row, with nobody left who serves, are proof that there is no use in another try. */
const TRIES = 5;

/** What is known of a worker that ended. */
export interface WorkerEnd {
  /** How long it served, in milliseconds; 0 where it never did. */
  readonly served: number;
  /** How many others are serving. */
  readonly serving: number;
}

/** Counts the ends that come soon after a start. */
export class Restarts {
  #soon = 0;

  /** The milliseconds after which another is to be started; `undefined` where that would be of no use. */
  after({ served, serving }: WorkerEnd): number | undefined {
    if (served >= LONG) this.#soon = 0;
    const before = this.#soon++;
    if (served === 0 && serving === 0 && this.#soon >= TRIES) return undefined;
    return before === 0 ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (before - 1));
  }
}
