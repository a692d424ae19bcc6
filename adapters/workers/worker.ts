/**
 * A worker: serves on the port that it shares, counts with the others, and ends with its primary.
 *
 * @module
 */
import cluster from 'node:cluster';
import process from 'node:process';
import type { Config } from '../../core/config.ts';
import { Questions } from '../../core/places.ts';
import { printable, type ShutdownSummary } from '../../core/report.ts';
import { createLog } from '../log.ts';
import { exit, print } from '../process.ts';
import { type Service, type Serving, serve } from '../serve.ts';
import type { Order, Turn, Word } from './messages.ts';

export { isWorker } from './launch.ts';

/** What a worker knows without being told. */
type Work = Pick<Service, 'config' | 'given' | 'runtime' | 'engine' | 'handler' | 'app'>;

/** Serves as the primary says. */
export function work(service: Work): void {
  const worker = new Worker(service);
  // They go to the whole group that a terminal or a service manager runs; the primary is who acts on them.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  // node:cluster would end this process at once, connections and all.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  process.on('message', (order: Order) => void worker.obey(order));
  process.on('disconnect', () => worker.orphaned());
  // Deno tells of no end of the channel where the primary died with something unread in it; its input ends always.
  process.stdin.on('end', () => worker.orphaned());
  process.stdin.on('error', () => {});
  process.stdin.resume();
  tell({ kind: 'loaded' });
}

/** Whether there is no primary any more. */
let alone = false;

/** Tells the primary; whether it is there to be told. */
function tell(word: Word): boolean {
  if (alone || !process.connected) return false;
  try {
    process.send?.(word, () => {});
    return true;
  } catch {
    return false;
  }
}

class Worker {
  readonly #service: Work;
  readonly #places = new Questions<boolean>();
  readonly #counts = new Questions<number>();
  readonly #outbox = new Outbox(() => this.#nobodyAnswers());
  #starting: Promise<void> | undefined;
  #serving: Serving | undefined;
  /** Whether there is nothing left to be done. */
  #done = false;

  constructor(service: Work) {
    this.#service = service;
  }

  async obey(order: Order): Promise<void> {
    switch (order.kind) {
      case 'serve':
        this.#starting = this.#serve(order, this.#service.config);
        return this.#starting;
      case 'certificate':
        try {
          await this.#starting;
          await this.#serving?.listener.reload(order.certificate);
          tell({ kind: 'reloaded' });
        } catch (error) {
          tell({ kind: 'reloaded', fault: printable(String(error)) });
        }
        return;
      case 'places':
        for (let i = 0; i < order.granted; i++) this.#places.answer(true);
        for (let i = 0; i < order.denied; i++) this.#places.answer(false);
        return;
      case 'connections':
        return this.#counts.answer(order.count);
      case 'stop':
        return this.#stop();
    }
  }

  /** The primary is gone, whether it was told to or not. */
  orphaned(): void {
    if (alone) return;
    alone = true;
    this.#nobodyAnswers();
    if (this.#done || this.#serving === undefined) exit(0);
    else void this.#serving.stop().finally(() => exit(0));
  }

  async #serve({ worker, workers, port, certificate }: Extract<Order, { kind: 'serve' }>, config: Config) {
    const log = createLog(config.log, (line) => this.#outbox.add({ lines: line }), worker);
    const serving = await serve({
      ...this.#service,
      certificate,
      report: (report) => {
        // Its numbers are part of those of the whole.
        if (report.event !== 'shutdown') log.report(report);
      },
      shared: {
        port,
        workers,
        places: {
          take: () => {
            this.#outbox.add({ take: 1 });
            return this.#places.ask();
          },
          give: () => this.#outbox.add({ give: 1 }),
        },
        connections: () => {
          this.#outbox.add({ count: 1 });
          return this.#counts.ask();
        },
      },
    });
    if ('why' in serving) {
      this.#finish({ kind: 'failed', ...serving });
    } else {
      this.#serving = serving;
      const { hostname } = serving.listener;
      tell({ kind: 'serving', hostname, port: serving.listener.port });
    }
  }

  async #stop(): Promise<void> {
    const summary: ShutdownSummary = (await this.#serving?.stop()) ?? { closed: 0, terminated: 0 };
    this.#finish({ kind: 'stopped', ...summary });
  }

  /** Says the last word. The primary hangs up when it has it. */
  #finish(word: Word): void {
    this.#done = true;
    this.#outbox.send();
    if (!tell(word)) exit(0);
  }

  /** No connection is opened any more, and how many there are in all is unknown. */
  #nobodyAnswers(): void {
    while (this.#places.waiting > 0) this.#places.answer(false);
    while (this.#counts.waiting > 0) this.#counts.answer(0);
  }
}

/** How long what nobody waits for may wait, in milliseconds: messages are dear, and one can carry much. */
const UNHURRIED = 10;

/** Gathers what is to be told: questions are asked once a turn, and all else goes with them or a little later. */
class Outbox {
  #turn: Turn | undefined;
  #asking = false;
  readonly #unheard: () => void;

  constructor(unheard: () => void) {
    this.#unheard = unheard;
  }

  add({ lines = '', take = 0, give = 0, count = 0 }: Partial<Turn>): void {
    if (take + count > 0 && !this.#asking) {
      this.#asking = true;
      setImmediate(() => this.send());
    }
    if (this.#turn === undefined) setTimeout(() => this.send(), UNHURRIED);
    const turn = this.#turn ?? { lines: '', take: 0, give: 0, count: 0 };
    this.#turn = {
      kind: 'turn',
      lines: turn.lines + lines,
      take: turn.take + take,
      give: turn.give + give,
      count: turn.count + count,
    };
  }

  send(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    this.#asking = false;
    if (tell(turn)) return;
    print(turn.lines);
    this.#unheard();
  }
}
