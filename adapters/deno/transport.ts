/**
 * One of Deno's server-side WebSockets as a transport.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import type { Upgrade } from '../../core/engine.ts';
import { free } from '../../core/memory.ts';
import type { Fault, Receiver, Transport } from '../../core/transport.ts';
import { Backlog, LITTLE } from './backlog.ts';

/** What Deno says where its own clock hangs up. */
const UNANSWERED = 'No response from ping frame.';
/** What Deno says where the other side broke off; anything else it says is about what that side sent. */
const LOST = /^(?:Unexpected EOF|.*(?:os error|connection|broken pipe).*)$/i;
/** Up to so many bytes, to free a message at once costs as much as it saves. */
const SMALL = 4096;
const TYPES = ['message', 'error', 'close'];
const now = () => performance.now();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** Passes on between core and one socket of Deno's. */
export class DenoTransport implements Transport {
  readonly #socket: WebSocket;
  /** What Deno complained about last. The close event, which follows, says nothing of it. */
  #complaint = '';
  readonly #backlog = new Backlog();
  readonly #limit: number;
  #receiver: Receiver | undefined = undefined;
  /** Let go of when it has served: it holds on to the request. */
  #upgrade: Upgrade | undefined = undefined;

  /** @param limit - The largest message in bytes. Deno has none of its own; core ends the connection. */
  constructor(socket: WebSocket, limit: number) {
    this.#socket = socket;
    this.#limit = limit;
    socket.binaryType = 'arraybuffer';
  }

  /** Opens as soon as Deno has upgraded, and passes on all that happens. */
  feed(upgrade: Upgrade): void {
    this.#upgrade = upgrade;
    this.#socket.addEventListener('open', this, { once: true });
    for (const type of TYPES) this.#socket.addEventListener(type, this);
  }

  /** One listener for all events, so that a connection has as few objects as can be. */
  handleEvent(event: Event): void {
    const receiver = this.#receiver;
    if (event.type === 'message') {
      const { data } = event as MessageEvent<string | ArrayBuffer>;
      // Deno never tells that the queue has moved. A reader that is behind may have caught up meanwhile.
      if (receiver?.echoing === false) receiver.drained();
      if (receiver?.echoing && this.#echo(receiver, data)) return;
      if (typeof data === 'string') receiver?.take(data, true);
      else receiver?.take(new Uint8Array(data), false);
    } else if (event.type === 'open') {
      this.#receiver = this.#upgrade?.open(this);
      this.#upgrade = undefined;
    } else if (event.type === 'error') {
      this.#complaint = (event as ErrorEvent).message;
    } else {
      const { code, reason } = event as CloseEvent;
      this.#socket.removeEventListener('close', this);
      if (receiver === undefined) this.#upgrade?.abandon();
      else this.#close(receiver, code, reason);
    }
  }

  get queued(): number {
    return this.#backlog.estimate(this.#socket.bufferedAmount, now);
  }

  send(data: string | Uint8Array, text: boolean): boolean {
    const socket = this.#socket;
    if (text && typeof data !== 'string') socket.send(DECODER.decode(data));
    else socket.send(data as string | Uint8Array<ArrayBuffer>);
    if (data.length === 0) {
      this.#backlog.addEmpty(now());
      return false;
    }
    return this.#littleWaits(data.length);
  }

  /** Sends a message back as it came, unless it takes a closer look. */
  #echo(receiver: Receiver, data: string | ArrayBuffer): boolean {
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    if (bytes === 0 || bytes > this.#limit) return false;
    this.#socket.send(data);
    // Deno has its own copy.
    if (bytes > SMALL && typeof data !== 'string') free(data);
    receiver.echoed(1, bytes, this.#littleWaits(bytes));
    return true;
  }

  #littleWaits(sent: number): boolean {
    return this.#backlog.add(sent) || this.queued < LITTLE;
  }

  ping(): void {}

  close(code: number, reason: string): void {
    // At once, the Close frame would be lost where another message came in the same packet.
    setTimeout(() => {
      if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(code, reason);
    }, 0);
  }

  terminate(): void {
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close();
  }

  pause(): void {}

  resume(): void {}

  #close(receiver: Receiver, code: number, reason: string): void {
    const fault = this.#fault();
    if (fault === undefined) receiver.over(code || 1006, reason);
    else receiver.over(codeOf(fault, this.#complaint), '', fault);
  }

  #fault(): Fault | undefined {
    const complaint = this.#complaint;
    if (complaint === '' || LOST.test(complaint)) return undefined;
    if (complaint === UNANSWERED) return 'keep-alive-timeout';
    return complaint === 'Frame too large' ? 'message-too-big' : 'protocol-error';
  }
}

/** The code that says what Deno ended the connection for, whether or not it sent one. */
function codeOf(fault: Fault, complaint: string): number {
  if (fault === 'keep-alive-timeout') return 1001;
  if (fault === 'message-too-big') return 1009;
  return complaint === 'Invalid UTF-8' ? 1007 : 1002;
}
