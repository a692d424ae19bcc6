import { describe, expect, it } from 'vitest';
import { Inbox } from '../../core/inbox.ts';

describe('the inbox', () => {
  it('gives messages back in order, with their types', () => {
    const inbox = new Inbox();
    inbox.push('text', true);
    inbox.push(new Uint8Array([1, 2]), false);
    inbox.push(new Uint8Array([0x68]), true);
    expect(inbox.shift()).toEqual({ data: 'text', text: true });
    expect(inbox.shift()).toEqual({ data: new Uint8Array([1, 2]), text: false });
    expect(inbox.shift()).toEqual({ data: new Uint8Array([0x68]), text: true });
    expect(inbox.shift()).toBeUndefined();
  });

  it('keeps its order while messages come and go', () => {
    const inbox = new Inbox();
    const taken: unknown[] = [];
    for (let i = 0; i < 1000; i++) {
      inbox.push(`${i}`, true);
      if (i % 3 === 0) taken.push(inbox.shift()?.data);
    }
    for (let message = inbox.shift(); message !== undefined; message = inbox.shift()) taken.push(message.data);
    expect(taken).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}`));
    expect(inbox.cost).toBe(0);
  });

  it('costs what waits, and something more for each message, so that empty ones are not free', () => {
    const inbox = new Inbox();
    inbox.push('', true);
    const overhead = inbox.cost;
    expect(overhead).toBeGreaterThan(0);
    inbox.push('12345', true);
    inbox.push(new Uint8Array(10), false);
    expect(inbox.cost).toBe(3 * overhead + 15);
    inbox.shift();
    inbox.shift();
    expect(inbox.cost).toBe(overhead + 10);
  });

  it('costs nothing once it is cleared', () => {
    const inbox = new Inbox();
    inbox.push('a', true);
    inbox.push('b', true);
    inbox.shift();
    inbox.clear();
    expect(inbox.cost).toBe(0);
    expect(inbox.shift()).toBeUndefined();
    inbox.push('c', true);
    expect(inbox.shift()?.data).toBe('c');
  });

  it('does not keep a large chunk alive for a small message', () => {
    const chunk = new Uint8Array(65_536).fill(7);
    const inbox = new Inbox();
    inbox.push(chunk.subarray(100, 110), false);
    const { data } = inbox.shift() as { data: Uint8Array };
    expect(data).toEqual(new Uint8Array(10).fill(7));
    expect(data.buffer.byteLength).toBe(10);
  });

  it('does not copy a message that is most of its chunk', () => {
    const chunk = new Uint8Array(1000);
    const inbox = new Inbox();
    inbox.push(chunk.subarray(100), false);
    const { data } = inbox.shift() as { data: Uint8Array };
    expect(data.buffer).toBe(chunk.buffer);
  });
});
