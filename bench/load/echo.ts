/**
 * Messages there and back, as many as a server gives.
 *
 * @module
 */
import { within } from '../../test/support/wait.ts';
import { type EchoShape, messageOf } from '../shapes.ts';
import { type Counter, FrameCounter, LengthCounter, messagesIn } from './frames.ts';
import { openWires, type Wire } from './wire.ts';

/** What came of a run. */
export interface EchoRun {
  readonly messages: number;
  /** Milliseconds from writing a batch until all of it was back; at most so many that memory is no matter. */
  readonly latencies: Float64Array;
}

/** Milliseconds in which something must come back. Meanwhile others wait, whose servers may take them for gone. */
const PATIENCE = 10_000;
const MOST_LATENCIES = 1 << 20;
const latencies = new Float64Array(MOST_LATENCIES);

/** Connections to one server, all of one shape. */
export class EchoLoad {
  readonly #wires: readonly Wire[];
  readonly #batch: Buffer;
  readonly #shape: EchoShape;
  #fragmented = false;
  /** Why a connection ended while nobody asked it for anything. */
  #gone: string | undefined;

  private constructor(shape: EchoShape, wires: readonly Wire[]) {
    this.#shape = shape;
    this.#wires = wires;
    this.#batch = Buffer.concat(new Array<Buffer>(shape.inFlight).fill(messageOf(shape)));
  }

  /** Opens the connections and makes sure, on one of them, that what comes back is what was sent. */
  static async open(shape: EchoShape, port: number): Promise<EchoLoad> {
    const load = new EchoLoad(shape, await openWires(port, shape.connections, shape.http2));
    try {
      await within(PATIENCE, 'an echo', load.#verify());
      load.#rest();
    } catch (error) {
      load.close();
      throw error;
    }
    return load;
  }

  /** @throws Error when an echo differs from its message. */
  #verify(): Promise<void> {
    const { inFlight, payload, opcode } = this.#shape;
    const wire = this.#wires[0] as Wire;
    const chunks: Buffer[] = [];
    let size = 0;
    return new Promise((resolve, reject) => {
      wire.onClose = (why) => reject(new Error(why));
      wire.onBytes = (bytes, count) => {
        chunks.push(Buffer.from(bytes.subarray(0, count)));
        size += count;
        if (size < inFlight * payload.length) return;
        const messages = messagesIn(Buffer.concat(chunks));
        if (messages === undefined || messages.length < inFlight) return;
        const wrong = messages.some((message) => message.opcode !== opcode || !message.payload.equals(payload));
        if (wrong || messages.length > inFlight) return reject(new Error('its echo differs from what was sent'));
        this.#fragmented = messages.some(({ frames }) => frames > 1);
        resolve();
      };
      wire.write(this.#batch);
    });
  }

  /** Keeps every connection busy for so many seconds, and resolves when all that was sent is back. */
  async run(seconds: number): Promise<EchoRun> {
    if (this.#gone !== undefined) throw new Error(this.#gone);
    const { inFlight, payload } = this.#shape;
    let messages = 0;
    let timed = 0;
    let busy = this.#wires.length;
    const finished = new Promise<EchoRun>((resolve, reject) => {
      const deadline = performance.now() + seconds * 1000;
      for (const wire of this.#wires) {
        const counter: Counter = this.#fragmented ? new FrameCounter() : new LengthCounter(payload.length);
        let back = 0;
        let sent = 0;
        const send = (now: number) => {
          sent = now;
          wire.write(this.#batch);
        };
        wire.onClose = (why) => reject(new Error(why));
        wire.onBytes = (bytes, count) => {
          back += counter.count(bytes, count);
          if (back < inFlight) return;
          const now = performance.now();
          messages += back;
          back = 0;
          if (timed < MOST_LATENCIES) latencies[timed++] = now - sent;
          if (now < deadline) send(now);
          else if (--busy === 0) resolve({ messages, latencies: latencies.subarray(0, timed) });
        };
        send(performance.now());
      }
    });
    const run = await within(seconds * 1000 + PATIENCE, 'the last echo', finished);
    this.#rest();
    return run;
  }

  #rest(): void {
    for (const wire of this.#wires) {
      wire.onClose = (why) => {
        this.#gone ??= why;
      };
    }
  }

  close(): void {
    for (const wire of this.#wires) {
      wire.onClose = () => {};
      wire.destroy();
    }
  }
}
