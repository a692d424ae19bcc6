/**
 * The echo loop.
 *
 * @module
 */
import type { Connection } from './connection.ts';
import { ServerConnection } from './server-connection.ts';

/**
 * Sends every message back as it came, same type, same bytes, until the connection is over. The default handler.
 *
 * @returns A promise that resolves when the connection is over.
 */
export function echo(connection: Connection): Promise<void> {
  // A server's own connection lets its transport do so where the bytes lie, which costs a fraction.
  if (connection instanceof ServerConnection) {
    connection.echo();
    return connection.closed.then(() => {});
  }
  return connection.forEach((data, text) => {
    connection.send(data, text);
  });
}
