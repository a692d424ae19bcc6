/**
 * The workers of a running server, as the operating system sees them.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { ServerProcess } from './server.ts';
import { until } from './wait.ts';

/** The processes that serve for a server, by their ids. */
export function workersOf(server: ServerProcess): number[] {
  const children = read(`/proc/${server.pid}/task/${server.pid}/children`).trim().split(' ');
  return children.filter((pid) => pid !== '' && isWorker(pid)).map(Number);
}

/** Whether a process is there, and more than a name that its parent has not struck off. */
export function runs(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat !== '' && !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}

/** Waits until none of these processes is there. */
export function untilGone(pids: readonly number[], ms = 5000): Promise<void> {
  return until(ms, `the processes ${pids} are gone`, () => !pids.some(runs));
}

/** What a runtime or loader starts for itself is none. */
function isWorker(pid: string): boolean {
  return /\.ts(?:\0|$)/.test(read(`/proc/${pid}/cmdline`));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
