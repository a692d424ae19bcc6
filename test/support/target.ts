/**
 * What the contract and browser suites run against: an engine on a runtime.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's folder, without a trailing slash. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export type Runtime = 'node' | 'bun' | 'deno';
export type EngineName = 'native' | 'portable';

/** An engine on a runtime. */
export interface Target {
  /** Such as `node24` or `bun-native`: the value of `ECHOLINE_TARGET`. */
  readonly id: string;
  readonly runtime: Runtime;
  /** The engine that is asked for, and that the ready line must name. */
  readonly engine: EngineName;
  /** Whether clients reach it over HTTP/2: the tests speak HTTP/1.1 to a bridge (bridge.ts). */
  readonly http2: boolean;
  /** The command that runs a TypeScript file with this runtime; the file and its flags are to be appended. */
  readonly command: readonly string[];
}

const nodeFromNpm = (major: number): string => `${root}/test/runtimes/node_modules/node${major}/bin/node`;

/** Deno's program itself: its npm launcher would stand between it and the signals that tests send. */
function denoProgram(): string {
  const places = [`${root}/node_modules/deno/deno`, `${root}/node_modules/@deno/linux-x64-glibc/deno`];
  return places.find((place) => existsSync(place)) ?? 'deno';
}

/** Deno with exactly the permissions of a task in deno.json. */
function denoCommand(name: 'start' | 'start:workers' = 'start'): string[] {
  const task: string = JSON.parse(readFileSync(`${root}/deno.json`, 'utf8')).tasks[name];
  const permissions = /^\$\(which deno\) (run .+) adapters\/main\.ts$/.exec(task)?.[1];
  if (permissions === undefined) {
    throw new Error(
      `The task ${name} in deno.json must be "$(which deno) run PERMISSIONS adapters/main.ts", not "${task}".`,
    );
  }
  return [denoProgram(), ...permissions.split(' ')];
}

const makers: Record<string, () => Omit<Target, 'id' | 'http2'>> = {
  // Node 20 can't strip types; the later ones run the sources as they stand.
  node: () => ({ runtime: 'node', engine: 'portable', command: [process.execPath, '--import', 'tsx'] }),
  node20: () => ({ runtime: 'node', engine: 'portable', command: [nodeFromNpm(20), '--import', 'tsx'] }),
  node22: () => ({ runtime: 'node', engine: 'portable', command: [nodeFromNpm(22)] }),
  node24: () => ({ runtime: 'node', engine: 'portable', command: [nodeFromNpm(24)] }),
  node26: () => ({ runtime: 'node', engine: 'portable', command: [nodeFromNpm(26)] }),
  'bun-native': () => ({ runtime: 'bun', engine: 'native', command: [`${root}/node_modules/.bin/bun`] }),
  'bun-portable': () => ({ runtime: 'bun', engine: 'portable', command: [`${root}/node_modules/.bin/bun`] }),
  'deno-native': () => ({ runtime: 'deno', engine: 'native', command: denoCommand() }),
  'deno-portable': () => ({ runtime: 'deno', engine: 'portable', command: denoCommand() }),
};

/** Every target's id. `node` is the Node that runs the tests; `node20` to `node26` come from test/runtimes. */
export const targetIds: readonly string[] = Object.keys(makers);

/** Behind the id of a target with the portable engine: the same, reached over HTTP/2. */
const OVER_HTTP2 = '-http2';

/** Whether the runtimes of test/runtimes exist for this machine. */
export const runtimesExist = process.platform === 'linux' && process.arch === 'x64';

/**
 * The target with that id.
 *
 * @throws Error when there is none.
 */
export function target(id: string): Target {
  const http2 = id.endsWith(OVER_HTTP2);
  const made = makers[http2 ? id.slice(0, -OVER_HTTP2.length) : id]?.();
  if (made === undefined || (http2 && made.engine !== 'portable')) {
    const ids = targetIds.join(', ');
    throw new Error(`No target "${id}". There are: ${ids}; and with ${OVER_HTTP2} behind it each that is not native.`);
  }
  return { id, http2, ...made };
}

/** The same target, allowed to start workers where it needs to be. */
export function startingWorkers(target: Target): Target {
  return target.runtime === 'deno' ? { ...target, command: denoCommand('start:workers') } : target;
}

/** The target of this run: `ECHOLINE_TARGET`, or the Node that runs the tests. */
export const currentTarget: Target = target(process.env.ECHOLINE_TARGET ?? 'node');
