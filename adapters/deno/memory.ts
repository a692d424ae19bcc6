/**
 * What Deno's memory allocator, glibc's, is to do with what is freed.
 *
 * @module
 */
import { free } from '../../core/memory.ts';

/**
 * Has glibc keep what is freed for what comes next. It would give memory back to the system from twice the largest block on
 * that was ever freed, only to ask for it again with the next large message. This block is not touched: it costs nothing.
 */
export function keepFreed(): void {
  free(new ArrayBuffer(8 * 1024 * 1024));
}
