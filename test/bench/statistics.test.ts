import { describe, expect, it } from 'vitest';
import { isSteady, quantile, ratios, summarise } from '../../bench/statistics.ts';

describe('quantile', () => {
  it('is the middle value, whatever the order', () => {
    expect(quantile([9, 1, 5], 0.5)).toBe(5);
  });

  it('lies between the two middle values when their number is even', () => {
    expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
  });

  it('sorts by value, not by spelling', () => {
    expect(quantile([100, 20, 3], 0)).toBe(3);
    expect(
      quantile(
        Float64Array.from({ length: 101 }, (_, i) => i),
        0.99,
      ),
    ).toBe(99);
  });

  it('is no number when there is none', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});

it('summarise gives the median, and between which values the middle half lies', () => {
  expect(summarise([900, 3, 2, 4, 1])).toEqual({ median: 3, lowerQuartile: 2, upperQuartile: 4 });
});

describe('ratios', () => {
  it('are formed round by round', () => {
    expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
  });

  it('leave out rounds that either has no figure of', () => {
    expect(ratios([10, undefined, 30, 8], [5, 5, undefined, 0])).toEqual([2]);
  });

  it('are none when there is no round of both', () => {
    expect(ratios([1], [])).toBeUndefined();
  });
});

describe('a cost is steady', () => {
  it('when the last three figures brought nothing better', () => {
    expect(isSteady([489, 65, 66, 80, 62])).toBe(true);
  });

  it('not while one of them is the best by a twentieth', () => {
    expect(isSteady([489, 222, 190, 196, 236, 132])).toBe(false);
    expect(isSteady([100, 97, 94, 96])).toBe(false);
  });

  it('not before there is something to compare three with', () => {
    expect(isSteady([10, 10, 10])).toBe(false);
    expect(isSteady([])).toBe(false);
  });
});
