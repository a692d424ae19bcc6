/**
 * What becomes of the memory of messages. They lie outside of V8's heap: a collection comes late, and costs more than an
 * echo where it comes often.
 *
 * @module
 */

/** An `ArrayBuffer` of ES2024, which Node 20 does not have. */
interface Transferable extends ArrayBuffer {
  transfer(length: number): ArrayBuffer;
}

/** Frees a buffer that nobody needs any more, so that the next message finds memory which is warm. */
export function free(buffer: ArrayBuffer): void {
  (buffer as Transferable).transfer(0);
}

/**
 * Has glibc keep what is freed for what comes next. It would give memory back to the system from twice the largest block on
 * that was ever freed, only to ask for it again with the next large message. This block is not touched: it costs nothing.
 */
export function keepFreed(): void {
  free(new ArrayBuffer(8 * 1024 * 1024));
}
