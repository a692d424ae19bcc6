import { describe, expect, it } from 'vitest';
import { free } from '../../core/memory.ts';

describe('memory that is freed', () => {
  it('is gone at once where the runtime can free it, and else is left as it was', () => {
    const memory = new ArrayBuffer(64);
    free(memory);
    expect(memory.byteLength).toBe('transfer' in ArrayBuffer.prototype ? 0 : 64);
  });
});
