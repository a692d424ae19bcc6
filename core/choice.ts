/**
 * Which engine carries the connections.
 *
 * @module
 */
import { type Config, nameOf, type OptionName } from './config.ts';
import type { Capabilities, Engine } from './engine.ts';

/** The engines of a runtime; on Node both are one. */
export interface Engines {
  /** The runtime's name, such as `Deno`. */
  readonly runtime: string;
  readonly native: Pick<Engine, 'name' | 'capabilities'>;
  readonly portable: Pick<Engine, 'name' | 'capabilities'>;
}

/** The engine to take, or one line on what stands in the way and what would be right. */
export type Choice = { readonly engine: 'native' | 'portable'; readonly note?: string } | { readonly fault: string };

/** An option that only some engines can honour. */
interface Need {
  readonly option: OptionName;
  readonly applies: (config: Config) => boolean;
  readonly capability: keyof Capabilities;
  /** Whether nothing short of `true` will do. */
  readonly whole?: true;
  readonly lack: string;
  /** The option without which it would not be lacking. */
  readonly beside?: OptionName;
  /** What to do where no engine of the runtime has it. */
  readonly elsewhere?: string;
}

const needs: readonly Need[] = [
  {
    option: 'keepAliveTimeout',
    applies: (config) => config.keepAliveTimeout > 0,
    capability: 'ping',
    lack: 'does not tell of PONGs',
  },
  {
    option: 'liveness',
    applies: (config) => config.liveness === 'frames',
    capability: 'ping',
    lack: 'does not tell of PONGs',
  },
  {
    option: 'http2',
    applies: (config) => config.http2,
    capability: 'http2',
    lack: 'carries no WebSockets over HTTP/2',
  },
  {
    option: 'http2Cleartext',
    applies: (config) => config.http2Cleartext,
    capability: 'http2',
    lack: 'carries no WebSockets over HTTP/2',
  },
  {
    option: 'compression',
    applies: (config) => config.compression,
    capability: 'compression',
    lack: 'has no permessage-deflate',
  },
  {
    option: 'compressionWindowBits',
    applies: (config) => config.compressionNoContextTakeover && config.compressionWindowBits < 15,
    capability: 'compression',
    whole: true,
    lack: "can't bound its window",
    beside: 'compressionNoContextTakeover',
  },
  {
    option: 'workers',
    applies: (config) => config.workers !== 1,
    capability: 'sharesPort',
    lack: "can't share a port among processes on this system",
    elsewhere: 'run it with Node, or on Linux',
  },
];

/** What a server needs that strangers can reach, and what it means not to have it. */
const limits: readonly { readonly capability: keyof Capabilities; readonly lack: string }[] = [
  { capability: 'messageLimit', lack: 'bound a message before it is all in memory' },
  { capability: 'pause', lack: 'slow a sender down' },
  { capability: 'terminate', lack: 'drop a client that does not read' },
  { capability: 'requestTimeout', lack: 'drop a client that never finishes its request' },
];

/** Whether only this machine can reach an address (RFC 6890, RFC 6761 section 6.3). */
export function isLoopback(host: string): boolean {
  return /^(?:127(?:\.\d{1,3}){3}|::1|(?:.+\.)?localhost)$/i.test(host);
}

/**
 * Chooses the engine that the configuration asks for, or, for `auto`, the native one unless it lacks what is needed.
 *
 * @param given - What the options are called by the person who gave them. Default: their flags.
 */
export function chooseEngine(
  config: Config,
  { runtime, native, portable }: Engines,
  given: ReadonlyMap<OptionName, string> = new Map(),
): Choice {
  const named = (name: OptionName) => nameOf(name, given);
  const needed = needs.filter(({ applies }) => applies(config));
  const lacks = ({ capabilities }: Pick<Engine, 'capabilities'>, { capability, whole }: Need) =>
    whole ? capabilities[capability] !== true : capabilities[capability] === false;
  const never = needed.find((need) => lacks(portable, need) && lacks(native, need));
  if (never !== undefined) {
    return { fault: `${runtime} ${told([never], named)}; ${never.elsewhere ?? 'leave the option out'}` };
  }
  if (native === portable) return { engine: portable.name };
  if (config.engine === 'portable') return { engine: 'portable' };
  const missing = needed.filter((need) => lacks(native, need));
  if (missing.length > 0) {
    const what = `${runtime}'s native engine ${told(missing, named)}`;
    if (config.engine === 'auto') return { engine: 'portable', note: what };
    const options = missing.length === 1 ? 'option' : 'options';
    return { fault: `${what}; take ${named('engine')} portable, or leave the ${options} out` };
  }
  const unkept = limits.filter(({ capability }) => !native.capabilities[capability]).map(({ lack }) => lack);
  if (config.engine === 'auto' && unkept.length > 0 && !isLoopback(config.host)) {
    const note = `others can reach ${config.host}, and ${runtime}'s native engine can't ${unkept.join(', ')}`;
    return { engine: 'portable', note };
  }
  return { engine: 'native' };
}

/** What is lacking, and for which options: each lack once. */
function told(lacking: readonly Need[], named: (name: OptionName) => string): string {
  const options = new Map<string, string[]>();
  for (const { lack, option, beside } of lacking) {
    const what = beside === undefined ? lack : `${lack} together with ${named(beside)}`;
    options.set(what, [...(options.get(what) ?? []), named(option)]);
  }
  return [...options]
    .map(([lack, names]) => `${lack}, which ${names.join(' and ')} ${names.length === 1 ? 'needs' : 'need'}`)
    .join(', and ');
}
