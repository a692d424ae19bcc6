/**
 * The world around a server, as core is given it.
 *
 * @module
 */
import type { Capabilities } from './engine.ts';
import type { Claim } from './places.ts';
import type { Report } from './report.ts';

/** What core is given of the world around it. */
export interface Host {
  readonly capabilities: Capabilities;
  /** Where other processes count against the same limit: a connection's place is taken here, and given back. */
  readonly places?: Claim;
  /** A clock that never goes back, in milliseconds. */
  now(): number;
  /** Calls back once, after so many milliseconds at least. Returns what cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
  /** The length of a string in UTF-8. */
  byteLength(text: string): number;
  report(report: Report): void;
}
