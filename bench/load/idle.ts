/**
 * Very many connections that are silent, or say one short message every X seconds.
 *
 * @module
 */
import { frame, opcode } from '../../test/support/raw.ts';
import { pass, within } from '../../test/support/wait.ts';
import { moveOn, sourceAddress } from './addresses.ts';
import { openTcp, requestTo, type Wire } from './wire.ts';

const heartbeat = frame(opcode.text, 'x');
const pong = frame(opcode.pong);
/** So many are opened at a time. */
const BATCH = 100;
/** Milliseconds between two messages of the heartbeats' clock. */
const TICK = 20;

/** A crowd of connections to one server. */
export class Crowd {
  readonly #wires: Wire[] = [];
  #next = 0;
  #lost = 0;

  /** How many the server has ended. */
  get lost(): number {
    return this.#lost;
  }

  /** Opens so many more. */
  async open(port: number, count: number): Promise<void> {
    const request = requestTo(port);
    moveOn();
    for (let at = 0; at < count; at += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - at) }, (_, i) =>
        openTcp(port, request, sourceAddress(at + i)),
      );
      for (const wire of await within(20_000, `${BATCH} connections`, Promise.all(batch))) {
        wire.onClose = () => {
          this.#lost++;
        };
        wire.onBytes = (bytes, length) => {
          // A server that pings wants to be answered.
          if (length >= 2 && bytes[0] === 0x89) wire.write(pong);
        };
        this.#wires.push(wire);
      }
    }
  }

  /** Lets each connection say one message in every `interval` seconds, evenly spread, for so many seconds. */
  async beat(interval: number, seconds: number): Promise<void> {
    const start = performance.now();
    const perMillisecond = this.#wires.length / (interval * 1000);
    let said = 0;
    for (;;) {
      const elapsed = performance.now() - start;
      if (elapsed >= seconds * 1000) return;
      for (; said < elapsed * perMillisecond; said++) {
        this.#wires[this.#next++ % this.#wires.length]?.write(heartbeat);
      }
      await pass(TICK);
    }
  }

  close(): void {
    for (const wire of this.#wires) {
      wire.onClose = () => {};
      wire.destroy();
    }
  }
}
