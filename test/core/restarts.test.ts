import { describe, expect, it } from 'vitest';
import { Restarts } from '../../core/restarts.ts';

/** What is decided about so many ends in a row. */
function waits(count: number, end: { served: number; serving: number }): (number | undefined)[] {
  const restarts = new Restarts();
  return Array.from({ length: count }, () => restarts.after(end));
}

describe('a worker that ended', () => {
  it('is replaced at once', () => {
    expect(new Restarts().after({ served: 1000, serving: 1 })).toBe(0);
    expect(new Restarts().after({ served: 0, serving: 0 })).toBe(0);
  });

  it('is replaced at once every time where it had served long', () => {
    expect(waits(20, { served: 10_000, serving: 0 })).toEqual(Array(20).fill(0));
  });

  it('soon after its start, again and again, is replaced ever later', () => {
    const expected = [0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
    expect(waits(12, { served: 9999, serving: 0 })).toEqual(expected);
  });

  it('without having served is replaced for as long as others serve', () => {
    expect(waits(12, { served: 0, serving: 1 }).at(-1)).toBe(30_000);
  });

  it('is not replaced where nobody serves and none could in five tries', () => {
    expect(waits(5, { served: 0, serving: 0 })).toEqual([0, 100, 200, 400, undefined]);
  });

  it('after a long time of service is the first in a row', () => {
    const restarts = new Restarts();
    for (let i = 0; i < 7; i++) restarts.after({ served: 0, serving: 1 });
    expect(restarts.after({ served: 60_000, serving: 0 })).toBe(0);
    expect(restarts.after({ served: 0, serving: 0 })).toBe(100);
  });
});
