/**
 * One server for all tests of a file.
 *
 * @module
 */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { dropClients } from '../support/client.ts';
import { dropAll } from '../support/raw.ts';
import { currentTarget, type ServerProcess, type StartOptions, startServer } from '../support/server.ts';

export interface UseOptions extends StartOptions {
  /** The tests run at the same time, so that their clients are dropped only after all of them. */
  readonly concurrent?: boolean;
}

/**
 * Starts a server of the target under test before the tests of this file or block, ends it after them, and drops
 * the clients that each test leaves. Returns what gives the running server.
 */
export function useServer(flags: readonly string[] = [], options: UseOptions = {}): () => ServerProcess {
  let server: ServerProcess | undefined;
  beforeAll(async () => {
    server = await startServer(currentTarget, flags, options);
  });
  dropsClients(options.concurrent);
  afterAll(async () => {
    if (server?.running) await server.stop('SIGKILL');
  });
  return () => {
    if (server === undefined) throw new Error('The server runs in tests and hooks only.');
    return server;
  };
}

/** Drops the clients that tests leave: for files whose tests start servers of their own. */
export function dropsClients(concurrent = false): void {
  (concurrent ? afterAll : afterEach)(() => {
    dropAll();
    dropClients();
  });
}
