/**
 * The two sides of one WebSocket as core sees it: the {@link Transport} an adapter gives, and the
 * {@link Receiver} that core gives back for the adapter to feed.
 *
 * @module
 */

/** What a peer did wrong, where an engine noticed it: the cause that is reported. */
export type Fault = 'protocol-error' | 'message-too-big' | 'keep-alive-timeout';

/**
 * One WebSocket as an adapter gives it to core. An adapter only translates: it never decides when
 * to pause, ping or close.
 *
 * No method throws because of what the peer did or because the peer is gone; after the end they do nothing.
 */
export interface Transport {
  /** Bytes accepted by {@link send} that were not yet handed to the operating system. */
  readonly queued: number;
  /**
   * Sends one whole message (RFC 6455 section 5.6) and never drops it.
   *
   * @param data - A string, or bytes. Bytes are not copied by the caller and must not change afterwards.
   * @param text - Whether bytes are UTF-8 text (a Text frame) or binary. A string is always text.
   * @param compress - Whether it may be compressed where that was agreed (RFC 7692). Default true.
   * @returns `true` when nothing waits, `false` when {@link queued} is worth a look; `receiver.drained` follows then,
   *   on engines that can tell.
   */
  send(data: string | Uint8Array, text: boolean, compress?: boolean): boolean;
  /** Sends a PING (RFC 6455 section 5.5.2) without payload. Nothing where `capabilities.ping` is false. */
  ping(): void;
  /**
   * Starts the closing handshake (RFC 6455 section 7.1.2). `receiver.over` follows when it is over. While reading is
   * paused, the peer's part of it is not seen.
   */
  close(code: number, reason: string): void;
  /** Drops the connection at once, without a closing handshake. What can't (`capabilities.terminate`) closes. */
  terminate(): void;
  /** Stops reading from the peer, so that TCP slows it down. Nothing where `capabilities.pause` is false. */
  pause(): void;
  /** Reads on after {@link pause}. */
  resume(): void;
}

/** What core gives an adapter for one WebSocket: the callbacks to feed. None of them throws. */
export interface Receiver {
  /**
   * Whether the next message would be sent back as it is, so that a transport may do so itself, which costs less, and tell
   * by {@link echoed} instead of giving it to {@link take}. To be asked anew after each callback.
   */
  readonly echoing: boolean;
  /**
   * Messages came and were sent back. Told before any other callback.
   *
   * @param messages - How many.
   * @param bytes - How many they had, all together.
   * @param keepsUp - What {@link Transport.send} would have returned.
   */
  echoed(messages: number, bytes: number, keepsUp: boolean): void;
  /**
   * One whole message came.
   *
   * @param data - Text as a string or as valid UTF-8 bytes, whichever the engine has at hand; binary as bytes.
   *   Core owns the bytes from here on: the engine neither changes nor reuses them.
   * @param text - Whether the message is text.
   */
  take(data: string | Uint8Array, text: boolean): void;
  /** A PING came. The engine has answered it. Not every engine tells. */
  pingCame(): void;
  /** A PONG came. */
  pongCame(): void;
  /** What was queued has left, or enough of it that sending may go on. */
  drained(): void;
  /**
   * The WebSocket is over. Called once at least; later calls count for nothing.
   *
   * @param code - The code the peer closed with; 1005 where its Close frame had none, 1006 where no Close frame came
   *   (RFC 6455 section 7.1.5). With a fault, the code that the engine closed with.
   * @param reason - The peer's reason, or the engine's with a fault.
   * @param fault - Set when the engine itself failed the connection because of what the peer sent.
   */
  over(code: number, reason: string, fault?: Fault): void;
}

/**
 * An ordered stream of bytes: an upgraded TCP or TLS socket, or an HTTP/2 stream. It is all that the portable
 * engine (`core/protocol`) knows of a runtime.
 */
export interface ByteStream {
  /** Bytes given to {@link write} that were not yet handed to the operating system. */
  readonly queued: number;
  /** Writes bytes, which the stream owns from here on. */
  write(bytes: Uint8Array): void;
  /** Holds back writes until {@link uncork}, so that several leave as one. */
  cork(): void;
  /** Ends {@link cork}. */
  uncork(): void;
  /** Sends what is queued, then ends our direction. The stream sees to it that a peer that stays is dropped soon. */
  end(): void;
  /** Drops the stream at once. */
  destroy(): void;
  /** Stops reading. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /**
   * Nobody needs this memory any more: it was a chunk's, and all that was written of it has left. To free it at once is up
   * to the stream. Told once.
   */
  free(memory: ArrayBufferLike): void;
}

/** What feeds a {@link ByteStream}'s user. */
export interface ByteReceiver {
  /** Bytes came. The receiver owns them and may change them in place. */
  data(chunk: Uint8Array): void;
  /** What was queued has left. */
  drained(): void;
  /** The stream is gone: the peer ended it, it broke, or it was destroyed. Called once at least. */
  gone(): void;
}
