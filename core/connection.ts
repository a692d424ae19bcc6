/**
 * One WebSocket as a handler sees it.
 *
 * @module
 */
import type { End } from './report.ts';

/** A message as {@link Connection} iterates it: text as a string, binary as bytes. */
export type Message = string | Uint8Array;

/**
 * Takes messages as they come, see {@link Connection.forEach}.
 *
 * @param data - Text is a string or its UTF-8 bytes, whichever costs nothing; binary is bytes.
 * @param text - Whether the message is text.
 */
export type MessageCallback = (data: string | Uint8Array, text: boolean) => unknown;

/**
 * What a server runs for each connection: an ordinary function, async or not. When the promise it returns resolves,
 * the connection is closed with 1000; when it throws or rejects, with 1011.
 */
export type Handler = (connection: Connection) => unknown;

/**
 * One WebSocket.
 *
 * ```ts
 * const shout: Handler = async (connection) => {
 *   for await (const message of connection) {
 *     if (typeof message === 'string') connection.send(message.toUpperCase());
 *   }
 * };
 * ```
 *
 * Messages that come before a handler takes them wait for it. What waits is bounded: past the server's `maxBuffered`
 * the client is no longer read from.
 */
export interface Connection extends AsyncIterable<Message> {
  /** The number in reports: counts up from 1 for each connection of this process. Each worker counts for itself. */
  readonly id: number;
  /** The other side's address and port, such as `127.0.0.1:50312`. */
  readonly remote: string;
  /** The subprotocol that was agreed, or `''` (RFC 6455 section 1.9). */
  readonly protocol: string;
  /** Whether messages can still be sent. */
  readonly open: boolean;
  /** Bytes sent that wait for a slow reader. */
  readonly queued: number;
  /** Resolves when the connection is over; never rejects. */
  readonly closed: Promise<End>;
  /**
   * Sends one message. Nothing is dropped; after the end nothing is sent.
   *
   * @param data - A string, or bytes, which must not change afterwards.
   * @param text - Whether bytes are UTF-8 text. Default: a string is text, bytes are binary.
   * @param compress - Whether it may be compressed where client and server agreed to (RFC 7692). Default true. A message
   *   that has a secret in it had better not be: see docs/compression.md.
   * @returns Whether the reader keeps up. After `false`, {@link queued} is worth a look.
   */
  send(data: string | Uint8Array, text?: boolean, compress?: boolean): boolean;
  /**
   * Calls back for each message, in order, one at a time: after a callback that returns a promise, the next message
   * waits until it is settled, and the client is slowed down meanwhile.
   *
   * @returns A promise that resolves when the connection is over and every message was taken, and rejects with what
   *   a callback threw.
   * @throws TypeError when messages are being taken already.
   */
  forEach(callback: MessageCallback): Promise<void>;
  /**
   * Closes the connection (RFC 6455 section 7.1.2).
   *
   * @param code - 1000 (default), 1001 to 1003, 1007 to 1014, or 3000 to 4999.
   * @param reason - At most 123 bytes in UTF-8; what is longer is cut.
   * @throws RangeError for another code.
   */
  close(code?: number, reason?: string): void;
  /** Drops the connection at once, without a closing handshake. */
  terminate(): void;
}
