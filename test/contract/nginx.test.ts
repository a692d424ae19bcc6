/** Behind nginx, with the configuration of docs/nginx.conf: what reaches the client is what the server says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, openClient } from '../support/client.ts';
import { type Nginx, skipped, startNginx } from '../support/nginx.ts';
import { exchange, openRaw, upgradeRequest } from '../support/raw.ts';
import { currentTarget, type ServerProcess, startServer } from '../support/server.ts';
import { until, within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { dropsClients } from './use-server.ts';

type Pair = readonly [ServerProcess, ServerProcess];

/** Starts two servers. */
function startTwo(flags: readonly string[] = []): Promise<Pair> {
  return Promise.all([startServer(currentTarget, flags), startServer(currentTarget, flags)]);
}

async function stopBoth(servers: readonly ServerProcess[]): Promise<void> {
  for (const server of servers) if (server.running) await server.stop('SIGKILL');
}

const portsOf = ([one, other]: Pair): [number, number] => [one.port, other.port];

/** The file with times that are so many times shorter. */
const faster = (times: number) => (file: string) =>
  file.replaceAll(/ (\d+)s;/g, (_, seconds) => ` ${Math.round((Number(seconds) / times) * 1000)}ms;`);

const count = (server: ServerProcess, event: string): number =>
  server.reports.filter((report) => report.event === event).length;

async function echoes(client: Client, text = 'hello'): Promise<void> {
  expect((await client.echo(text)).data.toString()).toBe(text);
}

describe.skipIf(skipped)('behind nginx', () => {
  dropsClients();

  describe('two servers', () => {
    let servers: Pair;
    let nginx: Nginx;
    beforeAll(async () => {
      servers = await startTwo();
      nginx = await startNginx(portsOf(servers));
    });
    afterAll(async () => {
      await nginx?.[Symbol.asyncDispose]();
      await stopBoth(servers ?? []);
    });

    it('serve the page and what it asks for', async () => {
      const page = await fetch(`http://127.0.0.1:${nginx.port}/`);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('WebSocket Server URL:');
      expect((await fetch(`http://127.0.0.1:${nginx.port}/info`)).headers.get('content-type')).toBe('application/json');
    });

    it('echo, small and large, and share the connections', async () => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => openClient(nginx.wsUrl)));
      for (const [index, client] of clients.entries()) await echoes(client, `message ${index}`);
      for (const size of [0, 125, 126, 70_000, 1024 * 1024]) {
        const sent = Buffer.alloc(size, 7);
        expect((await clients[0]?.echo(sent))?.data.equals(sent)).toBe(true);
      }
      for (const server of servers) expect(count(server, 'opened')).toBeGreaterThan(0);
    });

    it('close with the code and reason of either side', async () => {
      const client = await openClient(nginx.wsUrl);
      expect(await client.close(4123, 'over and out')).toEqual({ code: 4123, reason: 'over and out' });
      const bad = await openRaw(nginx.port);
      // Reserved bits that nobody has agreed on.
      bad.send(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
      if (!deviates('no-close-frame-on-error')) expect((await bad.closeFrame()).code).toBe(1002);
      await bad.ended;
    });

    it('let pages connect that nginx serves, and no others', async () => {
      const status = async (origin: string) => {
        const request = upgradeRequest(`127.0.0.1:${nginx.port}`, { Origin: origin });
        return (await exchange(nginx.port, request, { head: true })).status;
      };
      expect(await status(`http://127.0.0.1:${nginx.port}`)).toBe(101);
      expect(await status('http://127.0.0.1')).toBe(403);
      expect(await status(`http://127.0.0.1:${servers[0].port}`)).toBe(403);
      expect(await status('https://client.com')).toBe(403);
    });

    it('answer what is wrong with a request as they do without it', async () => {
      expect((await fetch(`http://127.0.0.1:${nginx.port}/ws`)).status).toBe(400);
      const request = upgradeRequest(`127.0.0.1:${nginx.port}`, { 'Sec-WebSocket-Version': '8' });
      const response = await exchange(nginx.port, request);
      expect(response.status).toBe(426);
      expect(response.header('sec-websocket-version')).toBe('13');
    });

    it('report nginx as their peer', async () => {
      const opened = () => servers.reduce((sum, server) => sum + count(server, 'opened'), 0);
      const before = opened();
      const client = await openClient(nginx.wsUrl, { headers: { 'X-Forwarded-For': '192.0.2.7' } });
      await until(5000, 'it is reported', () => opened() > before);
      const remotes = servers.flatMap(({ reports }) => reports.filter(({ event }) => event === 'opened'));
      expect(remotes.map(({ remote }) => remote)).not.toContain(client.address);
      expect(remotes.every(({ remote }) => /^127\.0\.0\.1:\d+$/.test(remote))).toBe(true);
    });
  });

  it('a silent client is ended by the server, after 2·X, because nginx waits longer than that', async () => {
    const servers = await startTwo(['--ping-interval', '1', '--keep-alive-interval', '0']);
    try {
      // As 60 s are to nginx's 180 s.
      await using nginx = await startNginx(portsOf(servers), faster(30));
      const client = await openClient(nginx.wsUrl);
      await echoes(client);
      expect(await within(5000, 'the end', client.closed)).toEqual({ code: 3008, reason: 'idle timeout' });
    } finally {
      await stopBoth(servers);
    }
  });

  it('a proxy that waits less cuts a connection off, without a word', async () => {
    const servers = await startTwo(['--ping-interval', '1', '--keep-alive-interval', '0']);
    try {
      const shorter = (file: string) => file.replace(/proxy_read_timeout \w+;/, 'proxy_read_timeout 1s;');
      await using nginx = await startNginx(portsOf(servers), shorter);
      const client = await openClient(nginx.wsUrl);
      await echoes(client);
      expect((await within(5000, 'the end', client.closed)).code).toBe(1006);
    } finally {
      await stopBoth(servers);
    }
  });

  it('a server that shuts down tells its clients, and new ones come to the other', async () => {
    const servers = await startTwo(['--shutdown-timeout', '3']);
    try {
      await using nginx = await startNginx(portsOf(servers));
      const clients = [await openClient(nginx.wsUrl), await openClient(nginx.wsUrl)];
      for (const client of clients) await echoes(client);
      const [leaving, staying] = servers;
      await until(5000, 'each has one', () => servers.every((server) => count(server, 'opened') === 1));
      // Two that don't answer, so that one of them holds the shutdown up where the engine waits for answers.
      for (let i = 0; i < 2; i++) await openRaw(nginx.port);

      const exited = leaving.stop('SIGTERM');
      const told = await within(5000, 'the close', Promise.race(clients.map((client) => client.closed)));
      expect(told).toEqual({ code: 1001, reason: 'server shutting down' });
      // While it shuts down, and when it is gone.
      for (let i = 0; i < 4; i++) await echoes(await openClient(nginx.wsUrl));
      expect(await exited).toEqual({ code: 0, signal: null });
      for (let i = 0; i < 4; i++) await echoes(await openClient(nginx.wsUrl));
      const [kept] = clients.filter(({ ws }) => ws.readyState === ws.OPEN);
      await echoes(kept as Client, 'still here');
      await until(5000, 'all came to the other', () => count(staying, 'opened') === 1 + 1 + 8);
    } finally {
      await stopBoth(servers);
    }
  });

  it('a server that is full passes clients on; when all are, they are told', async () => {
    const servers = await startTwo(['--max-connections', '2']);
    try {
      await using nginx = await startNginx(portsOf(servers));
      // Not through nginx, which would deal them out evenly.
      for (let i = 0; i < 2; i++) await echoes(await openClient(servers[0].wsUrl));
      for (let i = 0; i < 2; i++) await echoes(await openClient(nginx.wsUrl));
      for (let i = 0; i < 4; i++) {
        const response = await exchange(nginx.port, upgradeRequest(`127.0.0.1:${nginx.port}`));
        expect(response.status).toBe(503);
        expect(response.header('retry-after')).toBe('10');
      }
    } finally {
      await stopBoth(servers);
    }
  });
});
