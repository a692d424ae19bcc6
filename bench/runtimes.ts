/**
 * The programs that peers are run with: the repository's own.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type Runtime, root, target } from '../test/support/target.ts';

export { root };

/** What can run a peer. */
export type RuntimeName = Runtime | 'dotnet';

/** Where `dotnet publish` puts the ASP.NET Core peer; git ignores it. */
export const aspnetFolder = `${root}/bench/peers/aspnet`;

/** Node 26 where test/runtimes has it, else the Node at hand. */
function node(): readonly string[] {
  const newest = target('node26').command;
  return existsSync(newest[0] ?? '') ? newest : target('node').command;
}

/** What `npm start` tells Node about memory: Echoline is measured as it is started. */
function memoryFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: Record<string, string> };
  return (scripts.start ?? '').split(' ').filter((word) => word.startsWith('--max-semi-space-size='));
}

/** The commands that a runtime runs Echoline, and a peer, with; the file and its flags are to be appended. */
export const commands: Record<Runtime, { readonly ours: readonly string[]; readonly peer: readonly string[] }> = {
  node: { ours: [...node(), ...memoryFlags()], peer: node() },
  bun: { ours: target('bun-native').command, peer: target('bun-native').command },
  deno: {
    ours: target('deno-native').command,
    // With Deno's defaults: what deno.json has is Echoline's own.
    peer: [
      target('deno-native').command[0] ?? 'deno',
      'run',
      '--no-config',
      '--node-modules-dir=manual',
      '--no-prompt',
      '--allow-all',
    ],
  },
};

/** The version of a runtime, or undefined when it can't be run. */
export function versionOf(runtime: RuntimeName): string | undefined {
  const program = runtime === 'dotnet' ? 'dotnet' : (commands[runtime].peer[0] ?? '');
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8', cwd: root });
  return status === 0 ? /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] : undefined;
}

/**
 * Builds the ASP.NET Core peer for the SDK that is there.
 *
 * @returns Why that failed, or undefined.
 */
export function buildAspnet(version: string): string | undefined {
  const framework = `net${version.split('.')[0]}.0`;
  const args = ['publish', '-c', 'Release', '-o', 'bin/publish', `-p:TargetFramework=${framework}`, '-v', 'quiet'];
  const env = { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' };
  const { status, stdout } = spawnSync('dotnet', args, { cwd: aspnetFolder, env, encoding: 'utf8' });
  return status === 0 ? undefined : `dotnet publish failed: ${stdout.trim().split('\n').at(-1)}`;
}
