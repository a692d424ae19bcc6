/**
 * Tells the runtimes apart and brings each one's engines.
 *
 * @module
 */
import process from 'node:process';
import type { Engine } from '../core/engine.ts';

/** The runtime that this program runs on. */
export interface Runtime {
  /** `Node`, `Bun` or `Deno`. */
  readonly name: string;
  readonly version: string;
  /** The runtime's own WebSocket. On Node, which has none, it is {@link portable}. */
  readonly native: Engine;
  readonly portable: Engine;
}

/** The runtime that this program runs on. Only its own adapter is loaded, and the portable one. */
export async function detectRuntime(): Promise<Runtime> {
  const { engine: portable } = await import('./node/engine.ts');
  const { bun, deno, node } = process.versions as Record<string, string>;
  if (bun !== undefined) {
    const { engine: native } = await import('./bun/engine.ts');
    return { name: 'Bun', version: bun, native, portable };
  }
  if (deno !== undefined) {
    const { engine: native } = await import('./deno/engine.ts');
    return { name: 'Deno', version: deno, native, portable };
  }
  return { name: 'Node', version: node as string, native: portable, portable };
}
