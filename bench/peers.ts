/**
 * Who takes part.
 *
 * @module
 */
import { aspnetFolder, commands, type RuntimeName, root } from './runtimes.ts';

/** `bare` is the native engine of a runtime by itself, which the others of that runtime are compared with. */
export type PeerKind = 'ours' | 'bare' | 'hono' | 'crossws' | 'aspnet';

/** A server to be measured. */
export interface Peer {
  /** Such as `ours-bun-native`. */
  readonly id: string;
  /** How tables call it. */
  readonly title: string;
  readonly runtime: RuntimeName;
  readonly kind: PeerKind;
  readonly command: readonly string[];
  /** Flags for the shape of very many connections, whose number a default limit may be below. */
  readonly crowdFlags?: readonly string[];
  /** Whether its clients speak HTTP/2. */
  readonly http2?: boolean;
}

function bare(runtime: 'node' | 'bun' | 'deno', title: string): Peer {
  const id = `bare-${runtime}`;
  return { id, title, runtime, kind: 'bare', command: [...commands[runtime].peer, `${root}/bench/peers/${id}.ts`] };
}

function helper(kind: 'hono' | 'crossws', runtime: 'node' | 'bun' | 'deno'): Peer {
  const id = `${kind}-${runtime}`;
  const title = kind === 'hono' ? 'Hono helper' : 'crossws';
  return { id, title, runtime, kind, command: [...commands[runtime].peer, `${root}/bench/peers/${id}.ts`] };
}

/** As shipped: Origin check, liveness, limits, and reports that are read. */
function ours(runtime: 'node' | 'bun' | 'deno', engine: 'native' | 'portable'): Peer {
  const flags = ['adapters/main.ts', '--port', '0', '--engine', engine, '--log', 'json'];
  return {
    id: runtime === 'node' ? 'ours-node' : `ours-${runtime}-${engine}`,
    title: `Echoline, ${engine}`,
    runtime,
    kind: 'ours',
    command: [...commands[runtime].ours, ...flags],
    crowdFlags: ['--max-connections', '20000'],
  };
}

/** All but those of HTTP/2, a runtime's bare engine first. */
export const peers: readonly Peer[] = [
  bare('node', 'ws'),
  ours('node', 'portable'),
  helper('hono', 'node'),
  helper('crossws', 'node'),
  bare('bun', 'Bun.serve'),
  ours('bun', 'native'),
  ours('bun', 'portable'),
  helper('hono', 'bun'),
  helper('crossws', 'bun'),
  bare('deno', 'Deno.serve'),
  ours('deno', 'native'),
  ours('deno', 'portable'),
  helper('hono', 'deno'),
  helper('crossws', 'deno'),
  {
    id: 'aspnet',
    title: 'ASP.NET Core',
    runtime: 'dotnet',
    kind: 'aspnet',
    command: ['dotnet', `${aspnetFolder}/bin/publish/echo.dll`],
  },
];

/** The same server twice, asked over HTTP/1.1 and over HTTP/2, for the shapes that compare these. */
export const http2Peers: readonly Peer[] = peers
  .filter(({ id }) => ['ours-node', 'ours-bun-portable', 'ours-deno-portable'].includes(id))
  .flatMap((peer) => {
    const command = [...peer.command, '--http2-cleartext'];
    return [
      { ...peer, command, title: `${peer.title}, HTTP/1.1` },
      { ...peer, command, id: `${peer.id}-http2`, title: `${peer.title}, HTTP/2`, http2: true },
    ];
  });

/** Why nobody else is in the shapes of HTTP/2. */
export const http2Note = 'WebSockets over HTTP/2: no other peer has them, and of the engines only the portable one.';

/** Whom a peer is compared with: the bare engine of its runtime, or over HTTP/2 itself over HTTP/1.1. */
export function referenceOf(peer: Peer, among: readonly Peer[]): Peer | undefined {
  if (among.some(({ http2 }) => http2)) {
    return among.find((other) => !other.http2 && other.runtime === peer.runtime && other.kind === peer.kind);
  }
  return among.find((other) => other.kind === 'bare' && other.runtime === peer.runtime);
}
