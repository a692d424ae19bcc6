/**
 * A peer as a process of its own: started, pinned to a core, and what it has used of the machine.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { within } from '../test/support/wait.ts';
import type { Cores } from './machine.ts';
import type { Peer } from './peers.ts';
import { root } from './runtimes.ts';

/** Milliseconds that a start, and an end, may take. */
const PATIENCE = 20_000;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Only what a runtime needs: no variable of the machine is to configure a server that is measured. */
function environment(): Record<string, string> {
  const env: Record<string, string> = { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', DOTNET_CLI_TELEMETRY_OPTOUT: '1' };
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'DENO_DIR', 'LANG', 'DOTNET_ROOT']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** A server that runs. */
export class PeerProcess {
  readonly peer: Peer;
  readonly pid: number;
  port = 0;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  /** Seconds of CPU time by thread, and of those threads that ended before they were seen; -1 before the first look. */
  readonly #threads = new Map<string, number>();
  #unseen = -1;
  #words = '';

  private constructor(peer: Peer, cores: Cores, flags: readonly string[]) {
    this.peer = peer;
    const pin = cores.server === undefined ? [] : ['taskset', '-c', String(cores.server)];
    // Each of these becomes the next, so that the process that is measured is the child itself.
    const command = ['sh', '-c', 'ulimit -n "$(ulimit -H -n)"; exec "$@"', 'sh', ...pin, ...peer.command, ...flags];
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd: root, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.pid = child.pid ?? -1;
    alive.add(child);
    const keep = (chunk: Buffer) => {
      // What it says is read and thrown away, all but the beginning, so that it never has to wait.
      if (this.#words.length < 4000) this.#words += chunk;
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.#exited = new Promise((resolve) => {
      child.on('error', () => resolve());
      child.on('exit', () => resolve());
    });
    void this.#exited.then(() => alive.delete(child));
  }

  /** Starts a peer and waits until it listens. */
  static async start(peer: Peer, cores: Cores, flags: readonly string[] = []): Promise<PeerProcess> {
    const started = new PeerProcess(peer, cores, flags);
    try {
      await within(PATIENCE, `${peer.id} to listen`, started.#listening());
    } catch (error) {
      await started.stop();
      throw error;
    }
    return started;
  }

  async #listening(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(this.#words)?.[1];
        if (port === undefined) return;
        this.port = Number(port);
        resolve();
      };
      this.#child.stdout?.on('data', look);
      void this.#exited.then(() => reject(new Error(`${this.peer.id} ended: ${this.#words.slice(0, 500)}`)));
    });
  }

  /**
   * CPU time that all of its threads have used, those that ended too, in seconds.
   *
   * @throws Error when the process has ended.
   */
  cpu(): number {
    const folder = `/proc/${this.pid}/task`;
    for (const thread of this.#threadsIn(folder)) {
      try {
        this.#threads.set(thread, Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9);
      } catch {
        // The thread has just ended: what it had used when it was last seen still counts.
      }
    }
    let seconds = Math.max(0, this.#unseen);
    for (const used of this.#threads.values()) seconds += used;
    // Threads that came and went unseen are in this one alone, which is coarse: ticks of 10 ms, fields 14 and 15.
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const unseen = (Number(fields[11]) + Number(fields[12])) / 100 - seconds;
    if (unseen <= 0.02 && this.#unseen >= 0) return seconds;
    this.#unseen = Math.max(0, this.#unseen) + Math.max(0, unseen);
    return seconds + Math.max(0, unseen);
  }

  #threadsIn(folder: string): string[] {
    try {
      return readdirSync(folder);
    } catch {
      throw new Error('its process has ended');
    }
  }

  /** Resident memory in bytes. */
  memory(): number {
    return Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  }

  async stop(): Promise<void> {
    if (alive.has(this.#child)) this.#child.kill('SIGKILL');
    await within(PATIENCE, `${this.peer.id} to end`, this.#exited);
  }
}
