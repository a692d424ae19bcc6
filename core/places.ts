/**
 * One limit of connections for several processes. Every place is asked for before its connection opens, and given back
 * when it is gone, so that the total is exact however unevenly connections come.
 *
 * @module
 */

/** Where a connection gets its place from. */
export interface Claim {
  /** Whether there was a place, which is the caller's then. */
  take(): Promise<boolean>;
  /** Gives one back. */
  give(): void;
}

/** Who has how many places, for whoever counts for all. */
export class Places<Holder> {
  readonly #limit: number;
  readonly #held = new Map<Holder, number>();
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many are taken, by all. */
  get taken(): number {
    return this.#taken;
  }

  /** Gives a holder as many as are left of those that it wants, and tells how many that are. */
  take(holder: Holder, wanted: number): number {
    const granted = Math.min(wanted, this.#limit - this.#taken);
    this.#add(holder, granted);
    return granted;
  }

  /** Takes some back. */
  give(holder: Holder, count: number): void {
    this.#add(holder, -count);
  }

  /** Takes all back that a holder has which is no more, and tells how many these were. */
  leave(holder: Holder): number {
    const held = this.#held.get(holder) ?? 0;
    this.#held.delete(holder);
    this.#taken -= held;
    return held;
  }

  #add(holder: Holder, count: number): void {
    this.#held.set(holder, (this.#held.get(holder) ?? 0) + count);
    this.#taken += count;
  }
}

/** Questions to somebody who answers in the order in which they were asked. */
export class Questions<Answer> {
  readonly #waiting: ((answer: Answer) => void)[] = [];

  /** How many wait for their answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves with the answer. */
  ask(): Promise<Answer> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Answers the one that has waited longest, if there is one. */
  answer(answer: Answer): void {
    this.#waiting.shift()?.(answer);
  }
}
