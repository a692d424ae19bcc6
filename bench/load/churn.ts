/**
 * Connections that come and go: each is opened, closed with a Close frame, and gone when the server ended it.
 *
 * @module
 */
import { within } from '../../test/support/wait.ts';
import { closeFrame, sourceAddress } from './addresses.ts';
import { openTcp, requestTo } from './wire.ts';

/** Milliseconds in which a connection must come and go. */
const PATIENCE = 20_000;

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
 */
export async function churn(port: number, lanes: number, seconds: number): Promise<number> {
  const request = requestTo(port);
  const deadline = performance.now() + seconds * 1000;
  let count = 0;
  const lane = async () => {
    while (performance.now() < deadline) {
      await comeAndGo(port, request, sourceAddress(count));
      count++;
    }
  };
  const all = Promise.all(Array.from({ length: lanes }, lane));
  await within(seconds * 1000 + PATIENCE, 'connections to come and go', all);
  return count;
}
