/**
 * How several processes of this runtime listen on one port.
 *
 * @module
 */
import process from 'node:process';

/**
 * - `system`: each listens with SO_REUSEPORT, and the system spreads connections over them. Only Linux does so evenly.
 * - `cluster`: the primary of `node:cluster` accepts connections and deals them out in turn, on every system. That costs
 *   as much as the rest of what opening a WebSocket takes, so it is for where there is nothing else.
 */
export type Sharing = 'system' | 'cluster' | 'none';

export const sharing: Sharing = howToShare();

function howToShare(): Sharing {
  const { bun, deno, node = '' } = process.versions as Record<string, string>;
  const linux = process.platform === 'linux';
  if (bun !== undefined || deno !== undefined) return linux ? 'system' : 'none';
  return linux && takesReusePort(node) ? 'system' : 'cluster';
}

/** Whether `net.Server` of this Node has the option `reusePort`: since 22.12 and 23.1. */
function takesReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
