/**
 * How a handler takes messages: by a callback or by iteration, in order, one at a time, and none is lost that comes
 * before the handler is ready for it.
 *
 * @module
 */
import type { Message, MessageCallback } from './connection.ts';
import { Inbox } from './inbox.ts';

/** Whether what a handler or callback returned is to be waited for. */
export function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

function ignore(): void {}

/** Whose messages they are. */
export interface IntakeOwner {
  /** What waits has become more or less. */
  waitingChanged(): void;
  /** A callback threw or rejected. */
  broke(error: unknown): void;
}

/** The messages of one connection on their way to its handler. */
export class Intake {
  readonly #owner: IntakeOwner;
  #callback: MessageCallback | undefined = undefined;
  #taken: boolean;
  /** Whether an asynchronous callback is still at work. */
  #busy = false;
  #ended = false;
  /** What waits; made when something first has to. */
  #inbox: Inbox | undefined = undefined;
  #resolve: (() => void) | undefined = undefined;
  /** Tells an iteration that a message waits, or that no more will come. */
  #wake: (() => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;
  /** What {@link forEach} has returned. */
  done: Promise<void> | undefined = undefined;

  /** @param taken - Whether somebody takes the messages already. */
  constructor(owner: IntakeOwner, taken = false) {
    this.#owner = owner;
    this.#taken = taken;
  }

  /** About how many bytes wait. */
  get waiting(): number {
    return this.#inbox === undefined ? 0 : this.#inbox.cost;
  }

  /** A message came. */
  take(data: string | Uint8Array, text: boolean): void {
    if (this.#callback !== undefined && !this.#busy) {
      this.#deliver(this.#callback, data, text);
      return;
    }
    this.#inbox ??= new Inbox();
    this.#inbox.push(data, text);
    this.#owner.waitingChanged();
    this.#stir();
  }

  /** No more messages will come; those that wait can still be taken. */
  end(): void {
    this.#ended = true;
    this.#stir();
  }

  forEach(callback: MessageCallback): Promise<void> {
    this.#claim();
    this.#callback = callback;
    this.done = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Its failure has been dealt with before it gets here, so a handler may leave this promise alone.
    this.done.catch(ignore);
    this.#deliverWaiting();
    return this.done;
  }

  /** Gives what waits to somebody who will take by other ways what comes from now on. */
  giveAll(callback: MessageCallback): void {
    this.#claim();
    for (let next = this.#inbox?.shift(); next !== undefined; next = this.#inbox?.shift())
      callback(next.data, next.text);
    this.#owner.waitingChanged();
  }

  async *iterate(): AsyncGenerator<Message, void, undefined> {
    this.#claim();
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    try {
      while (true) {
        const message = this.#inbox?.shift();
        if (message !== undefined) {
          this.#owner.waitingChanged();
          yield message.text && typeof message.data !== 'string' ? decoder.decode(message.data) : message.data;
        } else if (this.#ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#taken = false;
      this.#wake = undefined;
    }
  }

  #claim(): void {
    if (this.#taken) throw new TypeError('the messages of this connection are being taken already');
    this.#taken = true;
  }

  #deliver(callback: MessageCallback, data: string | Uint8Array, text: boolean): void {
    let result: unknown;
    try {
      result = callback(data, text);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (isThenable(result)) this.#await(result);
  }

  #await(result: PromiseLike<unknown>): void {
    this.#busy = true;
    result.then(
      () => {
        this.#busy = false;
        this.#deliverWaiting();
      },
      (error: unknown) => {
        this.#busy = false;
        this.#failed(error);
      },
    );
  }

  #deliverWaiting(): void {
    while (!this.#busy && this.#callback !== undefined) {
      const message = this.#inbox?.shift();
      if (message === undefined) break;
      this.#deliver(this.#callback, message.data, message.text);
    }
    this.#owner.waitingChanged();
    this.#stir();
  }

  /** Goes on with an iteration that waits; sees whether all was taken that will ever come. */
  #stir(): void {
    this.#wake?.();
    if (this.#ended && !this.#busy && this.waiting === 0) this.#resolve?.();
  }

  #failed(error: unknown): void {
    this.#callback = undefined;
    this.#inbox?.clear();
    this.#reject?.(error);
    this.#owner.broke(error);
  }
}
