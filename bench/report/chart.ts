/**
 * The ratios as a picture: one column a runtime, one block a shape, one bar a server, on a logarithmic scale whose
 * middle is the bare engine. Plain SVG with its own background, for light pages and dark ones.
 *
 * @module
 */
import type { PeerResult, Results, ShapeResult } from '../results.ts';
import { number, origin } from './table.ts';

const runtimes = [
  { name: 'node', title: 'Node', bare: 'bare ws' },
  { name: 'bun', title: 'Bun', bare: 'bare Bun.serve' },
  { name: 'deno', title: 'Deno', bare: 'bare Deno.serve' },
] as const;

const width = 960;
const margin = 20;
const top = 92;
const bar = 13;
const gap = 5;
const headline = 24;
/** Room for the text beside a bar. */
const label = 64;
const column = (width - 2 * margin) / runtimes.length;
const scaleWidth = column - 16 - 2 * label;

const style = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-size: 17px; font-weight: 600; } .head { font-weight: 600; } .small { font-size: 11px; fill: #59636e; }
  .card { fill: #ffffff; stroke: #d1d9e0; } .axis { stroke: #59636e; stroke-width: 1; }
  .ours { fill: #0a6ddb; } .portable { fill: #6639ba; } .hono { fill: #d9730d; } .crossws { fill: #848d97; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .small { fill: #9198a1; } .card { fill: #0d1117; stroke: #3d444d; } .axis { stroke: #9198a1; }
    .ours { fill: #4493f8; } .portable { fill: #ab7df8; } .hono { fill: #f0883e; } .crossws { fill: #7d8590; }
  }`;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const className = ({ kind, title }: PeerResult): string =>
  kind === 'ours' && title.includes('portable') ? 'portable' : kind;

/** A peer that is compared with another, and can be drawn. */
type Compared = PeerResult & { readonly ratio: NonNullable<PeerResult['ratio']> };

const compared = (shape: ShapeResult, runtime: string): Compared[] =>
  shape.peers.filter(
    (peer): peer is Compared => peer.runtime === runtime && peer.ratio !== undefined && peer.reference !== peer.id,
  );

/** How far the scale must reach to each side of the bare engine: a power of two, at least 2. */
export function reachOf(ratios: readonly number[]): number {
  const most = Math.max(2, ...ratios.flatMap((ratio) => (ratio > 0 ? [ratio, 1 / ratio] : [])));
  return 2 ** Math.ceil(Math.log2(most) - 1e-9);
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`;
}

/** A bar from the bare engine's line to the ratio, and the ratio beside it. */
function drawBar(peer: Compared, middle: number, y: number, perDoubling: number): string {
  const { median } = peer.ratio;
  const end = middle + Math.log2(median) * perDoubling;
  const length = Math.max(1, Math.abs(end - middle));
  const right = median >= 1;
  const rect = `<rect class="${className(peer)}" x="${Math.min(end, middle).toFixed(1)}" y="${y}" width="${length.toFixed(1)}" height="${bar - 2}" rx="1"><title>${escaped(`${peer.title}: ${number(median)}`)}</title></rect>`;
  const beside = right
    ? text(end + 4, y + 10, `${number(median)}×`)
    : text(end - 4, y + 10, `${number(median)}×`, 'text-anchor="end"');
  return rect + beside;
}

function legend(y: number): string {
  const entries = [
    ['ours', 'Echoline, native'],
    ['portable', 'Echoline, portable'],
    ['hono', 'Hono helper'],
    ['crossws', 'crossws'],
  ] as const;
  return entries
    .map(([name, title], i) => {
      const x = margin + i * 150;
      return `<rect class="${name}" x="${x}" y="${y - 10}" width="11" height="11" rx="1"/>${text(x + 17, y, title)}`;
    })
    .join('');
}

/** @returns The chart of those shapes in which server CPU is compared over HTTP/1.1, as an SVG document. */
export function chart(results: Results): string {
  const shapes = results.shapes.filter(({ id, kind }) => kind !== 'idle' && !id.startsWith('http2'));
  const all = shapes.flatMap((shape) => runtimes.flatMap(({ name }) => compared(shape, name)));
  const reach = reachOf(all.map(({ ratio }) => ratio.median));
  const perDoubling = scaleWidth / 2 / Math.log2(reach);
  const parts: string[] = [];
  let y = top;
  for (const shape of shapes) {
    const rows = Math.max(...runtimes.map(({ name }) => compared(shape, name).length));
    if (rows === 0) continue;
    parts.push(text(margin, y + 14, shape.title, 'class="head"'));
    const height = rows * bar;
    runtimes.forEach(({ name }, i) => {
      const middle = margin + i * column + 8 + label + scaleWidth / 2;
      compared(shape, name).forEach((peer, row) => {
        parts.push(drawBar(peer, middle, y + headline + row * bar, perDoubling));
      });
      parts.push(
        `<line class="axis" x1="${middle}" x2="${middle}" y1="${y + headline - 3}" y2="${y + headline + height + 1}"/>`,
      );
    });
    y += headline + height + gap;
  }
  const heads = runtimes.map(({ title, bare }, i) =>
    text(
      margin + i * column + 8 + label + scaleWidth / 2,
      top - 8,
      `${title}: 1 = ${bare}`,
      'text-anchor="middle" class="small"',
    ),
  );
  const { date, machine, versions } = results;
  const engines = runtimes.flatMap(({ name, title }) =>
    versions[name] === undefined ? [] : [`${title} ${versions[name]}`],
  );
  const height = y + 30;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Messages per second of server CPU, as multiples of the bare engine">
<style>${style}
</style>
<desc>${escaped(origin(results))}</desc>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${text(margin, 32, 'Messages per second of server CPU, as a multiple of the bare engine', 'class="title"')}
${legend(56)}
${heads.join('\n')}
${parts.join('\n')}
${text(margin, height - 14, `${date} · ${machine.cpu}, ${machine.cores} cores · ${engines.join(', ')} · logarithmic scale`, 'class="small"')}
</svg>
`;
}
