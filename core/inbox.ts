/**
 * Messages that came before the handler was ready for them.
 *
 * @module
 */

/** What one waiting message counts for besides its payload, so that empty ones are not free. */
const OVERHEAD = 64;

interface Waiting {
  readonly data: string | Uint8Array;
  readonly text: boolean;
}

/** A queue of messages that knows what it costs. */
export class Inbox {
  /** About how many bytes wait. */
  cost = 0;
  #messages: Waiting[] = [];
  #first = 0;

  push(data: string | Uint8Array, text: boolean): void {
    this.#messages.push({ data: owned(data), text });
    this.cost += data.length + OVERHEAD;
  }

  shift(): Waiting | undefined {
    const message = this.#messages[this.#first];
    if (message === undefined) return undefined;
    this.#first++;
    this.cost -= message.data.length + OVERHEAD;
    // Shifting an array is linear in its length; dropping the taken half now and then is not, on the whole.
    if (this.#first * 2 >= this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    return message;
  }

  clear(): void {
    this.#messages = [];
    this.#first = 0;
    this.cost = 0;
  }
}

/** A small view would keep the whole chunk that it was received in alive for as long as it waits. */
function owned(data: string | Uint8Array): string | Uint8Array {
  if (typeof data === 'string' || data.byteLength * 2 > data.buffer.byteLength) return data;
  return new Uint8Array(data);
}
