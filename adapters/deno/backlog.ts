/**
 * How much waits to be sent. Deno tells only how many bytes of payload do, but a message that waits costs memory whatever
 * its size, and an empty one leaves no trace in `bufferedAmount` at all.
 *
 * @module
 */

/** About what a message that waits costs besides its payload, in bytes. */
const OVERHEAD = 384;
/** So many messages are counted as one step. */
const STEP = 32;
/** What an empty message counts for, in bytes, and how many of them are taken to have left in a second. */
const EMPTY = 128;
const EMPTY_PER_SECOND = 100;
/** What nobody needs to know of. To ask Deno costs a tenth of an echo: it is asked where more than this may wait. */
export const LITTLE = 64 * 1024;

const NONE: number[] = [];

/** Estimates from above, and never far off for a client that reads. */
export class Backlog {
  /** Payload bytes that were ever sent. */
  #sent = 0;
  /** Messages since the last step. */
  #fresh = 0;
  /** The most that may wait, in bytes of memory, without the empty messages. */
  #most = 0;
  /** How many bytes had been sent at each step that may still wait. The list is shared by all that have none. */
  #steps: number[] = NONE;
  /** Empty messages at the end of all, and when they were last looked at, in milliseconds. */
  #empty = 0;
  #lookedAt = 0;

  /**
   * A message was sent that is not empty.
   *
   * @param bytes - Its length, for a string about.
   * @returns Whether little waits for certain.
   */
  add(bytes: number): boolean {
    this.#empty = 0;
    this.#count(bytes);
    this.#most += bytes + OVERHEAD;
    return this.#most < LITTLE;
  }

  /** An empty message was sent. */
  addEmpty(now: number): void {
    this.#count(0);
    this.#letEmptyLeave(now);
    this.#empty++;
  }

  #count(bytes: number): void {
    this.#sent += bytes;
    if (++this.#fresh < STEP) return;
    this.#fresh = 0;
    if (this.#steps === NONE) this.#steps = [];
    this.#steps.push(this.#sent);
  }

  /** What waits, in bytes of memory. @param buffered - What Deno says of the payload. */
  estimate(buffered: number, now: () => number): number {
    if (buffered === 0) {
      this.#steps = NONE;
      this.#fresh = 0;
      this.#most = 0;
      if (this.#empty === 0) return 0;
      this.#letEmptyLeave(now());
      return this.#empty * EMPTY;
    }
    const left = this.#sent - buffered;
    while (this.#steps[0] !== undefined && this.#steps[0] < left) this.#steps.shift();
    this.#most = buffered + (this.#steps.length * STEP + this.#fresh) * OVERHEAD;
    return this.#most;
  }

  #letEmptyLeave(now: number): void {
    this.#empty = Math.max(0, this.#empty - ((now - this.#lookedAt) * EMPTY_PER_SECOND) / 1000);
    this.#lookedAt = now;
  }
}
