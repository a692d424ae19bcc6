/** Time that passes when a test says so. */

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeClock {
  /** How much later than asked a timer fires. */
  lateness: () => number = () => 0;
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now = 1000.25) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;

  readonly after = (milliseconds: number, callback: () => void): (() => void) => {
    const timer = { at: this.#now + milliseconds + this.lateness(), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and fires each timer at its time. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
    }
    this.#now = end;
  }

  /** Lets time pass while the event loop is blocked: no timer fires until the next {@link pass}. */
  block(milliseconds: number): void {
    this.#now += milliseconds;
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}

/** Lets everything run that waits for no more than promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
