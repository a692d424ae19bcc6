/**
 * The primary of several workers. It serves nobody: it starts workers, replaces those that end, counts the connections
 * of all, and prints what they report.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import process from 'node:process';
import type { Config } from '../../core/config.ts';
import type { Certificate } from '../../core/engine.ts';
import { Places, Questions } from '../../core/places.ts';
import { Restarts } from '../../core/restarts.ts';
import type { ListeningReport, Log } from '../log.ts';
import { endOnSignals, FAILED, fail, print, USAGE } from '../process.ts';
import type { Service, Unserved } from '../serve.ts';
import { renewCertificate } from '../tls.ts';
import { type Launch, launcher } from './launch.ts';
import type { Order, Word } from './messages.ts';
import { type Reservation, reserve } from './reservation.ts';

/** How much longer than `--shutdown-timeout` a worker may take to end, in milliseconds. */
const GRACE = 5_000;

/** What a primary needs to know. */
export interface Supervision extends Pick<Service, 'config' | 'given' | 'runtime' | 'engine' | 'certificate'> {
  readonly workers: number;
  readonly log: Log;
  ready(address: Address, workers: number): ListeningReport;
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Starts the workers, and sees to it that there are as many until a signal ends all. */
export async function supervise(supervision: Supervision): Promise<void> {
  const { config, given, engine, runtime, log, workers } = supervision;
  const launch = launcher();
  if ('fault' in launch) return fail(launch.fault, USAGE);
  // Those who share a port would share it with strangers too; this asks for it alone.
  const reservation = await reserve(config);
  if ('why' in reservation) return fail(reservation.why, reservation.status);

  const primary = new Primary(supervision, launch, reservation);
  // Whatever ends this process but SIGKILL; after that, workers see that their channel is closed.
  process.on('exit', () => primary.kill());
  endOnSignals(() => primary.stop());
  const address = await primary.start();
  if ('why' in address) return fail(address.why, address.status);
  if (supervision.certificate !== undefined) {
    const renewal = { config, given, runtime, engine, log, reload: (next: Certificate) => primary.reload(next) };
    process.on('SIGHUP', () => void renewCertificate(renewal));
  }
  log.listening(supervision.ready(address, workers));
}

/** A worker, as its primary knows it. */
class Member {
  readonly number: number;
  readonly process: ChildProcess;
  /** Since when it has served, by the clock of `performance.now()`. */
  since: number | undefined;
  /** Resolves when it serves, or never will. */
  readonly serving: Promise<Address | Unserved>;
  resolve!: (outcome: Address | Unserved) => void;
  readonly reloads = new Questions<string | undefined>();
  failed: Unserved | undefined;
  gone = false;

  constructor(number: number, process: ChildProcess) {
    this.number = number;
    this.process = process;
    this.serving = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  tell(order: Order): void {
    // One that is about to be gone can't be told, and need not be.
    if (this.process.connected) this.process.send(order, () => {});
  }

  /** Lets one end that has said its last word. */
  hangUp(): void {
    if (this.process.connected) this.process.disconnect();
  }
}

class Primary {
  readonly #config: Config;
  readonly #log: Log;
  readonly #size: number;
  readonly #launch: Launch;
  readonly #reservation: Reservation;
  readonly #places: Places<Member>;
  readonly #restarts = new Restarts();
  readonly #members = new Set<Member>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #certificate: Certificate | undefined;
  #lastNumber = 0;
  /** Whether all have served once, so that one which ends is replaced. */
  #up = false;
  #stopping = false;
  #emptied: () => void = () => {};
  #closed = 0;
  #terminated = 0;

  constructor({ config, log, workers, certificate }: Supervision, launch: Launch, reservation: Reservation) {
    this.#config = config;
    this.#log = log;
    this.#size = workers;
    this.#certificate = certificate;
    this.#launch = launch;
    this.#reservation = reservation;
    this.#places = new Places(config.maxConnections);
  }

  /** Starts one, so that what is wrong is said once, and then the others. */
  async start(): Promise<Address | Unserved> {
    const first = await this.#add().serving;
    if ('why' in first) return first;
    const rest = await Promise.all(Array.from({ length: this.#size - 1 }, () => this.#add().serving));
    const unserved = rest.find((outcome) => 'why' in outcome);
    this.#up = true;
    return unserved ?? first;
  }

  /** Gives all workers another certificate; rejects where one could not take it. */
  async reload(certificate: Certificate): Promise<void> {
    this.#certificate = certificate;
    const answers = [...this.#members].map((member) => {
      member.tell({ kind: 'certificate', certificate });
      return member.reloads.ask();
    });
    const fault = (await Promise.all(answers)).find((answer) => answer !== undefined);
    if (fault !== undefined) throw new Error(fault);
  }

  /** Shuts all workers down, and reports what became of their connections. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const member of this.#members) {
      if (member.since === undefined) member.process.kill('SIGKILL');
      else member.tell({ kind: 'stop' });
    }
    const patience = setTimeout(() => this.kill(), this.#config.shutdownTimeout + GRACE);
    if (this.#members.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
    }
    clearTimeout(patience);
    this.#log.report({ event: 'shutdown', closed: this.#closed, terminated: this.#terminated });
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const member of this.#members) member.process.kill('SIGKILL');
  }

  #add(): Member {
    const member = new Member(++this.#lastNumber, this.#launch());
    this.#members.add(member);
    member.process.on('message', (word: Word) => void this.#hear(member, word));
    member.process.stdin?.on('error', () => {});
    member.process.on('error', () => this.#ended(member, null, null));
    member.process.on('exit', (code, signal) => this.#ended(member, code, signal));
    return member;
  }

  async #hear(member: Member, word: Word): Promise<void> {
    switch (word.kind) {
      case 'loaded': {
        await this.#reservation.release();
        const certificate = this.#certificate === undefined ? {} : { certificate: this.#certificate };
        const { port } = this.#reservation;
        return member.tell({ kind: 'serve', worker: member.number, workers: this.#size, port, ...certificate });
      }
      case 'serving':
        member.since = performance.now();
        member.resolve({ hostname: word.hostname, port: word.port });
        if (this.#up && !this.#stopping) {
          this.#log.worker({ event: 'worker-started', worker: member.number, pid: member.process.pid ?? -1 });
        }
        return;
      case 'failed':
        member.failed = word;
        return member.hangUp();
      case 'turn':
        if (word.lines !== '') print(word.lines);
        // What a worker that is gone had, was given back with it.
        if (member.gone) return;
        this.#places.give(member, word.give);
        if (word.take > 0) {
          const granted = this.#places.take(member, word.take);
          member.tell({ kind: 'places', granted, denied: word.take - granted });
        }
        for (let i = 0; i < word.count; i++) member.tell({ kind: 'connections', count: this.#places.taken });
        return;
      case 'reloaded':
        return member.reloads.answer(word.fault);
      case 'stopped':
        this.#closed += word.closed;
        this.#terminated += word.terminated;
        // So that they are not counted twice.
        this.#places.leave(member);
        return member.hangUp();
    }
  }

  #ended(member: Member, code: number | null, signal: string | null): void {
    if (member.gone) return;
    member.gone = true;
    this.#members.delete(member);
    while (member.reloads.waiting > 0) member.reloads.answer(undefined);
    const connections = this.#places.leave(member);
    if (this.#stopping) {
      this.#terminated += connections;
      if (this.#members.size === 0) this.#emptied();
      return;
    }
    const how = signal === null ? `with status ${code}` : `by ${signal}`;
    member.resolve(member.failed ?? { why: `a worker ended ${how} before it could serve`, status: FAILED });
    if (!this.#up) return;

    const serving = [...this.#members].filter(({ since }) => since !== undefined).length;
    const served = member.since === undefined ? 0 : performance.now() - member.since;
    const wait = this.#restarts.after({ served, serving });
    this.#log.worker({
      event: 'worker-ended',
      worker: member.number,
      pid: member.process.pid ?? -1,
      code,
      signal,
      connections,
      restartMs: wait ?? null,
      ...(member.failed === undefined ? {} : { reason: member.failed.why }),
    });
    if (wait === undefined) {
      fail('no worker can start any more; what they said last stands above', FAILED);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#add();
    }, wait);
    this.#timers.add(timer);
  }
}
