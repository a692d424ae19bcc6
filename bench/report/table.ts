/**
 * Results as Markdown: ratios first, absolute figures after.
 *
 * @module
 */
import type { PeerResult, Results, ShapeResult } from '../results.ts';
import type { Summary } from '../statistics.ts';

const runtimeTitles = { node: 'Node', bun: 'Bun', deno: 'Deno', dotnet: '.NET' } as const;

/** Three digits that count, and no more. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 1000) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

const ratioText = ({ median, lowerQuartile, upperQuartile }: Summary): string =>
  `**${number(median)}** (${number(lowerQuartile)}-${number(upperQuartile)})`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${head.map((_, i) => cells[i] ?? '-').join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i < 2 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** One row a peer, one column a shape: how it compares with the bare engine of its runtime. */
function ratioTable(shapes: readonly ShapeResult[]): string {
  const ids = [...new Set(shapes.flatMap(({ peers }) => peers.map(({ id }) => id)))];
  const rows = ids.flatMap((id) => {
    const found = shapes.map(({ peers }) => peers.find((peer) => peer.id === id));
    const peer = found.find((each) => each !== undefined);
    if (peer === undefined || found.every((each) => each?.ratio === undefined)) return [];
    if (peer.reference === id) return [[runtimeTitles[peer.runtime], peer.title, ...shapes.map(() => '1')]];
    const cells = found.map((each) => (each?.ratio === undefined ? '-' : ratioText(each.ratio)));
    return [[runtimeTitles[peer.runtime], peer.title, ...cells]];
  });
  return table(['runtime', 'server', ...shapes.map(({ title }) => title)], rows);
}

const percent = (share: number | undefined): string => (share === undefined ? '-' : `${Math.round(share * 100)} %`);

/** Microseconds, of milliseconds. */
const micro = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '-' : number(milliseconds * 1000);

function absoluteRow(peer: PeerResult, kind: ShapeResult['kind']): string[] {
  const who = [runtimeTitles[peer.runtime], peer.title];
  if (peer.cost === undefined) return [...who, `failed: ${peer.failure ?? 'no figures'}`];
  const cost = number(peer.cost.median);
  if (kind === 'idle') return [...who, cost, `${((peer.server ?? 0) * 100).toFixed(1)} %`];
  const rest = [number(peer.perSecond ?? Number.NaN), percent(peer.server), percent(peer.client)];
  return kind === 'churn' ? [...who, cost, ...rest] : [...who, cost, ...rest, micro(peer.p50), micro(peer.p99)];
}

const columns: Record<ShapeResult['kind'], readonly string[]> = {
  echo: ['CPU µs a message', 'messages a second', 'server busy', 'client busy', 'median µs', '99 % µs'],
  churn: ['CPU µs each', 'each second', 'server busy', 'client busy'],
  idle: ['KiB a connection', 'a core busy with heartbeats'],
};

function absolute(shape: ShapeResult): string {
  const rows = shape.peers.map((peer) => absoluteRow(peer, shape.kind));
  const head = ['runtime', 'server', ...columns[shape.kind]];
  const connections = shape.connections === 1 ? '1 connection' : `${shape.connections} connections`;
  return `### ${shape.title} (${connections})\n\n${table(head, rows)}`;
}

/** The line that says where and when: date, machine, versions. */
export function origin({ date, machine, versions }: Results): string {
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const { cpu, cores, kernel, memoryGiB } = machine;
  return `${date} · ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel} · ${parts.join(', ')}`;
}

/** The whole report. */
export function markdown(results: Results): string {
  const { shapes, rounds, seconds, notes, skipped } = results;
  const http1 = shapes.filter(({ id }) => !id.startsWith('http2'));
  const cpu = http1.filter(({ kind }) => kind !== 'idle');
  const idle = http1.filter(({ kind }) => kind === 'idle');
  const http2 = shapes.filter(({ id }) => id.startsWith('http2'));
  const part = (title: string, chosen: readonly ShapeResult[]) =>
    chosen.length === 0 ? [] : [`## ${title}`, ratioTable(chosen)];
  const failures = shapes.flatMap(({ id, peers }) =>
    peers.flatMap((peer) => (peer.failure === undefined ? [] : [`- failed: ${id}: ${peer.id}: ${peer.failure}`])),
  );
  const bullets = [
    ...notes.map((note) => `- ${note}`),
    ...skipped.map(({ id, reason }) => `- skipped: ${id}: ${reason}`),
    ...failures,
  ];
  return `${[
    '# Benchmark',
    origin(results),
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s; each figure is the median of the rounds, in brackets where the middle half of them lies.`,
    ...(bullets.length === 0 ? [] : [bullets.join('\n')]),
    ...part('Messages per second of server CPU, as a multiple of the bare engine (more is better)', cpu),
    ...part('Memory, as a multiple of the bare engine (less is better)', idle),
    ...part('Messages per second of server CPU over HTTP/2, as a multiple of the same over HTTP/1.1', http2),
    '## Absolute figures',
    ...shapes.map(absolute),
  ].join('\n\n')}\n`;
}
