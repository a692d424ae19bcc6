/**
 * Runs all tests on all runtimes: `npm test`. Words behind `--` choose legs by what their names contain, such as
 * `npm test -- contract bun-native`; a leg must contain all of them.
 *
 * Its last line is `N passed, N failed, N skipped`; a leg that crashes or runs no test is a failure.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { relative } from 'node:path';
import { root, runtimesExist, target, targetIds } from './support/target.ts';

/** One run of Vitest. */
interface Leg {
  readonly name: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Seconds after which it counts as crashed. */
  readonly patience: number;
}

interface Outcome {
  readonly name: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What is to be read of it, besides the numbers. */
  readonly notes: readonly string[];
}

/** The part of Vitest's JSON report that is read here. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

const vitest = `${root}/node_modules/vitest/vitest.mjs`;
const node = [process.execPath, vitest, 'run'];
const temporary = mkdtempSync(`${tmpdir()}/echoline-test-`);
const running = new Set<ChildProcess>();

/**
 * After so many failures a leg is given up. Where nothing is answered any more, each test waits as long as it may: without
 * this, the leg's time would be over before any of them is named.
 */
const enough = (failures: number): string => `--bail=${failures}`;

/** Files of the contract suite that load the machine, so that what runs beside them must not mind. */
const loads = ['backpressure', 'bombs', 'http2', 'leak', 'shutdown', 'startup'];
/** Files that start several servers, or several processes of one, for each of their tests. */
const scales = ['nginx', 'workers'];
/** Files that measure time: beside them nothing may load the machine. */
const clocks = ['liveness'];
/** Files that need the machine for themselves. */
const crowds = ['crowd'];
/** Files of the contract suite that are not run over HTTP/2: they choose the protocol themselves, or need no server. */
const notOverHttp2 = ['documents', 'http2', 'startup', 'tls', 'tls-files', 'tls-patience'];

const [oldestNode = '', newestNode = ''] = runtimesExist ? ['node20', 'node26'] : ['node', 'node'];
/** The versions in between are spared the files that take long. */
const inBetween = ['node22', 'node24'];
/** Whom clients reach over HTTP/2 too. */
const http2Ids = [...new Set([newestNode, oldestNode, 'bun-portable', 'deno-portable'])].map((id) => `${id}-http2`);
/** Where the tests that take long are run over HTTP/2 too. */
const [http2Id = ''] = http2Ids;

function coreLegs(): Leg[] {
  const everything = ['branches', 'functions', 'lines', 'statements'].map(
    (what) => `--coverage.thresholds.${what}=100`,
  );
  const coverage = ['--coverage', '--coverage.thresholds.perFile=true', ...everything];
  const leg = (name: string, command: readonly string[], args: readonly string[] = []): Leg => ({
    name: `core ${name}`,
    command,
    args: ['--project', 'core', ...args],
    env: {},
    patience: 180,
  });
  const [bun = ''] = target('bun-native').command;
  const [deno = ''] = target('deno-native').command;
  return [
    leg('node', node, [...coverage, `--coverage.reportsDirectory=${temporary}/coverage`]),
    leg('bun', [bun, '--bun', vitest, 'run']),
    leg('deno', [deno, 'run', '-A', vitest, 'run']),
  ];
}

/**
 * One leg of the contract suite for each target, made of the files that `choose` says yes to.
 *
 * @param overHttp2 - Targets besides those over HTTP/1.1.
 * @param spared - Targets that have no such leg.
 */
function contractLegs(
  name: string,
  choose: (file: string) => boolean,
  args: readonly string[],
  overHttp2: readonly string[],
  spared: readonly string[] = [],
): Leg[] {
  const files = readdirSync(`${root}/test/contract`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  const chosen = files.map((file) => file.replace('.test.ts', '')).filter(choose);
  const of = (id: string) => {
    const left = overHttp2.includes(id) ? chosen.filter((file) => !notOverHttp2.includes(file)) : chosen;
    return left.map((file) => `test/contract/${file}.test.ts`);
  };
  // The Node at hand stands in for those of test/runtimes where there are none.
  const ids = targetIds.filter((id) => (/^node\d/.test(id) ? runtimesExist : id !== 'node' || !runtimesExist));
  const left = [...ids, ...overHttp2].filter((id) => !spared.includes(id));
  return left.map((id) => ({
    name: `${name} ${id}`,
    command: node,
    args: ['--project', 'contract', ...of(id), ...args, enough(3)],
    env: { ECHOLINE_TARGET: id },
    patience: 300,
  }));
}

/** A leg of the conformance suite for each engine that may differ, and for the oldest and the newest Node. */
function conformanceLegs(): Leg[] {
  const nodes = [...new Set([oldestNode, newestNode])];
  const others = ['bun-native', 'bun-portable', 'deno-native', 'deno-portable'];
  return [...nodes, ...others, http2Id, 'bun-portable-http2'].map((id) => ({
    name: `conformance ${id}`,
    command: node,
    // So many cases run at a time.
    args: ['--project', 'conformance', enough(20)],
    env: { ECHOLINE_TARGET: id },
    patience: 300,
  }));
}

/** Installs the Node versions of test/runtimes, unless they are there. */
function installRuntimes(): void {
  const nodes = targetIds.filter((id) => /^node\d/.test(id)).map((id) => target(id).command[0] ?? '');
  if (nodes.every((program) => existsSync(program))) return;
  console.log('Installing the Node versions to test with (once) ...');
  const { status } = spawnSync('npm', ['ci', '--prefix', 'test/runtimes', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('npm ci --prefix test/runtimes failed; the network may be missing.');
}

/** Ends a leg and everything that it started: it leads a process group of its own. */
function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

async function run(leg: Leg): Promise<Outcome> {
  const file = `${temporary}/${leg.name.replaceAll(' ', '-')}.json`;
  const start = performance.now();
  const [program = '', ...args] = [
    ...leg.command,
    ...leg.args,
    '--reporter=json',
    '--reporter=verbose',
    `--outputFile=${file}`,
  ];
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1', ...leg.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  let output = '';
  const listen = (chunk: Buffer) => {
    output = (output + chunk).slice(-20_000);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  let late = false;
  const patience = setTimeout(() => {
    late = true;
    end(child);
  }, leg.patience * 1000);
  const status = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(String(error)));
    child.on('exit', (code, signal) => resolve(String(code ?? signal)));
  });
  clearTimeout(patience);
  end(child);
  running.delete(child);

  const outcome = {
    name: leg.name,
    seconds: (performance.now() - start) / 1000,
    passed: 0,
    failed: 0,
    skipped: 0,
    notes: [] as string[],
  };
  let report: VitestReport = { testResults: [] };
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // What follows finds a leg without tests.
  }
  for (const { name, status: fileStatus, message, assertionResults } of report.testResults) {
    const place = relative(root, name);
    let failures = 0;
    for (const test of assertionResults) {
      if (test.status === 'passed') outcome.passed++;
      else if (test.status !== 'failed') outcome.skipped++;
      else {
        failures++;
        outcome.notes.push(`FAIL ${leg.name} | ${place} | ${test.fullName}\n${indent(test.failureMessages ?? [])}`);
      }
    }
    if (fileStatus === 'failed' && failures === 0) {
      failures = 1;
      outcome.notes.push(`FAIL ${leg.name} | ${place}\n${indent([message])}`);
    }
    outcome.failed += failures;
  }
  const none = outcome.passed + outcome.failed + outcome.skipped === 0;
  if (late || none || (status !== '0' && outcome.failed === 0)) {
    outcome.failed++;
    const why = late ? `took more than ${leg.patience} s` : none ? 'ran no test' : `ended with status ${status}`;
    outcome.notes.push(`FAIL ${leg.name} ${why}\n${indent([output])}`);
  }
  const { passed, failed, skipped, seconds } = outcome;
  console.log(
    `${failed > 0 ? 'FAILED' : 'ok    '} ${leg.name.padEnd(24)} ${passed} passed, ${failed} failed, ${skipped} skipped (${seconds.toFixed(1)} s)`,
  );
  for (const note of outcome.notes) console.log(note);
  return outcome;
}

function indent(texts: readonly string[]): string {
  const lines = texts.join('\n').trimEnd().split('\n').slice(-60);
  return lines.map((line) => `       ${line}`).join('\n');
}

/** Runs legs, so many at a time. */
async function runAll(legs: readonly Leg[], lanes: number): Promise<Outcome[]> {
  const waiting = [...legs];
  const outcomes: Outcome[] = [];
  const lane = async () => {
    for (let leg = waiting.shift(); leg !== undefined; leg = waiting.shift()) outcomes.push(await run(leg));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return outcomes;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of running) end(child);
    process.exit(130);
  });
}

const words = process.argv.slice(2);
const wanted = (leg: Leg) => words.every((word) => leg.name.includes(word));
const browser: Leg = { name: 'browser', command: node, args: ['--project', 'browser'], env: {}, patience: 240 };
/** Its guard compares costs, which needs the machine for itself. */
const bench: Leg = {
  name: 'bench',
  command: node,
  args: ['--project', 'bench', '--maxWorkers=1'],
  env: {},
  patience: 180,
};
/** Each phase with the number of its legs that may run at a time on two cores. */
const phases: [Leg[], number][] = [
  [coreLegs(), 2],
  [
    contractLegs(
      'contract',
      (file) => ![...loads, ...scales, ...clocks, ...crowds].includes(file),
      ['--maxWorkers=2'],
      http2Ids,
    ),
    2,
  ],
  [contractLegs('contract-load', (file) => loads.includes(file), ['--maxWorkers=1'], [http2Id], inBetween), 2],
  [contractLegs('contract-scale', (file) => scales.includes(file), ['--maxWorkers=1'], [], inBetween), 2],
  [contractLegs('contract-clock', (file) => clocks.includes(file), ['--maxWorkers=1'], [http2Id]), 2],
  [contractLegs('contract-crowd', (file) => crowds.includes(file), ['--maxWorkers=1'], [http2Id], inBetween), 1],
  [conformanceLegs(), 2],
  [[browser], 1],
  [[bench], 1],
];

const start = performance.now();
const outcomes: Outcome[] = [];
let http2Wanted = false;
try {
  const chosen = phases.map(([legs, lanes]): [Leg[], number] => [legs.filter(wanted), lanes]);
  const names = chosen.flatMap(([legs]) => legs.map((leg) => leg.name));
  http2Wanted = names.some((name) => name.startsWith('contract') && name.endsWith('-http2'));
  if (names.some((name) => / node\d/.test(name))) installRuntimes();
  for (const [legs, lanes] of chosen) outcomes.push(...(await runAll(legs, lanes)));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

const sum = (what: 'passed' | 'failed' | 'skipped') => outcomes.reduce((total, outcome) => total + outcome[what], 0);
let [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
if (!runtimesExist && words.length === 0) {
  const missing = targetIds.filter((id) => /^node\d/.test(id));
  console.log(`skipped ${missing.join(', ')}: these Node versions are installed on Linux on x64 only.`);
  skipped += missing.length;
}
if (http2Wanted) {
  console.log(
    `skipped ${notOverHttp2.join(', ')} over HTTP/2: they choose the protocol themselves, or need no server.`,
  );
  skipped += notOverHttp2.length;
}
if (outcomes.length === 0) {
  console.log(`No leg is called ${words.join(' ')}.`);
  failed++;
}
console.log(`\n${'leg'.padEnd(32)}passed  failed  skipped  seconds`);
for (const outcome of outcomes) {
  const numbers = [outcome.passed, outcome.failed, outcome.skipped, outcome.seconds.toFixed(1)];
  const [first = '', ...rest] = numbers.map(String);
  console.log(`${outcome.name.padEnd(32)}${first.padStart(6)}${rest.map((number) => number.padStart(8)).join('')}`);
}
console.log(`${((performance.now() - start) / 1000).toFixed(0)} s in all\n`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
