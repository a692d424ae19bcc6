/** Measures Echoline and its peers against one another: `npm run bench`. README.md in this folder says how. */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { machine, takeCores } from './machine.ts';
import { choose, help, type Options, parseOptions } from './options.ts';
import { http2Note, http2Peers, type Peer, peers } from './peers.ts';
import { chart } from './report/chart.ts';
import { markdown } from './report/table.ts';
import { bottlenecks, type Results, type ShapeResult } from './results.ts';
import { runShape } from './run.ts';
import { buildAspnet, type RuntimeName, root, versionOf } from './runtimes.ts';
import { quick, type Shape, shapes } from './shapes.ts';

// By themselves, these would end this process without 'exit', and leave servers behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}

const versionOfPackage = (name: string): string =>
  JSON.parse(readFileSync(`${root}/${name === 'echoline' ? '' : `node_modules/${name}/`}package.json`, 'utf8')).version;

/** Leaves out whom this machine can't run, and says why. */
function present(chosen: readonly Peer[], versions: Record<string, string>, skipped: { id: string; reason: string }[]) {
  const reasons = new Map<RuntimeName, string>();
  for (const runtime of new Set(chosen.map((peer) => peer.runtime))) {
    const version = versionOf(runtime);
    if (version === undefined) {
      reasons.set(runtime, runtime === 'dotnet' ? 'there is no dotnet SDK on the PATH' : `${runtime} can't be run`);
      continue;
    }
    versions[runtime] = version;
    const fault = runtime === 'dotnet' ? buildAspnet(version) : undefined;
    if (fault !== undefined) reasons.set(runtime, fault);
  }
  return chosen.filter(({ id, runtime }) => {
    const reason = reasons.get(runtime);
    if (reason !== undefined) skipped.push({ id, reason });
    return reason === undefined;
  });
}

async function run(options: Options, chosenPeers: readonly Peer[], chosenShapes: readonly Shape[]): Promise<Results> {
  const versions: Record<string, string> = { echoline: versionOfPackage('echoline') };
  const skipped: { id: string; reason: string }[] = [];
  const there = present(chosenPeers, versions, skipped);
  for (const name of ['ws', 'hono', 'crossws']) versions[name] = versionOfPackage(name);
  const cores = takeCores();
  const notes = cores.note === undefined ? [] : [cores.note];
  const plan = {
    cores,
    rounds: options.rounds,
    seconds: options.seconds,
    ...(options.quick ? { firstWarmUp: 0.5 } : {}),
    progress: (line: string) => void process.stderr.write(`${line}\n`),
  };
  const found: ShapeResult[] = [];
  for (const each of chosenShapes) {
    const overHttp2 = each.kind === 'echo' && each.http2;
    const among = overHttp2
      ? http2Peers.filter((peer) => there.some(({ runtime }) => runtime === peer.runtime))
      : there;
    if (overHttp2 && !notes.includes(http2Note)) notes.push(http2Note);
    if (among.length > 0) found.push(await runShape(options.quick ? quick(each) : each, among, plan));
  }
  if (options.quick || options.rounds < 3) notes.push('A quick look: too few and too short rounds for a result.');
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions,
    rounds: options.rounds,
    seconds: options.seconds,
    notes: [...notes, ...bottlenecks(found)],
    skipped,
    shapes: found,
  };
}

const options = parseOptions(process.argv.slice(2));
if ('help' in options) {
  process.stdout.write(help);
  process.exit(0);
}
if ('fault' in options) fail(options.fault);
if (process.platform !== 'linux') fail('it reads CPU time and memory from /proc, which only Linux has');
const choice = choose(options.words, peers, shapes);
if ('fault' in choice) fail(choice.fault);

// Before the half hour, not after it.
if (options.json !== '') {
  try {
    closeSync(openSync(options.json, 'a'));
  } catch (error) {
    fail(`can't write ${options.json}: ${(error as Error).message}; name a file in a folder that there is`);
  }
}

const results = await run(options, choice.peers, choice.shapes);
const short = (_key: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);
const json = `${JSON.stringify(results, short, 1)}\n`;
process.stdout.write(`\n${markdown(results)}`);
if (options.json !== '') writeFileSync(options.json, json);
if (options.write) {
  const folder = `${root}/bench/results`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/latest.json`, json);
  writeFileSync(`${folder}/latest.md`, markdown(results));
  writeFileSync(`${folder}/latest.svg`, chart(results));
}
const failures = results.shapes.flatMap(({ id, peers: all }) =>
  all.filter(({ failure }) => failure !== undefined).map((peer) => `${id}: ${peer.id}: ${peer.failure}`),
);
for (const failure of failures) process.stderr.write(`FAILED ${failure}\n`);
process.exit(failures.length > 0 ? 1 : 0);
