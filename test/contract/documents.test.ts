/** What is written down about the server, and in its configuration files, is what it does. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { environmentNames, helpText } from '../../core/config.ts';
import { root } from '../support/target.ts';
import { deviations } from './deviations.ts';
import { supportTable } from './support-table.ts';

const read = (file: string): string => readFileSync(`${root}/${file}`, 'utf8');

it('docs/support.md is made from the table of deviations: npm run docs', () => {
  expect(read('docs/support.md')).toBe(supportTable());
});

it('every deviation is asserted by a test', () => {
  const files = readdirSync(`${root}/test/contract`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  const tests = files.map((file) => read(`test/contract/${file}`)).join('\n');
  const ids = deviations.map(({ id }) => id);
  expect(ids.filter((id) => !tests.includes(`deviates('${id}')`))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});

it('the README shows the options as --help does', () => {
  expect(read('README.md')).toContain(`\`\`\`text\n${helpText()}\`\`\``);
});

it('Deno may read exactly the environment variables that are looked at', () => {
  const task: string = JSON.parse(read('deno.json')).tasks.start;
  expect(/--allow-env=(\S+)/.exec(task)?.[1]?.split(',')).toEqual(environmentNames);
});

it('Deno’s task for workers grants what the other does, and what starting processes takes', () => {
  const { tasks } = JSON.parse(read('deno.json'));
  const words = (task: string): string[] => task.split(/[ ,]/);
  const start = words(tasks.start);
  expect(start.filter((word) => !words(tasks['start:workers']).includes(word))).toEqual([]);
  expect(words(tasks['start:workers']).filter((word) => !start.includes(word))).toEqual([
    '--allow-run',
    // For Deno's cache, and because its node:child_process asks for the last.
    'HOME',
    'DENO_DIR',
    'NODE_V8_COVERAGE',
  ]);
});
