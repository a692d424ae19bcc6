/** A Hono app of one's own around the sockets: examples/own-app.ts. */
import { expect, it } from 'vitest';
import { openClient, Refused } from '../support/client.ts';
import { exchange } from '../support/raw.ts';
import { currentTarget } from '../support/server.ts';
import { useServer } from './use-server.ts';

const server = useServer([], { entry: 'examples/own-app.ts' });
const room = (query = '?token=guest') => `${server().wsUrl}${query}`;

it('serves its own page, and none of the echo server’s', async () => {
  const ask = (path: string) =>
    exchange(server().port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server().port}\r\n\r\n`);
  const page = await ask('/');
  expect([page.status, page.header('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
  expect(page.body.toString()).toContain('<title>A room</title>');
  for (const path of ['/info', '/health', '/main.js']) expect((await ask(path)).status).toBe(404);
});

it('has its middleware refuse an upgrade', async () => {
  const refused = await openClient(room('')).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Refused);
  expect(refused).toMatchObject({ status: 401 });
});

it('still has the Origin checked', async () => {
  const refused = await openClient(room(), { origin: 'https://evil.example' }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ status: 403 });
});

it('runs its handler over one connection and another', async () => {
  const first = await openClient(room());
  expect((await first.echo('anybody?')).data.toString()).toMatch(/^\d+: anybody\?$/);
  const second = await openClient(room());
  const { connection } = await server().report({ event: 'opened', remote: second.address });
  expect((await second.echo('hello')).data.toString()).toBe(`${connection}: hello`);
  expect((await first.message()).data.toString()).toBe(`${connection}: hello`);
  expect(await first.close(1000)).toMatchObject({ code: 1000 });
});

it('adds the headers that its middleware sets', async () => {
  const { host } = new URL(server().url);
  const request = [
    'GET /ws?token=guest HTTP/1.1',
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const response = await exchange(server().port, `${request.join('\r\n')}\r\n\r\n`);
  expect([response.status, response.header('x-room')]).toEqual([101, 'lobby']);
});

it('shuts down in order', async () => {
  const client = await openClient(room());
  // Over HTTP/2 the bridge ends with its server.
  const { code } = await server().stop('SIGTERM');
  expect(code).toBe(0);
  if (!currentTarget.http2) expect(await client.closed).toMatchObject({ code: 1001 });
});
