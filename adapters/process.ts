/**
 * The process that a server is: what it prints, which signals it takes, and how it ends.
 *
 * @module
 */
import process from 'node:process';

/** Exit statuses, after what shells use for a signal (128 + SIGINT). */
export const USAGE = 2;
export const FAILED = 1;
const INTERRUPTED = 130;
/**
 * Ctrl-C reaches this process from the terminal, and once more from npm or another wrapper that passes it on. Signals so
 * near to each other, in milliseconds, are one press of the keys.
 */
const SAME_KEY = 100;
/** How long what was printed last may take to be read, in milliseconds. */
const LINGER = 1_000;

/** Shuts down at the first signal, and ends at once at the second. */
export function endOnSignals(shutdown: () => Promise<unknown>): void {
  let first: number | undefined;
  const onSignal = (signal: string) => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      void shutdown().finally(() => exit(0));
    } else if (signal !== 'SIGINT' || now - first > SAME_KEY) {
      process.exit(INTERRUPTED);
    }
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

export function print(text: string): void {
  unprinted += text;
  flush();
}

/** How long what nobody waits for may wait, in milliseconds: each write costs, and wakes who reads it. */
const UNHURRIED = 10;
/** With so many characters waiting, they are printed at once. */
const MUCH = 48 * 1024;

let unprinted = '';

/** Prints soon, together with what else is to be printed. */
export function printSoon(text: string): void {
  if (unprinted === '') setTimeout(flush, UNHURRIED);
  unprinted += text;
  if (unprinted.length > MUCH) flush();
}

function flush(): void {
  const text = unprinted;
  unprinted = '';
  try {
    if (text !== '') process.stdout.write(text);
  } catch {
    // Whoever read this is gone. The connections are not.
  }
}

process.on('exit', flush);
// Deno ends without 'exit' where nobody catches an exception.
process.on('uncaughtExceptionMonitor', flush);

/** Ends the process with one line on why. */
export function fail(message: string, status: number): void {
  process.stderr.write(`echoline: ${message}\n`);
  exit(status);
}

/** Ends the process when what was printed is out. */
export function exit(status: number): void {
  flush();
  process.stdout.write('', () => process.exit(status));
  // Whoever is to read it may be standing still.
  setTimeout(() => process.exit(status), LINGER);
}
