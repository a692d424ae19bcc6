/** Several processes on one port: to clients, to limits, in reports and at the end they are one server. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, openClient, Refused } from '../support/client.ts';
import { exchange, openRaw, upgradeRequest } from '../support/raw.ts';
import { currentTarget, runServer, type StartOptions, startingWorkers, startServer } from '../support/server.ts';
import { first, readingCertificates, second, shownBy, tlsFlags } from '../support/tls.ts';
import { until, within } from '../support/wait.ts';
import { runs, untilGone, workersOf } from '../support/workers.ts';
import { deviates } from './deviations.ts';
import { dropsClients } from './use-server.ts';

const target = startingWorkers(currentTarget);
const start = (flags: readonly string[] = [], options: StartOptions = {}) =>
  startServer(target, ['--workers', '2', ...flags], options);
type Server = Awaited<ReturnType<typeof start>>;

/** Processes that a test that fails may leave. */
let processes: number[] = [];
afterEach(() => {
  for (const pid of processes) if (runs(pid)) process.kill(pid, 'SIGKILL');
  processes = [];
});
dropsClients();

/** The processes that serve; a test that fails leaves none of them. */
function workers(server: Server): number[] {
  const pids = workersOf(server);
  processes.push(...pids);
  return pids;
}

/** Runs it to its end. */
async function run(flags: readonly string[], options: StartOptions = {}, who = target) {
  await using server = runServer(who, ['--engine', currentTarget.engine, ...flags], options);
  const exit = await within(15_000, 'the end of a start that fails', server.exited);
  return { ...exit, lines: server.lines, errors: server.errors };
}

/** Opens so many connections, one after another. */
async function open(server: Server, count: number): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) clients.push(await openClient(server.wsUrl));
  return clients;
}

async function echoes(client: Client, text: string): Promise<void> {
  expect((await client.echo(text)).data.toString()).toBe(text);
}

/** The reports of openings, by the client's address. */
function opened(server: Server): Map<string, { worker: number; connection: number }> {
  const reports = server.reports.filter((report) => report.event === 'opened');
  return new Map(reports.map(({ remote, worker, connection }) => [remote, { worker, connection }]));
}

async function connections(server: Server): Promise<number> {
  return ((await (await fetch(`${server.url}/health`)).json()) as { connections: number }).connections;
}

describe('workers', () => {
  it('are ready together, which one line says', async () => {
    await using server = await start(['--log', 'pretty']);
    expect(server.lines).toEqual([expect.stringMatching(/listening on http:\S+ .*, 2 workers$/)]);
    expect(workers(server)).toHaveLength(2);
    expect(await (await fetch(`${server.url}/info`)).json()).toMatchObject({
      workers: 2,
      engine: currentTarget.engine,
    });
  });

  it('are one for each core with auto', async () => {
    await using server = await startServer(target, ['--workers', 'auto']);
    expect(server.reports).toMatchObject([{ event: 'listening', workers: availableParallelism() }]);
  });

  it('share the port, and report in whole lines, each connection by a name of its own', async () => {
    await using server = await start();
    const clients = await Promise.all(Array.from({ length: 60 }, () => openClient(server.wsUrl)));
    for (const [index, client] of clients.entries()) await echoes(client, `message ${index}`);
    await until(5000, 'all are reported', () => opened(server).size === clients.length);
    expect(new Set([...opened(server).values()].map(({ worker }) => worker))).toEqual(new Set([1, 2]));
    const names = [...opened(server).values()].map(({ worker, connection }) => `${worker}.${connection}`);
    expect(new Set(names).size).toBe(clients.length);
    expect(await connections(server)).toBe(clients.length);
    await Promise.all(clients.map((client) => client.close(4000, 'enough')));
    await until(5000, 'all ends are reported', () => server.reports.length === 1 + 2 * clients.length);
    await until(5000, 'none is counted', async () => (await connections(server)) === 0);
    expect(server.errors).toEqual([]);
  });

  it('name worker and connection in the lines for people', async () => {
    await using server = await start(['--log', 'pretty']);
    await openClient(server.wsUrl);
    await server.line(/ #[12]\.1 opened by 127\.0\.0\.1:\d+ at \/ws$/);
  });

  it('have one limit of connections, which holds to a place', async () => {
    await using server = await start(['--max-connections', '7']);
    const clients = await open(server, 7);
    expect((await exchange(server.port, upgradeRequest(`127.0.0.1:${server.port}`))).status).toBe(503);
    await Promise.all(clients.map((client) => client.close()));
    await until(5000, 'all places are free', async () => (await connections(server)) === 0);
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => openClient(server.wsUrl)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refusals.every((reason) => reason instanceof Refused && reason.status === 503)).toBe(true);
  });
});

describe('at the end of several workers', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s closes all with 1001, reports one sum and exits 0', async (signal) => {
    await using server = await start();
    const pids = workers(server);
    const clients = await open(server, 20);
    // To all of them, as a terminal and some service managers do.
    if (signal === 'SIGINT') for (const pid of pids) process.kill(pid, signal);
    const exited = server.stop(signal);
    for (const client of clients) {
      expect(await within(5000, 'the close', client.closed)).toEqual({ code: 1001, reason: 'server shutting down' });
    }
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(server.reports.filter(({ event }) => event === 'ended' || event === 'shutdown').slice(20)).toMatchObject([
      { event: 'shutdown', closed: 20, terminated: 0 },
    ]);
    expect(server.reports.filter(({ event }) => event === 'ended')).toHaveLength(20);
    expect(server.errors).toEqual([]);
    expect(pids.filter(runs)).toEqual([]);
  });

  it.runIf(!deviates('never-awaits-peer-close'))('terminates who does not answer, and counts them', async () => {
    await using server = await start(['--shutdown-timeout', '1']);
    for (let i = 0; i < 6; i++) await openRaw(server.port);
    await open(server, 6);
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(server.reports.at(-1)).toEqual(expect.objectContaining({ event: 'shutdown', closed: 6, terminated: 6 }));
  });

  it('a second signal exits at once with 130, and leaves no worker', async () => {
    await using server = await start(['--shutdown-timeout', '30']);
    const pids = workers(server);
    await open(server, 4);
    // One that does nothing any more holds the shutdown up on every engine.
    process.kill(pids[0] ?? 0, 'SIGSTOP');
    server.kill('SIGTERM');
    await until(5000, 'the other worker has shut down', () => !runs(pids[1] ?? 0));
    const before = performance.now();
    expect(await server.stop('SIGTERM')).toEqual({ code: 130, signal: null });
    expect(performance.now() - before).toBeLessThan(1500);
    await untilGone(pids);
  });

  it('a worker that does nothing any more is killed, and its connections counted as terminated', async () => {
    await using server = await start(['--shutdown-timeout', '0']);
    const [stopped = 0] = workers(server);
    const clients = await open(server, 8);
    await until(5000, 'all are reported', () => opened(server).size === clients.length);
    process.kill(stopped, 'SIGSTOP');
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    const { closed, terminated } = server.reports.at(-1) ?? {};
    expect(closed + terminated).toBe(8);
    expect(terminated).toBeGreaterThan(0);
    await untilGone([stopped]);
  });

  it('they end in order when their primary is killed', async () => {
    await using server = await start();
    const pids = workers(server);
    const clients = await open(server, 6);
    server.kill('SIGKILL');
    for (const client of clients) {
      expect(await within(5000, 'the close', client.closed)).toEqual({ code: 1001, reason: 'server shutting down' });
    }
    await untilGone(pids);
  });
});

describe('a worker that dies', () => {
  it('is reported and replaced; the others’ connections live on, and its places are free', async () => {
    await using server = await start(['--max-connections', '30']);
    const pids = workers(server);
    const clients = await open(server, 30);
    await until(5000, 'all are reported', () => opened(server).size === clients.length);
    const dead = pids[0] ?? 0;
    process.kill(dead, 'SIGKILL');
    const end = await server.report({ event: 'worker-ended' });
    expect(end).toMatchObject({ pid: dead, signal: 'SIGKILL', code: null, restartMs: 0 });
    const its = clients.filter((client) => opened(server).get(client.address)?.worker === end.worker);
    const others = clients.filter((client) => !its.includes(client));
    expect(end.connections).toBe(its.length);
    expect(Math.min(its.length, others.length)).toBeGreaterThan(0);
    for (const client of its) expect((await within(5000, 'the end', client.closed)).code).toBe(1006);
    for (const client of others) await echoes(client, 'still here');

    const { worker, pid } = await server.report({ event: 'worker-started' });
    expect(worker).toBe(3);
    expect(new Set(workers(server))).toEqual(new Set([pids[1], pid]));
    // As many as there were, on the new one too.
    for (const client of await open(server, its.length)) await echoes(client, 'new');
    await expect(openClient(server.wsUrl)).rejects.toMatchObject({ status: 503 });
    for (const client of others) await echoes(client, 'still here');
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(server.reports.at(-1)).toMatchObject({ event: 'shutdown', closed: 30, terminated: 0 });
  });

  it('is replaced also where none is left, on the same port', async () => {
    await using server = await start();
    for (const pid of workers(server)) process.kill(pid, 'SIGKILL');
    await server.report({ event: 'worker-started', worker: 3 });
    await server.report({ event: 'worker-started', worker: 4 });
    workers(server);
    await echoes(await openClient(server.wsUrl), 'again');
  });

  it('while the server shuts down is not replaced', async () => {
    await using server = await start(['--shutdown-timeout', '30']);
    const [stopped = 0] = workers(server);
    const clients = await open(server, 30);
    process.kill(stopped, 'SIGSTOP');
    const exited = server.stop('SIGTERM');
    // Those of the other worker are told that the shutdown has begun.
    await within(5000, 'a goodbye', Promise.any(clients.map((client) => client.closed)));
    process.kill(stopped, 'SIGKILL');
    expect(await exited).toEqual({ code: 0, signal: null });
    const events = server.reports.map(({ event }) => event);
    expect(events).not.toContain('worker-ended');
    expect(events).not.toContain('worker-started');
    expect(events.at(-1)).toBe('shutdown');
  });
});

describe('one line says what is wrong, with several workers too', () => {
  it.each([
    [['--workers', '0'], {}, /^echoline: --workers '0': expected auto or a whole number from 1 to 256$/],
    [['--workers', 'all'], {}, /^echoline: --workers 'all': expected auto/],
    [[], { WORKERS: '1.5' }, /^echoline: WORKERS '1\.5': expected auto/],
    [['--workers', '2', '--tls-cert', 'tls/none.pem', '--tls-key', 'tls/none.pem'], {}, /--tls-cert 'tls\/none\.pem'/],
  ])('%j %j', async (flags, env, says) => {
    const { code, lines, errors } = await run(flags, { env });
    expect(errors).toEqual([expect.stringMatching(says)]);
    expect(code).toBe(2);
    expect(lines).toEqual([]);
  });

  it('a worker ends before it can serve', async () => {
    const flags = ['--workers', '2', '--port', '0'];
    const { code, lines, errors } = await run(flags, { entry: 'test/contract/fixtures/broken-worker.ts' });
    expect(errors).toEqual(['echoline: a worker ended with status 7 before it could serve']);
    expect(code).toBe(1);
    expect(lines).toEqual([]);
  });

  it('the port is in use, by a stranger', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, lines, errors } = await run(['--workers', '2', '--port', String(port)]);
    other.close();
    expect(errors).toEqual([expect.stringMatching(new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use`))]);
    expect(code).toBe(1);
    expect(lines).toEqual([]);
  });

  it('the port is in use, by other workers, who would share it', async () => {
    await using server = await start();
    const { code, lines, errors } = await run(['--workers', '2', '--port', String(server.port)]);
    expect(errors).toEqual([expect.stringMatching(new RegExp(`port ${server.port} of 127\\.0\\.0\\.1 is in use`))]);
    expect(code).toBe(1);
    expect(lines).toEqual([]);
  });

  it.runIf(currentTarget.runtime === 'deno')('Deno may not start processes', async () => {
    const { code, errors } = await run(['--workers', '2', '--port', '0'], {}, currentTarget);
    expect(errors).toEqual([expect.stringMatching(/--workers.*--allow-run.*deno task start:workers/)]);
    expect(code).toBe(2);
  });
});

describe('TLS with several workers', () => {
  it('is spoken by all, and SIGHUP gives all a new certificate', async () => {
    const folder = mkdtempSync(`${tmpdir()}/echoline-workers-`);
    const files = { certFile: `${folder}/own.cert.pem`, keyFile: `${folder}/own.key.pem` };
    const put = (from: typeof first) => {
      copyFileSync(from.certFile, files.certFile);
      copyFileSync(from.keyFile, files.keyFile);
    };
    /** The names of the certificates that are shown to so many that all workers are among those who show them. */
    const shown = async (port: number) => {
      const names = await Promise.all(Array.from({ length: 24 }, async () => (await shownBy(port)).name));
      return [...new Set(names)];
    };
    try {
      put(first);
      const reading = readingCertificates(target, folder);
      await using server = await startServer(reading, ['--workers', '2', ...tlsFlags(files)]);
      workers(server);
      const client = await openClient(server.wsUrl, { rejectUnauthorized: false });
      expect(await shown(server.port)).toEqual([first.name]);
      if (deviates('no-certificate-reload')) return;
      put(second);
      server.kill('SIGHUP');
      await server.report({ event: 'certificate', reloaded: true });
      expect(server.reports.filter(({ event }) => event === 'certificate')).toHaveLength(1);
      expect(await shown(server.port)).toEqual([second.name]);
      await echoes(client, 'still here');
      // One that is started later has the new one too.
      process.kill(workers(server)[0] ?? 0, 'SIGKILL');
      await server.report({ event: 'worker-started' });
      expect(await shown(server.port)).toEqual([second.name]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
