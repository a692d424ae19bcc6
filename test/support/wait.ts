/**
 * Waiting for what will happen, with an end to the patience.
 *
 * @module
 */

/**
 * Resolves as `promise` does, or rejects with a message that names what was waited for.
 *
 * @param ms - Milliseconds of patience.
 * @param what - Reads after "waited N ms for"; a function when it is to say how far things came.
 */
export async function within<T>(ms: number, what: string | (() => string), promise: Promise<T>): Promise<T> {
  // Made here, so that the error's stack leads to the waiting test.
  const error = new Error();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      error.message = `waited ${ms} ms for ${typeof what === 'string' ? what : what()}`;
      reject(error);
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets so many milliseconds pass: only for tests in which time itself is the subject. */
export const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again and again, for what can't be awaited (memory, another process's counters), until it is so. */
export async function until(ms: number, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms until ${what}`);
    await pass(20);
  }
}
