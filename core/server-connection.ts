/**
 * A {@link Connection} as its server knows it: what the transport feeds, the clock watches and the registry holds.
 *
 * @module
 */
import type { Connection, Message, MessageCallback } from './connection.ts';
import { Intake, type IntakeOwner } from './intake.ts';
import { type Liveness, NEVER, Watched } from './liveness.ts';
import { cutReason, isCloseCode } from './protocol/close.ts';
import type { Cause, End } from './report.ts';
import type { Fault, Receiver, Transport } from './transport.ts';

/** What a connection needs of its server. One object serves all. */
export interface Surroundings {
  readonly liveness: Liveness<ServerConnection>;
  /** Bytes queued to a slow reader at which its connection is no longer read from. */
  readonly maxBuffered: number;
  /** Bytes queued at which a connection that can't be paused is ended. */
  readonly maxQueued: number;
  /** Whether PINGs and PONGs count as signs of life, as messages do. */
  readonly framesCount: boolean;
  /** The largest message to take in bytes; infinite where the engine sees to it. */
  readonly messageLimit: number;
  /** Whether the engine can stop reading from a peer. */
  readonly canPause: boolean;
  /** The length of a string in UTF-8. */
  byteLength(text: string): number;
  /** The connection has ended as far as its handler goes. Called once. */
  ended(connection: ServerConnection, end: End): void;
  /** The transport is gone as well. Called once, after `ended`. */
  gone(connection: ServerConnection): void;
  /** A callback or handler threw. Called once. */
  failed(connection: ServerConnection, error: unknown): void;
}

/** How long a client has to take its part in a closing handshake that is not its handler's wish, in milliseconds. */
const SHORT_GRACE = 1_500;
/** The same where the handler closed: what it sent before may still be on its way to a slow reader. */
const LONG_GRACE = 30_000;

export class ServerConnection extends Watched implements Connection, Receiver, IntakeOwner {
  readonly id: number;
  readonly remote: string;
  readonly protocol: string;
  readonly openedAt: number;
  messagesIn = 0;
  messagesOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** When the last message came; unlike {@link seen}, nothing else moves it. */
  lastMessage = 0;

  readonly #server: Surroundings;
  readonly #transport: Transport;
  /** Made when a handler takes messages, or one waits for it. The echo loop needs none. */
  #madeIntake: Intake | undefined = undefined;
  /** Whether the reader is so slow that its queue went over the limit. */
  #behind = false;
  /** Bytes that were queued since it did: of compressed messages, what became of them. */
  #added = 0;
  /** Bytes that had left the queue when it was last looked at. */
  #left = 0;
  /** Set when the end is decided; reported at once, or when the closing handshake is over. */
  #end: End | undefined = undefined;
  #reported = false;
  #gone = false;
  #echoes = false;
  #failed = false;
  #closed: Promise<End> | undefined = undefined;
  #resolveClosed: ((end: End) => void) | undefined = undefined;

  constructor(
    server: Surroundings,
    transport: Transport,
    about: { id: number; remote: string; protocol: string; now: number },
  ) {
    super();
    this.#server = server;
    this.#transport = transport;
    this.id = about.id;
    this.remote = about.remote;
    this.protocol = about.protocol;
    this.openedAt = about.now;
  }

  get open(): boolean {
    return this.#end === undefined;
  }

  get queued(): number {
    return this.#transport.queued;
  }

  get closed(): Promise<End> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#reported) resolve(this.#end as End);
      else this.#resolveClosed = resolve;
    });
    return this.#closed;
  }

  send(data: string | Uint8Array, text: boolean = typeof data === 'string', compress = true): boolean {
    if (this.#end !== undefined) return false;
    this.messagesOut++;
    this.bytesOut += typeof data === 'string' ? this.#server.byteLength(data) : data.byteLength;
    const before = this.#behind ? this.#transport.queued : 0;
    if (this.#transport.send(data, text, compress)) return true;
    if (this.#behind) this.#added += Math.max(0, this.#transport.queued - before);
    else if (this.#transport.queued > this.#server.maxBuffered) this.#fallBehind();
    return false;
  }

  forEach(callback: MessageCallback): Promise<void> {
    return this.#intake.forEach(callback);
  }

  /** Whether it is what {@link forEach} returned last. */
  isOwnPromise(promise: unknown): boolean {
    return promise !== undefined && this.#madeIntake?.done === promise;
  }

  /** Sends back every message until the end. For most connections there is nothing else, hence no promise. */
  echo(): void {
    // Where none is made yet, nothing waits.
    if (this.#madeIntake !== undefined || this.#echoes) this.#intake.giveAll((data, text) => this.send(data, text));
    this.#echoes = true;
  }

  /** See {@link Receiver.echoing}. A reader that is behind is dealt with message by message. */
  get echoing(): boolean {
    return this.#echoes && this.#end === undefined && !this.#behind;
  }

  /** See {@link Receiver.echoed}. */
  echoed(messages: number, bytes: number, keepsUp: boolean): void {
    this.seen = this.#server.liveness.now;
    this.lastMessage = this.seen;
    this.messagesIn += messages;
    this.messagesOut += messages;
    this.bytesIn += bytes;
    this.bytesOut += bytes;
    if (!keepsUp && this.#transport.queued > this.#server.maxBuffered) this.#fallBehind();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    return this.#intake.iterate();
  }

  close(code = 1000, reason = ''): void {
    if (!isCloseCode(code)) {
      throw new RangeError(`a close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999, not ${code}`);
    }
    this.shut('server-close', code, cutReason(reason), LONG_GRACE);
  }

  terminate(): void {
    this.drop('server-close');
  }

  /**
   * Begins a closing handshake; the end is reported when that is over.
   *
   * @param grace - Milliseconds after which the connection is terminated.
   */
  shut(cause: Cause, code: number, reason: string, grace: number): void {
    if (this.#end !== undefined) return;
    this.#end = { cause, code, reason };
    this.#beginClosing(code, reason, grace);
  }

  /** Ends the connection because of its client or handler: reported at once, whatever the client answers. */
  fail(cause: Cause, code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { cause, code, reason };
    this.#report();
    this.#beginClosing(code, reason, SHORT_GRACE);
  }

  /** Ends the connection without a closing handshake. */
  drop(cause: Cause): void {
    this.#end ??= { cause, code: 1006, reason: '' };
    this.#report();
    // An engine that can't terminate closes; the registry gives up on it after the grace.
    this.#awaitEnd(SHORT_GRACE);
    this.#transport.terminate();
  }

  /** Gives up on a client that takes no part in the closing handshake. */
  abandon(): void {
    this.#transport.terminate();
    this.over(1006, '');
  }

  ping(): void {
    this.#transport.ping();
  }

  /** A handler or callback threw: 1011 for this client, and the error to the server's owner, once. */
  broke(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#server.failed(this, error);
    this.fail('handler-error', 1011, 'internal error');
  }

  override lookAtQueue(): void {
    if (this.#transport.queued <= this.#server.maxBuffered / 2) this.#catchUp();
    else if (this.#moved()) this.stalled = this.#server.liveness.now;
  }

  /** See {@link Receiver.take}. */
  take(data: string | Uint8Array, text: boolean): void {
    if (this.#end !== undefined) return;
    this.seen = this.#server.liveness.now;
    this.lastMessage = this.seen;
    this.messagesIn++;
    const bytes = typeof data === 'string' ? this.#server.byteLength(data) : data.byteLength;
    this.bytesIn += bytes;
    if (bytes > this.#server.messageLimit) {
      this.fail('message-too-big', 1009, 'message too big');
      return;
    }
    if (this.#echoes) this.send(data, text);
    else this.#intake.take(data, text);
    if (this.#behind && !this.#server.canPause) this.#endIfFull(this.#transport.queued);
  }

  waitingChanged(): void {
    if (this.#server.canPause) this.#setPaused();
    else this.#endIfFull(this.#waiting);
  }

  /** See {@link Receiver.pingCame}. */
  pingCame(): void {
    if (this.#server.framesCount) this.seen = this.#server.liveness.now;
  }

  /** See {@link Receiver.pongCame}. */
  pongCame(): void {
    this.unanswered = NEVER;
    this.pingCame();
  }

  /** See {@link Receiver.drained}. */
  drained(): void {
    if (this.#behind) this.lookAtQueue();
  }

  /** See {@link Receiver.over}. */
  over(code: number, reason: string, fault?: Fault): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#end ??= { cause: fault ?? (code === 1006 ? 'connection-lost' : 'client-close'), code, reason };
    this.#report();
    this.#server.gone(this);
  }

  get #intake(): Intake {
    if (this.#madeIntake === undefined) {
      this.#madeIntake = new Intake(this, this.#echoes);
      if (this.#reported) this.#madeIntake.end();
    }
    return this.#madeIntake;
  }

  /** About how many bytes wait for the handler. */
  get #waiting(): number {
    return this.#madeIntake === undefined ? 0 : this.#madeIntake.waiting;
  }

  #report(): void {
    if (this.#reported) return;
    this.#reported = true;
    const end = this.#end as End;
    this.#server.ended(this, end);
    this.#resolveClosed?.(end);
    this.#madeIntake?.end();
  }

  #beginClosing(code: number, reason: string, grace: number): void {
    this.#setPaused();
    this.#awaitEnd(grace);
    this.#transport.close(code, reason);
  }

  #awaitEnd(grace: number): void {
    this.closeBy = this.#server.liveness.now + grace;
    this.#server.liveness.update(this);
  }

  /** Where reading can't be paused, the only bound on memory is an end. */
  #endIfFull(bytes: number): void {
    if (bytes > this.#server.maxQueued) this.fail('slow-consumer', 1013, 'too slow');
  }

  #fallBehind(): void {
    this.#behind = true;
    this.#moved();
    this.stalled = this.#server.liveness.now;
    this.#server.liveness.update(this);
    this.#setPaused();
  }

  #catchUp(): void {
    this.#behind = false;
    this.stalled = NEVER;
    this.#setPaused();
  }

  /** Whether something has left the queue since the last call. Control frames and frame headers only ever add to it. */
  #moved(): boolean {
    const before = this.#left;
    this.#left = this.#added - this.#transport.queued;
    return this.#left > before;
  }

  #shouldPause(): boolean {
    if (this.#end === undefined) return this.#behind || this.#waiting > this.#server.maxBuffered;
    // The client's Close frame can be seen only by reading. One that does not read would only go on sending.
    return this.#end.cause === 'slow-consumer';
  }

  #setPaused(): void {
    const paused = this.#server.canPause && this.#shouldPause();
    if (paused === this.paused) return;
    this.paused = paused;
    // What the client did meanwhile was not seen: its silence counts from now.
    const { liveness } = this.#server;
    this.seen = liveness.now;
    if (this.unanswered !== NEVER) this.unanswered = liveness.now;
    liveness.update(this);
    if (paused) this.#transport.pause();
    else this.#transport.resume();
  }
}
