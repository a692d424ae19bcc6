/**
 * What the figures were taken on, and how its cores are shared out.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import process from 'node:process';

/** The machine, without anything that names it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly memoryGiB: number;
}

export const machine = (): Machine => ({
  cpu: cpus()[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown',
  cores: cpus().length,
  kernel: `${type()} ${release()}`,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
});

/** Which core whom belongs to. */
export interface Cores {
  /** Undefined where processes can't be pinned. */
  readonly server?: number;
  readonly client?: number;
  /** What a reader must know of it, where it is not one core each. */
  readonly note?: string;
}

/** The cores this process may use, from the kernel. */
function allowedCores(): number[] {
  const { stdout, status } = spawnSync('taskset', ['-pc', String(process.pid)], { encoding: 'utf8' });
  const list = status === 0 ? /:\s*([\d,-]+)\s*$/.exec(stdout)?.[1] : undefined;
  if (list === undefined) return [];
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Pins this process, which is the load client, to a core and keeps another for the servers. */
export function takeCores(): Cores {
  const allowed = allowedCores();
  if (allowed.length === 0) return { note: 'There is no taskset: server and client share the cores as they come.' };
  const [server = 0, client] = allowed;
  if (client === undefined) return { server, note: 'There is one core: server and client take turns on it.' };
  const { status } = spawnSync('taskset', ['-apc', String(client), String(process.pid)]);
  return status === 0
    ? { server, client }
    : { note: 'taskset failed: server and client share the cores as they come.' };
}
