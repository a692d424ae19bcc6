/**
 * A running server, started as a user would start it, for the suites that test from outside.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Bridge, clientOf } from './bridge.ts';
import { root, type Target } from './target.ts';
import { within } from './wait.ts';

export { currentTarget, startingWorkers, type Target, target, targetIds } from './target.ts';

/** One line of `--log json`. */
export interface Report {
  readonly event?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the fields are the server's to choose, and the tests' to check.
  readonly [field: string]: any;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** Environment variables, besides the few that a runtime needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** The file to run, from the project's folder. Default: `adapters/main.ts`. */
  readonly entry?: string;
  /** Put before the command, such as `['ip', 'netns', 'exec', 'x']`. */
  readonly prefix?: readonly string[];
  /** Milliseconds that starting may take. Default: 20 000. */
  readonly timeout?: number;
  /** How many clients may share a session, where they reach the server over HTTP/2. Default: 1. */
  readonly clientsPerSession?: number;
}

const alive = new Set<ChildProcess>();
// A test that fails, or a worker that is told to stop, leaves nothing behind.
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Only what a runtime needs: no variable of the machine is to configure a server under test. */
function cleanEnvironment(): Record<string, string> {
  const kept: Record<string, string> = { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1' };
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'DENO_DIR', 'LANG', 'SSL_CERT_FILE']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/** A program under test, running or ended: its lines, its reports and its end. */
export class ServerProcess {
  readonly target: Target;
  readonly pid: number;
  /** What it wrote to standard output, line by line. */
  readonly lines: string[] = [];
  /** Those lines that are JSON objects. */
  readonly reports: Report[] = [];
  /** What it wrote to standard error, line by line. */
  readonly errors: string[] = [];
  /** Resolves when it is gone and all of its output is read. */
  readonly exited: Promise<Exit>;
  /** Such as `http://127.0.0.1:41023`; empty until it is ready. */
  url = '';
  port = 0;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(target: Target, command: readonly string[], env: Readonly<Record<string, string>>) {
    this.target = target;
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd: root,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    alive.add(child);
    this.pid = child.pid ?? -1;
    if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
    createInterface({ input: child.stdout }).on('line', (line) => this.#line(line));
    createInterface({ input: child.stderr }).on('line', (line) => this.errors.push(line));
    this.exited = new Promise((resolve) => {
      child.on('error', (error) => this.errors.push(String(error)));
      child.on('close', (code, signal) => {
        alive.delete(child);
        resolve({ code, signal });
      });
    });
  }

  #line(line: string): void {
    this.lines.push(line);
    if (line.startsWith('{')) {
      try {
        this.reports.push(this.#traced(JSON.parse(line)));
      } catch {
        this.errors.push(`not JSON: ${line}`);
      }
    }
    for (const wake of this.#waiting) wake();
  }

  /** With the address of the client itself, where a bridge stands between. */
  #traced(report: Report): Report {
    const { remote } = report;
    return this.target.http2 && typeof remote === 'string' ? { ...report, remote: clientOf(remote) } : report;
  }

  /** Where WebSockets are, with the default `--path`. */
  get wsUrl(): string {
    return `${this.url.replace(/^http/, 'ws')}/ws`;
  }

  /** Whether the process still runs. */
  get running(): boolean {
    return alive.has(this.#child);
  }

  /** Resolves with the first value that `find` makes of the output, asked again at every new line. */
  async #found<T>(what: string, ms: number, find: () => T | undefined): Promise<T> {
    let wake: () => void = () => {};
    const found = new Promise<T>((resolve, reject) => {
      wake = () => {
        const value = find();
        if (value !== undefined) resolve(value);
      };
      void this.exited.then(() => {
        wake();
        reject(new Error(`the server ended while a test waited for ${what}\n${this.#transcript()}`));
      });
    });
    this.#waiting.add(wake);
    wake();
    try {
      return await within(ms, () => `${what}\n${this.#transcript()}`, found);
    } finally {
      this.#waiting.delete(wake);
    }
  }

  #transcript(): string {
    return [...this.lines.slice(-10), ...this.errors.slice(-10)].map((line) => `  | ${line.slice(0, 400)}`).join('\n');
  }

  /**
   * The first report, past or coming, that has these fields or for which the function says yes.
   *
   * @param options.from - How many of {@link reports} to pass over: their count at a moment, to see only later ones.
   * @param options.timeout - Milliseconds. Default: 5000.
   */
  report(
    wanted: Report | ((report: Report) => boolean),
    options: { readonly from?: number; readonly timeout?: number } = {},
  ): Promise<Report> {
    const matches =
      typeof wanted === 'function'
        ? wanted
        : (report: Report) => Object.entries(wanted).every(([field, value]) => report[field] === value);
    const what = typeof wanted === 'function' ? 'a report' : `a report ${JSON.stringify(wanted)}`;
    return this.#found(what, options.timeout ?? 5000, () => this.reports.slice(options.from ?? 0).find(matches));
  }

  /** The first line of standard output, past or coming, that matches. */
  line(pattern: RegExp, timeout = 5000): Promise<string> {
    return this.#found(`a line ${pattern}`, timeout, () => this.lines.find((line) => pattern.test(line)));
  }

  /** Waits for the ready line and takes the address from it. */
  async ready(timeout: number): Promise<this> {
    const line = await this.line(/listening/, timeout);
    const url = /https?:\/\/[^\s"/]+/.exec(line)?.[0];
    if (url === undefined) throw new Error(`no address in the ready line: ${line}`);
    this.url = url;
    this.port = Number(new URL(url).port);
    return this;
  }

  /** From now on clients reach it over HTTP/2, by an address that takes HTTP/1.1 from them. */
  async bridge(clientsPerSession = 1): Promise<this> {
    const bridge = await Bridge.to(this.url, clientsPerSession);
    void this.exited.then(() => bridge.close());
    this.port = bridge.port;
    this.url = `http://127.0.0.1:${bridge.port}`;
    return this;
  }

  /** Stops reading what it writes, as a `head` that has read enough does. */
  loseOutput(): void {
    this.#child.stdout?.destroy();
  }

  /** Sends a signal and does not wait. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end; after `timeout` milliseconds kills it and rejects. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeout = 15_000): Promise<Exit> {
    this.kill(signal);
    try {
      return await within(timeout, () => `the end after ${signal}\n${this.#transcript()}`, this.exited);
    } finally {
      this.kill('SIGKILL');
    }
  }

  /** Resident memory in bytes. */
  rss(): number {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(kib) * 1024;
  }

  /** CPU time used so far by all of its threads, in milliseconds. */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    // Fields 14 and 15, counted behind the program's name, which may hold spaces; in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.stop('SIGKILL');
  }
}

/** Runs the program and waits for nothing: for starts that are meant to fail. */
export function runServer(target: Target, flags: readonly string[], options: StartOptions = {}): ServerProcess {
  const entry = options.entry ?? 'adapters/main.ts';
  return new ServerProcess(target, [...(options.prefix ?? []), ...target.command, entry, ...flags], options.env ?? {});
}

/**
 * Starts a server and waits until it is ready. It takes a free port, the target's engine, and `--log json`,
 * unless the flags say otherwise; and HTTP/2, where that is the target's.
 */
export async function startServer(
  target: Target,
  flags: readonly string[] = [],
  options: StartOptions = {},
): Promise<ServerProcess> {
  const given = (name: string) => flags.some((flag) => flag === name || flag.startsWith(`${name}=`));
  const defaults: string[] = [];
  if (!given('--port')) defaults.push('--port', '0');
  if (!given('--engine')) defaults.push('--engine', target.engine);
  if (!given('--log')) defaults.push('--log', 'json');
  if (target.http2) defaults.push('--http2-cleartext');
  const server = runServer(target, [...defaults, ...flags], options);
  try {
    await server.ready(options.timeout ?? 20_000);
    return target.http2 ? await server.bridge(options.clientsPerSession) : server;
  } catch (error) {
    if (server.running) await server.stop('SIGKILL');
    throw error;
  }
}
