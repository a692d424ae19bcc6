/**
 * How much a machine that is busy with other things adds to what is measured on it.
 *
 * @module
 */

/** Measures, from now on, how late this process gets to run what is due. */
export class Lag {
  #most = 0;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#most = Math.max(this.#most, now - last - 5);
      last = now;
    }, 5);
  }

  /** The greatest delay so far, in milliseconds. */
  get most(): number {
    return this.#most;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
