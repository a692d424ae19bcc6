/**
 * What becomes of the memory of messages. For V8 it lies outside of the heap: a collection comes late, and costs more than
 * an echo where it comes often.
 *
 * @module
 */

/** An `ArrayBuffer` of ES2024, which Node 20 does not have. */
interface Transferable extends ArrayBuffer {
  readonly transfer?: (length: number) => ArrayBuffer;
}

/**
 * Frees memory that nobody needs any more, so that the next message finds some which is warm. On Node 20 it does nothing.
 *
 * @throws TypeError for memory that was freed already.
 */
export function free(memory: ArrayBufferLike): void {
  (memory as Transferable).transfer?.(0);
}
