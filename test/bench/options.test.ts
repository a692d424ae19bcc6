import { describe, expect, it } from 'vitest';
import { choose, parseOptions } from '../../bench/options.ts';
import { peers } from '../../bench/peers.ts';
import { shapes } from '../../bench/shapes.ts';

describe('parseOptions', () => {
  it('measures everything for 11 rounds of 0.4 seconds, and writes nothing', () => {
    expect(parseOptions([])).toEqual({ words: [], rounds: 11, seconds: 0.4, quick: false, json: '', write: false });
  });

  it('takes words and options in any order', () => {
    expect(parseOptions(['bun', '--rounds', '3', '64x1', '--json=x.json'])).toMatchObject({
      words: ['bun', '64x1'],
      rounds: 3,
      json: 'x.json',
    });
    expect(parseOptions(['--write', '--rounds', '3'])).toMatchObject({ words: [], rounds: 3, write: true });
  });

  it('is short with --quick, unless told otherwise', () => {
    expect(parseOptions(['--quick'])).toMatchObject({ rounds: 3, seconds: 0.2 });
    expect(parseOptions(['--quick', '--seconds', '2'])).toMatchObject({ rounds: 3, seconds: 2 });
  });

  it.each([
    [['--rounds', '0'], /--rounds/],
    [['--rounds', '1.5'], /--rounds/],
    [['--seconds', 'x'], /--seconds/],
    [['--seconds', '0'], /--seconds/],
    [['--seconds', '0.01'], /0.05 to 60/],
    [['--fast'], /--fast/],
    [['--write', 'bun'], /whole benchmark/],
    [['--quick', '--write'], /whole benchmark/],
  ])('says what is wrong with %j', (argv, fault) => {
    expect(parseOptions(argv)).toEqual({ fault: expect.stringMatching(fault) });
  });

  it('knows when help is asked for', () => {
    expect(parseOptions(['-h'])).toEqual({ help: true });
  });
});

describe('choose', () => {
  const ids = (...words: string[]) => {
    const choice = choose(words, peers, shapes);
    if ('fault' in choice) throw new Error(choice.fault);
    return { peers: choice.peers.map(({ id }) => id), shapes: choice.shapes.map(({ id }) => id) };
  };

  it('takes all when there are no words', () => {
    expect(ids()).toEqual({ peers: peers.map(({ id }) => id), shapes: shapes.map(({ id }) => id) });
  });

  it('takes all peers when the words are shapes', () => {
    expect(ids('64x32', 'idle')).toEqual({ peers: peers.map(({ id }) => id), shapes: ['64x32', 'idle'] });
  });

  it('takes both shapes over HTTP/2 by what they begin with', () => {
    expect(ids('http2').shapes).toEqual(['http2-64x1', 'http2-64x32']);
  });

  it('narrows down by words of different sorts', () => {
    expect(ids('bun', 'ours').peers).toEqual(['bare-bun', 'ours-bun-native', 'ours-bun-portable']);
  });

  it('adds up words of one sort', () => {
    expect(ids('hono', 'crossws', 'deno').peers).toEqual(['bare-deno', 'hono-deno', 'crossws-deno']);
  });

  it('always has the bare engine to compare with', () => {
    expect(ids('ours-deno-portable', 'aspnet').peers).toEqual(['bare-deno', 'ours-deno-portable', 'aspnet']);
  });

  it('refuses a word that means nothing', () => {
    expect(choose(['nodes'], peers, shapes)).toEqual({ fault: expect.stringContaining('"nodes"') });
  });
});
