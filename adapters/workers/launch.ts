/**
 * Starts this program once more, as a worker.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import cluster from 'node:cluster';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { environmentNames } from '../../core/config.ts';
import { sharing } from '../node/sharing.ts';

/** Starts a worker. It has a channel, and this process's output. */
export type Launch = () => ChildProcess;

/** Tells a worker that it is one. */
const MARK = 'ECHOLINE_WORKER';
/** Nothing is ever written to its input: that this ends is how a worker knows that its primary is gone. */
const stdio: ['pipe', 'inherit', 'inherit', 'ipc'] = ['pipe', 'inherit', 'inherit', 'ipc'];

/** Whether a primary has started this process. */
export function isWorker(): boolean {
  try {
    return process.send !== undefined && process.env[MARK] === '1';
  } catch {
    // Deno lets a program read what it was started to read; a worker may read this.
    return false;
  }
}

/** How workers are started on this runtime. */
export function launcher(): Launch | { readonly fault: string } {
  if ((process.versions as Record<string, string>).deno !== undefined) return mayLaunchDeno();
  const { execArgv } = process;
  const args = process.argv.slice(2);
  if (sharing === 'cluster') {
    cluster.setupPrimary({ exec: program(), args, execArgv, stdio });
    return () => cluster.fork({ [MARK]: '1' }).process;
  }
  const env = { ...process.env, [MARK]: '1' };
  return () => spawn(process.execPath, [...execArgv, program(), ...args], { env, stdio });
}

function mayLaunchDeno(): Launch | { readonly fault: string } {
  const command = Deno.execPath();
  if (Deno.permissions.querySync({ name: 'run', command }).state !== 'granted') {
    return { fault: '--workers needs --allow-run under Deno; start it with deno task start:workers' };
  }
  // As in the tasks of deno.json: what this process was started with besides its arguments, Deno does not tell.
  const flags = ['--v8-flags=--max-semi-space-size=8', '--no-prompt', '--unstable-net'];
  const args = ['run', ...flags, ...permissions(), program(), ...Deno.args];
  const env = { ...environment(), [MARK]: '1' };
  return () => spawn(command, args, { env, stdio });
}

/** What a worker may do: what this process may, or at least what serving takes. It need not start processes. */
function permissions(): string[] {
  const names = ['net', 'read', 'write', 'env', 'sys', 'ffi', 'import', 'run'] as const;
  const granted = names.filter((name) => Deno.permissions.querySync({ name }).state === 'granted');
  if (granted.length === names.length) return ['--allow-all'];
  const flags = granted.filter((name) => name !== 'run').map((name) => `--allow-${name}`);
  if (!granted.includes('read')) flags.push(`--allow-read=${fileURLToPath(new URL('../../public', import.meta.url))}`);
  if (!granted.includes('env')) flags.push(`--allow-env=${[...environmentNames, MARK].join(',')}`);
  return flags;
}

/** What a worker finds in its environment: all that this process may read. */
function environment(): Record<string, string> {
  if (Deno.permissions.querySync({ name: 'env' }).state === 'granted') return Deno.env.toObject();
  const found: Record<string, string> = {};
  // Deno itself looks at the last, for its cache.
  for (const variable of [...environmentNames, 'HOME', 'DENO_DIR']) {
    if (Deno.permissions.querySync({ name: 'env', variable }).state !== 'granted') continue;
    const value = Deno.env.get(variable);
    if (value !== undefined) found[variable] = value;
  }
  return found;
}

function program(): string {
  return process.argv[1] ?? '';
}
