/**
 * What is to be done once the task at hand is over.
 *
 * @module
 */

/** What has something to do. */
export interface Due {
  run(): void;
}

/** One microtask serves them all. */
let due: Due[] = [];

/** Calls `run` in a microtask. */
export function runLater(one: Due): void {
  if (due.push(one) === 1) queueMicrotask(runDue);
}

function runDue(): void {
  const all = due;
  due = [];
  for (const one of all) one.run();
}
