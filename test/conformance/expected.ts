/**
 * The committed outcomes: for each engine, those cases that do not end as they are required to.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { currentTarget, root } from '../support/target.ts';
import type { PlacedCase } from './case.ts';

/** `strict`: as the RFCs allow; `non-strict`: tolerable; `wrong`: neither; `unsupported`: the engine has no such option. */
export type Grade = 'strict' | 'non-strict' | 'wrong' | 'unsupported';

/** Cases whose outcome is another than the first that their RFC requires, and whose it is for the same reason. */
interface Group {
  readonly grade: Grade;
  /** Whose fault it is and why it stays. */
  readonly because: string;
  /** Outcomes, each with the ids of its cases; `SECTION *` stands for all cases of a section. */
  readonly outcomes: Readonly<Record<string, readonly string[]>>;
}

interface Row {
  readonly grade: Grade;
  readonly because: string;
  readonly outcome: string;
}

/** The outcome of a case whose server does not start because the engine lacks the option. */
export const UNSUPPORTED = 'unsupported';

/** One file for the portable engine, as it must not differ between runtimes. */
const file = `${root}/test/conformance/expected/${
  currentTarget.engine === 'portable' ? 'portable' : `${currentTarget.runtime}-native`
}.json`;

const groups: readonly Group[] = JSON.parse(readFileSync(file, 'utf8'));
const rows = new Map<string, Row>();
for (const { grade, because, outcomes } of groups) {
  for (const [outcome, ids] of Object.entries(outcomes)) {
    for (const id of ids) rows.set(id, { grade, because, outcome });
  }
}

/** How to accept what came. */
export const advice = `a regression, or update ${relative(root, file)} with UPDATE=1 ECHOLINE_TARGET=${currentTarget.id} npx vitest run --project conformance`;

const wholeSection = (test: PlacedCase): string => `${test.section} *`;
const rowOf = (test: PlacedCase): Row | undefined => rows.get(test.id) ?? rows.get(wholeSection(test));

/** The outcome that is expected of a case on this engine. */
export function expected(test: PlacedCase): string {
  return rowOf(test)?.outcome ?? test.expect;
}

function gradeOf(test: PlacedCase, outcome: string): Grade {
  if (outcome === test.expect || test.also?.includes(outcome)) return 'strict';
  if (outcome === UNSUPPORTED) return 'unsupported';
  return test.nonStrict?.includes(outcome) ? 'non-strict' : 'wrong';
}

/** What in the file fits no case any more, says another grade than the case does, or does nothing. */
export function faults(cases: readonly PlacedCase[]): string[] {
  const found: string[] = [];
  const used = new Set<string>();
  for (const test of cases) {
    const row = rowOf(test);
    if (row === undefined) continue;
    used.add(rows.has(test.id) ? test.id : wholeSection(test));
    if (row.outcome === test.expect) found.push(`${test.id}: is as required and needs no row`);
    else if (row.grade !== gradeOf(test, row.outcome)) found.push(`${test.id}: is ${gradeOf(test, row.outcome)}`);
  }
  for (const id of rows.keys()) if (!used.has(id)) found.push(`${id}: there is no such case`);
  return found;
}

/** What may be excused by a reason: nothing of ours, and on Bun nothing that is wrong. */
const excusable: readonly Grade[] =
  currentTarget.engine === 'portable'
    ? []
    : currentTarget.runtime === 'bun'
      ? ['non-strict']
      : ['non-strict', 'wrong', 'unsupported'];

/** What in the file is not strict, and not excused. */
export function unexcused(): string[] {
  return [...rows]
    .filter(([, { grade, because }]) => grade !== 'strict' && !(excusable.includes(grade) && because !== ''))
    .map(([id, { grade }]) => `${id}: ${grade}`);
}

/** Writes the file anew, with the reasons that it had: a case's own, or that of another case with the same outcome. */
export function update(cases: readonly PlacedCase[], seen: ReadonlyMap<string, string>): void {
  const next = new Map<string, { grade: Grade; because: string; outcomes: Record<string, PlacedCase[]> }>();
  for (const test of cases) {
    const outcome = seen.get(test.id) ?? expected(test);
    if (outcome === test.expect) continue;
    const grade = gradeOf(test, outcome);
    const because = rowOf(test)?.because ?? reasonFor(grade, outcome);
    const key = `${grade} ${because}`;
    const group = next.get(key) ?? { grade, because, outcomes: {} };
    next.set(key, group);
    group.outcomes[outcome] = [...(group.outcomes[outcome] ?? []), test];
  }
  const written = [...next.values()].map(({ outcomes, ...rest }) => ({
    ...rest,
    outcomes: Object.fromEntries(Object.entries(outcomes).map(([outcome, tests]) => [outcome, named(tests, cases)])),
  }));
  writeFileSync(file, `${JSON.stringify(written, null, 2)}\n`);
}

function reasonFor(grade: Grade, outcome: string): string {
  return [...rows.values()].find((row) => row.grade === grade && row.outcome === outcome)?.because ?? '';
}

/** The ids of cases, with one word for those that make up a section. */
function named(tests: readonly PlacedCase[], all: readonly PlacedCase[]): string[] {
  const names = tests.map((test) => {
    const whole = all.every((each) => each.section !== test.section || tests.includes(each));
    return whole ? wholeSection(test) : test.id;
  });
  return [...new Set(names)];
}
