/**
 * Makes docs/support.md from the table of deviations: `node --import tsx test/contract/support-table.ts`.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { root } from '../support/target.ts';
import { deviations, type EngineId, engineIds } from './deviations.ts';

const titles: Readonly<Record<EngineId, string>> = {
  node: 'Node',
  'bun-native': 'Bun, native',
  'bun-portable': 'Bun, portable',
  'deno-native': 'Deno, native',
  'deno-portable': 'Deno, portable',
};

/** The text of docs/support.md. */
export function supportTable(): string {
  const titled = engineIds.map((id) => titles[id]);
  const lines = [
    '# What each engine does',
    '',
    'Echoline behaves the same on every engine, but for what is listed here. The contract suite asserts each of these',
    'differences, and this page is made from its table (`test/contract/deviations.ts`). `--engine portable` has none of',
    'them on Bun, and one on Deno; on Node it is the only engine.',
    '',
    'Finer differences, in what is done with frames that no good client sends, are listed with their reasons in',
    '`test/conformance/expected`, a file for each native engine: `bun-native.json` has those of compression, such as what',
    'follows a final block, deflate that breaks off, and what can’t be compressed and is as large as the limit. That of the',
    'portable engine is empty, as it must be.',
    '',
    `| | ${titled.join(' | ')} |`,
    `|---|${engineIds.map(() => ':-:|').join('')}`,
  ];
  deviations.forEach((row, i) => {
    const cells = engineIds.map((id) => (row.engines.includes(id) ? `[no](#d${i + 1})` : 'yes'));
    lines.push(`| ${row.expected} | ${cells.join(' | ')} |`);
  });
  lines.push('', '## What happens instead', '');
  deviations.forEach((row, i) => {
    const where = row.engines.map((id) => titles[id]).join('; ');
    const upstream = row.upstream === undefined ? '' : ` See <${row.upstream}>.`;
    lines.push(`${i + 1}. <a id="d${i + 1}"></a>${where}. ${row.instead}${upstream}`);
  });
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === `${root}/test/contract/support-table.ts`) {
  writeFileSync(`${root}/docs/support.md`, supportTable());
}
