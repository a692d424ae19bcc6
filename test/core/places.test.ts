import { describe, expect, it } from 'vitest';
import { Places, Questions } from '../../core/places.ts';

describe('places', () => {
  it('are granted to whoever asks, up to the limit of all', () => {
    const places = new Places<string>(10);
    expect(places.take('a', 6)).toBe(6);
    expect(places.take('b', 3)).toBe(3);
    expect(places.take('b', 3)).toBe(1);
    expect(places.take('a', 1)).toBe(0);
    expect(places.taken).toBe(10);
  });

  it('can all be one holder’s', () => {
    const places = new Places<string>(10);
    expect(places.take('a', 10)).toBe(10);
    expect(places.take('b', 1)).toBe(0);
  });

  it('are free again when they are given back', () => {
    const places = new Places<string>(2);
    places.take('a', 2);
    places.give('a', 1);
    expect(places.taken).toBe(1);
    expect(places.take('b', 2)).toBe(1);
  });

  it('of a holder that is no more are free again', () => {
    const places = new Places<string>(5);
    places.take('a', 3);
    places.take('b', 1);
    places.give('a', 1);
    expect(places.leave('a')).toBe(2);
    expect(places.taken).toBe(1);
    expect(places.leave('a')).toBe(0);
    expect(places.take('b', 9)).toBe(4);
  });
});

describe('questions', () => {
  it('are answered in the order in which they were asked', async () => {
    const questions = new Questions<number>();
    const answers = Promise.all([questions.ask(), questions.ask(), questions.ask()]);
    expect(questions.waiting).toBe(3);
    for (const answer of [1, 2, 3]) questions.answer(answer);
    expect(await answers).toEqual([1, 2, 3]);
    expect(questions.waiting).toBe(0);
  });

  it('that nobody asked have no answer', () => {
    const questions = new Questions<number>();
    questions.answer(1);
    expect(questions.waiting).toBe(0);
  });
});
