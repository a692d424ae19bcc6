/**
 * A real nginx, with the configuration that is in the documentation.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { root } from './target.ts';
import { until, within } from './wait.ts';

/** Where nginx is: what NGINX names, or where distributions put it. */
const path = [process.env.NGINX, '/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find(
  (candidate) => candidate !== undefined && existsSync(candidate),
);

/** Whether tests with nginx are skipped: there is none, and this is no CI, where its lack is a failure. */
export const skipped = path === undefined && !process.env.CI;
if (skipped) console.warn('No nginx found: the tests with it are skipped. Install it, or name it in NGINX.');

/** The user `nobody`, whom nginx is run as where the tests are root's. */
const NOBODY = 65534;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** Where WebSockets are. */
  readonly wsUrl: string;
}

/**
 * Starts nginx with docs/nginx.conf in front of two servers.
 *
 * @param servers - The ports to put for those in the file.
 * @param edit - Changes the file further: times are what tests can't wait for.
 */
export async function startNginx(
  servers: readonly [number, number],
  edit: (file: string) => string = (file) => file,
): Promise<Nginx> {
  if (path === undefined) throw new Error('No nginx found. Install it, or name it in the variable NGINX.');
  const folder = mkdtempSync(`${tmpdir()}/echoline-nginx-`);
  const port = await freePort();
  const documented = readFileSync(`${root}/docs/nginx.conf`, 'utf8');
  const file = edit(
    substitute(documented, {
      'listen 80;': `listen 127.0.0.1:${port};`,
      '127.0.0.1:8080': `127.0.0.1:${servers[0]}`,
      '127.0.0.1:8081': `127.0.0.1:${servers[1]}`,
    }),
  );
  writeFileSync(`${folder}/echoline.conf`, file);
  writeFileSync(`${folder}/nginx.conf`, around(folder));
  mkdirSync(`${folder}/temp`);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) for (const each of [folder, `${folder}/temp`]) chownSync(each, NOBODY, NOBODY);

  const child = spawn(path, ['-p', folder, '-c', `${folder}/nginx.conf`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  alive.add(child);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const exited = new Promise<void>((resolve) => {
    child.on('close', () => {
      alive.delete(child);
      resolve();
    });
  });
  const dispose = async () => {
    child.kill('SIGTERM');
    await within(5000, 'the end of nginx', exited);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(10_000, 'nginx answers', async () => {
      if (!alive.has(child)) throw new Error(`nginx ended: ${said}`);
      return fetch(`http://127.0.0.1:${port}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { port, wsUrl: `ws://127.0.0.1:${port}/ws`, [Symbol.asyncDispose]: dispose };
}

/** What Debian's own nginx.conf is around files of conf.d, for a process of no rights that stays in its folder. */
function around(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return [
    'daemon off;',
    'master_process off;',
    `pid ${folder}/nginx.pid;`,
    'error_log stderr;',
    'events { worker_connections 512; }',
    'http {',
    '  access_log off;',
    ...temporary.map((what) => `  ${what}_temp_path ${folder}/temp/${what};`),
    `  include ${folder}/echoline.conf;`,
    '}\n',
  ].join('\n');
}

/** Puts texts for others, each of which has to be there once. */
function substitute(file: string, texts: Readonly<Record<string, string>>): string {
  let result = file;
  for (const [from, to] of Object.entries(texts)) {
    if (result.split(from).length !== 2) throw new Error(`docs/nginx.conf does not have "${from}" once`);
    result = result.replace(from, to);
  }
  return result;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
