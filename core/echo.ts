/**
 * The echo loop.
 *
 * @module
 */
import type { Connection } from './connection.ts';

/**
 * Sends every message back as it came, same type, same bytes, until the connection is over. The default handler.
 *
 * @returns A promise that resolves when the connection is over.
 */
export function echo(connection: Connection): Promise<void> {
  return connection.forEach((data, text) => {
    connection.send(data, text);
  });
}
