import { describe, expect, it } from 'vitest';
import type { Sample } from '../../bench/measure.ts';
import { type Peer, peers, referenceOf } from '../../bench/peers.ts';
import { chart, reachOf } from '../../bench/report/chart.ts';
import { markdown, number } from '../../bench/report/table.ts';
import { bottlenecks, type Results, resultOf } from '../../bench/results.ts';
import { rotated } from '../../bench/run.ts';
import { type Shape, shapes } from '../../bench/shapes.ts';

const chosen = peers.filter(({ id }) => ['bare-node', 'ours-node', 'hono-node'].includes(id));
const shape = (id: string): Shape => {
  const found = shapes.find((each) => each.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};
const samples = (...costs: number[]): Sample[] =>
  costs.map((cost) => ({ cost, perSecond: 1e6 / cost, p50: 0.1, p99: 0.5, server: 1, client: 0.5 }));

function result(id: string, costs: Record<string, readonly Sample[]>, failures: Record<string, string> = {}) {
  const all = chosen.map((peer) => {
    const failure = failures[peer.id];
    return { peer, samples: costs[peer.id] ?? [], ...(failure === undefined ? {} : { failure }) };
  });
  return resultOf(shape(id), all, (peer: Peer) => referenceOf(peer, chosen));
}

const echo = result(
  '64x32',
  { 'bare-node': samples(8, 10, 6), 'ours-node': samples(1, 1, 1), 'hono-node': [] },
  { 'hono-node': 'it ended <early> & badly' },
);
const idle = result('idle', { 'bare-node': samples(8), 'ours-node': samples(6), 'hono-node': samples(12) });
const results: Results = {
  date: '2030-01-31',
  machine: { cpu: 'A & B', cores: 2, kernel: 'Linux 6', memoryGiB: 8 },
  versions: { echoline: '1.0.0', node: '26.0.0' },
  rounds: 3,
  seconds: 1,
  notes: ['Something to know.'],
  skipped: [{ id: 'aspnet', reason: 'there is no dotnet SDK on the PATH' }],
  shapes: [echo, idle],
};

describe('results', () => {
  it('compare CPU time round by round: less of it for a message is more messages', () => {
    expect(echo.peers[1]?.ratio).toEqual({ median: 8, lowerQuartile: 7, upperQuartile: 9 });
    expect(echo.peers[1]?.reference).toBe('bare-node');
  });

  it('compare memory as it is', () => {
    expect(idle.peers[1]?.ratio?.median).toBe(0.75);
  });

  it('have no figures of a peer that failed', () => {
    expect(echo.peers[2]).toMatchObject({ failure: 'it ended <early> & badly', rounds: [] });
    expect(echo.peers[2]?.ratio).toBeUndefined();
  });

  it('name those whose pace was the client’s', () => {
    const slow = { cost: 1, perSecond: 1, server: 0.5, client: 0.95 };
    const [text] = bottlenecks([result('64x1', { 'bare-node': samples(1), 'ours-node': [slow] })]);
    expect(text).toContain('ours-node');
    expect(text).not.toContain('bare-node');
    expect(bottlenecks([echo])).toEqual([]);
  });
});

describe('the report', () => {
  const text = markdown(results);

  it('has ratios before absolute figures', () => {
    const ratio = text.indexOf('| Node | Echoline, portable | **8.00** (7.00-9.00) |');
    const absolute = text.indexOf('| Node | Echoline, portable | 1.00 | 1,000,000 | 100 % | 50 % | 100 | 500 |');
    expect(ratio).toBeGreaterThan(0);
    expect(absolute).toBeGreaterThan(ratio);
  });

  it('names who was skipped, who failed, when and where', () => {
    expect(text).toContain('skipped: aspnet: there is no dotnet SDK on the PATH');
    expect(text).toContain('- failed: 64x32: hono-node: it ended <early> & badly');
    expect(text).toContain('| failed: it ended <early> & badly |');
    expect(text).toContain('2030-01-31 · A & B, 2 cores, 8 GiB, Linux 6 · echoline 1.0.0, node 26.0.0');
    expect(text).toContain('- Something to know.');
  });

  it('has as many cells in each row of a table as its head', () => {
    const tables = text.split('\n\n').filter((part) => part.startsWith('|'));
    expect(tables).toHaveLength(4);
    for (const table of tables) {
      const cells = table
        .trim()
        .split('\n')
        .map((row) => row.split('|').length);
      expect(new Set(cells).size).toBe(1);
    }
  });

  it.each([
    [0.4567, '0.46'],
    [12.345, '12.3'],
    [123.4, '123'],
    [1_234_567.8, '1,234,568'],
    [Number.NaN, '-'],
  ])('writes %d as %s', (value, expected) => {
    expect(number(value)).toBe(expected);
  });
});

describe('the chart', () => {
  const svg = chart(results);

  it('shows each peer’s ratio, and no memory', () => {
    expect(svg).toContain('>8.00×</text>');
    expect(svg).not.toContain('>0.75×</text>');
    expect(svg.match(/<title>/g)).toHaveLength(1);
  });

  it('says when and on what, with nothing that breaks the document', () => {
    expect(svg).toContain('2030-01-31 · A &amp; B');
    expect(svg).not.toMatch(/&(?!amp;|lt;)/);
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('reaches as far as its longest bar, to either side', () => {
    expect(reachOf([1.1])).toBe(2);
    expect(reachOf([8, 0.5])).toBe(8);
    expect(reachOf([1.2, 0.06])).toBe(32);
  });
});

it('each turn has another order', () => {
  expect([0, 1, 2, 3].map((turn) => rotated(['a', 'b', 'c'], turn).join(''))).toEqual(['abc', 'acb', 'cab', 'cba']);
  expect(rotated([], 2)).toEqual([]);
});
