/**
 * What a run is asked for: `npm run bench -- [words] [options]`.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import type { Peer, PeerKind } from './peers.ts';
import type { RuntimeName } from './runtimes.ts';
import type { Shape } from './shapes.ts';

/** How a run goes. */
export interface Options {
  /** Words that choose peers and shapes; none chooses all. */
  readonly words: readonly string[];
  readonly rounds: number;
  /** How long each round measures each server, in seconds. */
  readonly seconds: number;
  readonly quick: boolean;
  /** The file that the results go to as JSON; empty for none. */
  readonly json: string;
  /** Whether bench/results is to be written. */
  readonly write: boolean;
}

export const help = `Usage: npm run bench -- [words] [options]

Words choose; of one sort they add up, of different sorts they narrow down:
  runtimes   node, bun, deno, dotnet
  servers    ours, bare, hono, crossws, aspnet, or one by its name, such as ours-bun-native
  shapes     alone, 64x1, 64x32, text, 16k, 1m, churn, idle, http2
The bare engine of a runtime is always there: the others are compared with it.

Options:
  --rounds <number>    Rounds. [default 11]
  --seconds <seconds>  How long each round measures each server. [default 0.4]
  --quick              3 rounds of 0.2 seconds and fewer idle connections: a look, not a result.
  --json <file>        Write the results as JSON.
  --write              Write bench/results: JSON, tables, and the chart that README shows. For the whole benchmark only.
  -h, --help           Print this and exit.
`;

/** @returns What was asked for, or `fault`, one line on what is wrong with it, or `help`. */
export function parseOptions(argv: readonly string[]): Options | { readonly fault: string } | { readonly help: true } {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return { fault: (error as Error).message };
  }
  const { values, positionals } = parsed;
  if (values.help) return { help: true };
  const quick = values.quick ?? false;
  const rounds = Number(values.rounds ?? (quick ? 3 : 11));
  const seconds = Number(values.seconds ?? (quick ? 0.2 : 0.4));
  if (!Number.isInteger(rounds) || rounds < 1) return { fault: '--rounds must be a whole number from 1 on' };
  if (!(seconds >= 0.05 && seconds <= 60)) return { fault: '--seconds must be a number from 0.05 to 60' };
  const write = values.write ?? false;
  if (write && (quick || positionals.length > 0)) {
    return { fault: '--write is for the whole benchmark, without words and --quick; --json <file> writes any results' };
  }
  return { words: positionals, rounds, seconds, quick, json: values.json ?? '', write };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      write: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

/** Who and what is measured. */
export interface Choice {
  readonly peers: readonly Peer[];
  readonly shapes: readonly Shape[];
}

const runtimes: readonly RuntimeName[] = ['node', 'bun', 'deno', 'dotnet'];
const kinds: readonly PeerKind[] = ['ours', 'bare', 'hono', 'crossws', 'aspnet'];

/** @returns What the words choose, in the order of the lists, or `fault` when a word means nothing. */
export function choose(
  words: readonly string[],
  peers: readonly Peer[],
  shapes: readonly Shape[],
): Choice | { readonly fault: string } {
  const isShape =
    (word: string) =>
    ({ id }: Shape) =>
      id === word || id.startsWith(`${word}-`);
  const isPeer = (word: string) => peers.some(({ id }) => id === word);
  const isKind = (word: string) => !isPeer(word) && kinds.some((kind) => kind === word);
  const isRuntime = (word: string) => runtimes.some((runtime) => runtime === word);
  const shapeWords = words.filter((word) => shapes.some(isShape(word)));
  const stray = words.find((word) => !shapeWords.includes(word) && !isPeer(word) && !isKind(word) && !isRuntime(word));
  if (stray !== undefined) return { fault: `"${stray}" is no runtime, server or shape; see --help` };

  const names = words.filter(isPeer);
  const kindWords = words.filter(isKind);
  const runtimeWords = words.filter(isRuntime);
  const chosen = peers.filter((peer) => {
    if (names.includes(peer.id)) return true;
    if (kindWords.length + runtimeWords.length === 0) return names.length === 0;
    const kind = kindWords.length === 0 || kindWords.includes(peer.kind);
    return kind && (runtimeWords.length === 0 || runtimeWords.includes(peer.runtime));
  });
  const needed = new Set(chosen.map(({ runtime }) => runtime));
  return {
    peers: peers.filter((peer) => chosen.includes(peer) || (peer.kind === 'bare' && needed.has(peer.runtime))),
    shapes:
      shapeWords.length === 0 ? shapes : shapes.filter((shape) => shapeWords.some((word) => isShape(word)(shape))),
  };
}
