/** How the application answers CONNECT requests (RFC 8441): what `createAnswerer` adds for them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createAnswerer, createApp } from '../../core/app.ts';
import { defaultConfig } from '../../core/config.ts';
import { echo } from '../../core/echo.ts';
import type { Answer, Answerer, Upgrade } from '../../core/engine.ts';
import type { Report } from '../../core/report.ts';
import { WebSocketServer } from '../../core/server.ts';

const peer = { address: '192.0.2.7:50312' };
let reports: Report[] = [];
let answer: Answerer;

beforeEach(() => {
  reports = [];
  const server = new WebSocketServer(defaultConfig(), {
    capabilities: {
      ping: true,
      pause: true,
      terminate: true,
      awaitsPeerClose: true,
      messageLimit: true,
      compression: true,
      http2: true,
      requestTimeout: true,
      reloadCertificates: true,
      sharesPort: true,
    },
    now: () => 0,
    after: () => () => {},
    byteLength: (text) => text.length,
    report: (report) => reports.push(report),
  });
  const page = new Map([['index.html', { type: 'text/html', bytes: new Uint8Array(1) }]]);
  const app = createApp(server, {
    path: '/ws',
    handler: echo,
    page,
    runtime: 'Test',
    version: '1',
    engine: 'portable',
  });
  answer = createAnswerer(app, server);
});

function connect(path: string, protocol: string | undefined): Promise<Answer> {
  const request = new Request(`https://server.test${path}`);
  const headers = new Headers({ host: 'server.test', 'sec-websocket-version': '13' });
  Object.defineProperty(request, 'headers', { value: headers });
  return answer(request, peer, protocol);
}

describe('CONNECT', () => {
  it.each(['websocket', 'WebSocket'])('for %s at the socket path is an upgrade', async (protocol) => {
    const upgrade = (await connect('/ws', protocol)) as Upgrade;
    expect(upgrade).not.toBeInstanceOf(Response);
    expect(upgrade.protocol).toBe('');
  });

  it.each(['', 'connect-udp', 'websocket, x'])('for %j is answered 501, and reported', async (protocol) => {
    const response = (await connect('/ws', protocol)) as Response;
    expect(response.status).toBe(501);
    expect(await response.text()).toBe('CONNECT is for WebSockets only here (:protocol = websocket, RFC 8441).\n');
    expect(reports).toMatchObject([{ event: 'refused', status: 501, remote: peer.address }]);
  });

  it.each(['/', '/info', '/health'])('at %s is never answered with success', async (path) => {
    const response = (await connect(path, 'websocket')) as Response;
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('There are no WebSockets at this path.\n');
    expect(reports).toMatchObject([{ event: 'refused', status: 404 }]);
  });

  it('at an unknown path is answered 404', async () => {
    expect(((await connect('/nothing', 'websocket')) as Response).status).toBe(404);
  });
});

it('a GET without an upgrade at the socket path is answered 400', async () => {
  expect(((await connect('/ws', undefined)) as Response).status).toBe(400);
});
