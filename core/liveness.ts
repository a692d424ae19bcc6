/**
 * The one clock of a server. It is told the time and answers which connections are to be pinged and which are to be
 * ended: the 2·X rule, keep-alive, readers that stand still, closing handshakes that nobody answers.
 *
 * A message costs one assignment ({@link Watched.seen}); nothing is moved or re-armed. Each connection waits in a timing
 * wheel for its next deadline and is looked at only then, so the watch costs about one look per connection and 2·X.
 *
 * @module
 */

/** What to do with a connection. */
export type Verdict = 'ping' | 'idle-timeout' | 'keep-alive-timeout' | 'slow-consumer' | 'terminate';

/** Times in milliseconds; 0 switches a rule off. */
export interface LivenessOptions {
  /** Silence after which a connection is ended: 2·X. */
  readonly idleTimeout: number;
  /** Time between two PINGs. */
  readonly keepAliveInterval: number;
  /** Longest wait for a PONG. */
  readonly keepAliveTimeout: number;
  /** Longest time that a queue over its limit may stand still. */
  readonly stallTimeout: number;
}

/** Stands for 'not happening' in the times below. */
export const NEVER = -1;

/** What the clock knows of one connection. Times are those of {@link Liveness.now}. */
export abstract class Watched {
  /** When the last message came. Set it to {@link Liveness.now}. */
  seen = 0;
  /** Whether reading is paused: what the peer does can't be seen then, so nothing is concluded from its silence. */
  paused = false;
  /** When the last PING was sent. */
  pinged = 0;
  /** When the oldest PING was sent that no PONG has followed, or {@link NEVER}. */
  unanswered: number = NEVER;
  /** When the queue was last seen to move while it was over its limit, or {@link NEVER}. */
  stalled: number = NEVER;
  /** When the closing handshake has to be over, or {@link NEVER} while there is none. */
  closeBy: number = NEVER;

  // The wheel's own.
  slot: number = NEVER;
  previous: Watched | undefined = undefined;
  next: Watched | undefined = undefined;

  /** Sets {@link stalled} anew where the queue has moved since the last call. Asked only of one that is stalled. */
  abstract lookAtQueue(): void;
}

const SLOTS = 1024;
/** The list of those that are being looked at. */
const CURRENT = SLOTS;
/** A standing queue is looked at so many times per stallTimeout. */
const STALL_LOOKS = 10;

/** The clock. Its owner calls {@link advance} every {@link resolution} milliseconds while {@link size} is not 0. */
export class Liveness<T extends Watched> {
  /** Milliseconds between two calls of {@link advance}: 0.5 % of 2·X, within 5 and 100 ms. */
  readonly resolution: number;
  /** The time of the last {@link advance}. Read instead of a real clock where a hundredth of 2·X does not matter. */
  now: number;
  /** How many connections are watched. */
  size = 0;

  readonly #options: LivenessOptions;
  /**
   * The time of the call of {@link advance} before the last. What came until then has been read since; after a blocked
   * event loop, what came later may still wait to be read. Nothing is concluded from a silence after this time.
   */
  #heard: number;
  readonly #slots: (Watched | undefined)[] = new Array(SLOTS + 1).fill(undefined);
  /** Index, in units of the resolution, of the next slot to look at. */
  #cursor: number;
  /** How far apart two calls may be before it is remembered. */
  readonly #usualGap: number;
  /** Calls that came late: a `seen` equal to `from` may mean a message that came just before `to`. */
  #late: { from: number; to: number }[] = [];

  constructor(options: LivenessOptions, now: number) {
    this.#options = options;
    const shortest = options.idleTimeout || 10_000;
    this.resolution = Math.min(100, Math.max(5, Math.floor(shortest / 200)));
    this.#usualGap = Math.ceil(this.resolution * 1.5);
    this.now = now;
    this.#heard = now;
    this.#cursor = Math.floor(now / this.resolution) + 1;
  }

  /**
   * Watches a connection from now on.
   *
   * @param now - The real time. It becomes {@link now} where nothing was watched, and so nobody called {@link advance}.
   */
  add(watched: T, now: number): void {
    if (this.size === 0) {
      this.now = now;
      this.#cursor = Math.floor(now / this.resolution) + 1;
      this.#late = [];
    }
    this.size++;
    watched.seen = this.now;
    watched.pinged = this.now;
    this.#insert(watched);
  }

  /** Stops watching. Harmless when it is not watched. */
  remove(watched: T): void {
    if (watched.slot === NEVER) return;
    this.#unlink(watched);
    this.size--;
  }

  /** To be called after `paused`, `stalled` or `closeBy` was changed; a later `seen` needs no call. */
  update(watched: T): void {
    if (watched.slot === NEVER) return;
    this.#unlink(watched);
    this.#insert(watched);
  }

  /**
   * Moves the clock on.
   *
   * @param now - The real time in milliseconds.
   * @param act - Is called for each connection that something is to be done with. It may add, remove and update.
   */
  advance(now: number, act: (watched: T, verdict: Verdict) => void): void {
    while (this.#late[0] !== undefined && this.#late[0].to + this.#options.idleTimeout < this.now) this.#late.shift();
    if (now - this.now > this.#usualGap) this.#late.push({ from: this.now, to: now });
    this.#heard = this.now;
    this.now = now;
    const until = Math.floor(now / this.resolution);
    // After a long sleep every slot is looked at once, not once for each turn that was missed.
    if (until - this.#cursor >= SLOTS) this.#cursor = until - SLOTS + 1;
    // The cursor moves first: what is put back while a slot is looked at must not land in that slot.
    while (this.#cursor <= until) this.#look(this.#cursor++ % SLOTS, act);
  }

  #look(slot: number, act: (watched: T, verdict: Verdict) => void): void {
    const slots = this.#slots;
    slots[CURRENT] = slots[slot];
    slots[slot] = undefined;
    for (let watched = slots[CURRENT]; watched !== undefined; watched = watched.next) watched.slot = CURRENT;
    for (let watched = slots[CURRENT]; watched !== undefined; watched = slots[CURRENT]) {
      const verdict = this.#judge(watched);
      // A look at its queue may have brought its end to light.
      if (watched.slot === NEVER) continue;
      this.#unlink(watched);
      this.#insert(watched);
      // Everything in the wheel came in through add().
      if (verdict !== undefined) act(watched as T, verdict);
    }
  }

  /** What is due for a connection now, if anything. Writes down what it decides, so that it is decided once. */
  #judge(watched: Watched): Verdict | undefined {
    const heard = this.#heard;
    if (watched.closeBy !== NEVER) return heard >= watched.closeBy ? 'terminate' : undefined;
    if (watched.stalled !== NEVER) {
      watched.lookAtQueue();
      if (watched.stalled !== NEVER && heard >= watched.stalled + this.#options.stallTimeout) return 'slow-consumer';
    }
    if (!watched.paused) {
      if (heard >= this.#idleDeadline(watched)) return 'idle-timeout';
      if (heard >= this.#pongDeadline(watched)) return 'keep-alive-timeout';
    }
    if (this.now >= this.#pingDeadline(watched)) {
      watched.pinged = this.now;
      if (watched.unanswered === NEVER) watched.unanswered = this.now;
      return 'ping';
    }
    return undefined;
  }

  #idleDeadline(watched: Watched): number {
    if (this.#options.idleTimeout === 0) return Number.POSITIVE_INFINITY;
    // The message came after `seen` and before the next advance(): never end a connection early.
    let latest = watched.seen + this.#usualGap;
    for (const gap of this.#late) if (gap.from === watched.seen) latest = gap.to;
    return latest + this.#options.idleTimeout;
  }

  #pongDeadline(watched: Watched): number {
    if (this.#options.keepAliveTimeout === 0 || watched.unanswered === NEVER) return Number.POSITIVE_INFINITY;
    return watched.unanswered + this.#options.keepAliveTimeout;
  }

  #pingDeadline(watched: Watched): number {
    if (this.#options.keepAliveInterval === 0) return Number.POSITIVE_INFINITY;
    return watched.pinged + this.#options.keepAliveInterval;
  }

  #nextLook(watched: Watched): number {
    const options = this.#options;
    if (watched.closeBy !== NEVER) return watched.closeBy;
    let due = this.#pingDeadline(watched);
    if (!watched.paused) due = Math.min(due, this.#idleDeadline(watched), this.#pongDeadline(watched));
    if (watched.stalled !== NEVER) due = Math.min(due, this.now + options.stallTimeout / STALL_LOOKS);
    return due;
  }

  #insert(watched: Watched): void {
    // Not before the next advance(): none is looked at twice in one.
    const nearest = Math.floor(this.now / this.resolution) + 1;
    const farthest = this.#cursor + SLOTS - 1;
    const index = Math.min(farthest, Math.max(nearest, Math.ceil(this.#nextLook(watched) / this.resolution)));
    const slot = index % SLOTS;
    const head = this.#slots[slot];
    watched.slot = slot;
    watched.previous = undefined;
    watched.next = head;
    if (head !== undefined) head.previous = watched;
    this.#slots[slot] = watched;
  }

  #unlink(watched: Watched): void {
    const { previous, next } = watched;
    if (previous === undefined) this.#slots[watched.slot] = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    watched.previous = undefined;
    watched.next = undefined;
    watched.slot = NEVER;
  }
}
