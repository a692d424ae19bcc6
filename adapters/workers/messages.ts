/**
 * What a primary and its workers tell each other, in order, through the channel between them.
 *
 * @module
 */
import type { Certificate } from '../../core/engine.ts';
import type { ShutdownSummary } from '../../core/report.ts';

/** What the primary tells a worker. */
export type Order =
  | {
      readonly kind: 'serve';
      readonly worker: number;
      readonly workers: number;
      readonly port: number;
      readonly certificate?: Certificate;
    }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  /** The answer to those of a worker's `take` that waited longest. */
  | { readonly kind: 'places'; readonly granted: number; readonly denied: number }
  /** The answer to `count`. */
  | { readonly kind: 'connections'; readonly count: number }
  | { readonly kind: 'stop' };

/** What a worker tells the primary. */
export type Word =
  /** It is loaded, and waits for the order to serve. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'serving'; readonly hostname: string; readonly port: number }
  | { readonly kind: 'failed'; readonly why: string; readonly status: number }
  | Turn
  | { readonly kind: 'reloaded'; readonly fault?: string }
  | ({ readonly kind: 'stopped' } & ShutdownSummary);

/** What a turn or a few of a worker's event loop came to. */
export interface Turn {
  readonly kind: 'turn';
  /** Whole lines, to be printed. */
  readonly lines: string;
  /** How many places it wants, and gives back. */
  readonly take: number;
  readonly give: number;
  /** How many times it asks how many connections there are. */
  readonly count: number;
}
