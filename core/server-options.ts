/**
 * The options of a server's connections.
 *
 * @module
 */

/** The options of a server; `Config` has them all, and `resolveOptions` gives it, with defaults. Times in milliseconds, sizes in bytes. */
export interface ServerOptions {
  readonly allowedOrigins: readonly string[];
  readonly requireOrigin: boolean;
  readonly subprotocols: readonly string[];
  /** X: how often clients are to send a message. 0 switches the idle timeout off. */
  readonly pingInterval: number;
  readonly liveness: 'messages' | 'frames' | 'off';
  readonly keepAliveInterval: number;
  readonly keepAliveTimeout: number;
  readonly maxMessageSize: number;
  readonly maxBuffered: number;
  readonly maxConnections: number;
  readonly shutdownTimeout: number;
  readonly compression: boolean;
  /** The server's window: 2^bits octets. */
  readonly compressionWindowBits: number;
  readonly compressionNoContextTakeover: boolean;
}

/** Their names, which no runtime knows of an interface. */
const names = Object.keys({
  allowedOrigins: 0,
  requireOrigin: 0,
  subprotocols: 0,
  pingInterval: 0,
  liveness: 0,
  keepAliveInterval: 0,
  keepAliveTimeout: 0,
  maxMessageSize: 0,
  maxBuffered: 0,
  maxConnections: 0,
  shutdownTimeout: 0,
  compression: 0,
  compressionWindowBits: 0,
  compressionNoContextTakeover: 0,
} satisfies Record<keyof ServerOptions, 0>) as readonly (keyof ServerOptions)[];

/** The first option that was not given, by a program that the compiler did not check. */
export function missingOption(options: ServerOptions): keyof ServerOptions | undefined {
  return names.find((name) => options[name] === undefined);
}
