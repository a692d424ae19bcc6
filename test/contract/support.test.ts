/** The table of deviations, and the page that is made from it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { root } from '../support/target.ts';
import { deviations } from './deviations.ts';
import { supportTable } from './support-table.ts';

it('docs/support.md is made from the table: node --import tsx test/contract/support-table.ts', () => {
  expect(readFileSync(`${root}/docs/support.md`, 'utf8')).toBe(supportTable());
});

it('every deviation is asserted by a test', () => {
  const files = readdirSync(`${root}/test/contract`).filter((file) => file.endsWith('.test.ts'));
  const tests = files.map((file) => readFileSync(`${root}/test/contract/${file}`, 'utf8')).join('\n');
  const ids = deviations.map(({ id }) => id);
  expect(ids.filter((id) => !tests.includes(`deviates('${id}')`))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});
