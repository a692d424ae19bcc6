/**
 * Connections that come and go: each is opened, closed with a Close frame, and gone when the server ended it.
 *
 * @module
 */
import { within } from '../../test/support/wait.ts';
import { closeFrame, sourceAddress } from './addresses.ts';
import { openTcp, requestTo } from './wire.ts';

/** Milliseconds in which a connection must come and go. */
const PATIENCE = 10_000;

async function comeAndGo(port: number, request: Buffer, from: string | undefined): Promise<void> {
  const wire = await openTcp(port, request, from);
  await new Promise<void>((resolve) => {
    wire.onClose = () => resolve();
    wire.write(closeFrame);
  });
}

/**
 * Opens and closes for so many seconds, `lanes` at a time.
 *
 * @returns How many.
 * @throws Error when one does not come and go; the others then stop too.
 */
export async function churn(port: number, lanes: number, seconds: number): Promise<number> {
  const request = requestTo(port);
  let deadline = performance.now() + seconds * 1000;
  let count = 0;
  const lane = async () => {
    while (performance.now() < deadline) {
      await comeAndGo(port, request, sourceAddress(count));
      count++;
    }
  };
  const all = Promise.all(Array.from({ length: lanes }, lane));
  try {
    await within(seconds * 1000 + PATIENCE, 'connections to come and go', all);
  } finally {
    deadline = 0;
  }
  return count;
}
