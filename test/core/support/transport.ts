/** A transport that notes what is asked of it and does nothing by itself. */
import type { Receiver, Transport } from '../../../core/transport.ts';

export class FakeTransport implements Transport {
  queued = 0;
  /** Whether the peer reads: what is sent to one that doesn't is queued. */
  peerReads = true;
  /** All that was asked for but sending, such as `close 1000 bye`. */
  readonly calls: string[] = [];
  readonly sent: [data: string | Uint8Array, text: boolean][] = [];
  /** Of each message that was sent, whether it may be compressed. */
  readonly compressible: boolean[] = [];
  /** How many bytes are queued for a message of so many characters or bytes. */
  wireSize: (size: number) => number = (size) => size;
  /** What happens inside close(): nothing, unless a test says otherwise. */
  onClose: (code: number, reason: string) => void = () => {};
  /** What happens inside terminate(). */
  onTerminate: () => void = () => {};
  /** What happens inside resume(). */
  onResume: () => void = () => {};

  send(data: string | Uint8Array, text: boolean, compress = true): boolean {
    this.sent.push([data, text]);
    this.compressible.push(compress);
    if (!this.peerReads) this.queued += this.wireSize(data.length);
    return this.queued === 0;
  }

  ping(): void {
    this.calls.push('ping');
  }

  close(code: number, reason: string): void {
    this.calls.push(`close ${code} ${reason}`);
    this.onClose(code, reason);
  }

  terminate(): void {
    this.calls.push('terminate');
    this.onTerminate();
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
    this.onResume();
  }

  /** Closes as Bun does: the end is told inside close() and terminate(), with our own code. */
  closeAtOnce(receiver: () => Receiver): this {
    this.onClose = (code, reason) => receiver().over(code, reason);
    this.onTerminate = () => receiver().over(1006, '');
    return this;
  }
}
