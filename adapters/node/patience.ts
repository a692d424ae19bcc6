/**
 * An end for connections on which no request comes.
 *
 * `node:http` has clocks of its own, but they run only for connections that its own server accepted, and under Bun not
 * even for those of `node:http2`.
 *
 * @module
 */

/** How long a connection may be without a whole request, in milliseconds; what `node:http` gives one too. */
const PATIENCE = 60_000;

/** A connection, or an HTTP/2 session. */
interface Waiting {
  destroy(): void;
}

/** The connections that are waited on. */
export class Patience {
  readonly #timers = new WeakMap<Waiting, ReturnType<typeof setTimeout>>();

  /** Drops the connection, unless {@link end} is called before long. @param patience - In milliseconds. */
  begin(connection: Waiting, patience: number = PATIENCE): void {
    this.end(connection);
    this.#timers.set(
      connection,
      setTimeout(() => connection.destroy(), patience),
    );
  }

  /** A request came, or the connection is gone. */
  end(connection: Waiting): void {
    const timer = this.#timers.get(connection);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(connection);
  }
}
