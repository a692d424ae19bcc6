/** The short way to the socket path comes to what the app would: the same answers, and the same reports. */
import { describe, expect, it } from 'vitest';
import { createAnswerer, createApp, createDirectAnswerer } from '../../core/app.ts';
import type { Answer } from '../../core/engine.ts';
import type { Claim } from '../../core/places.ts';
import type { ServerOptions } from '../../core/server.ts';
import { listen, peer, TestServer, upgradeRequest } from './support/server.ts';
import { FakeTransport } from './support/transport.ts';

/** The same server twice: asked directly, and by way of its app. */
class Twice {
  readonly direct: TestServer;
  readonly app: TestServer;

  constructor(settings: Partial<ServerOptions> = {}, places?: Claim) {
    this.direct = new TestServer(settings, {}, places);
    this.app = new TestServer(settings, {}, places);
  }

  ask(request: Request): Answer | Promise<Answer> | undefined {
    return createDirectAnswerer(this.direct.server, '/ws', listen)(request, peer);
  }

  askApp(request: Request): Promise<Answer> {
    const page = new Map();
    const about = { path: '/ws', handler: listen, page, runtime: 'Node', version: '26.1.0', engine: 'portable' };
    return createAnswerer(createApp(this.app.server, about), this.app.server)(request, peer);
  }
}

/** All that a client or an operator could tell two answers by. */
async function told(answer: Answer | undefined): Promise<unknown> {
  if (answer === undefined) return undefined;
  if (!(answer instanceof Response)) {
    return { protocol: answer.protocol, compression: answer.compression, headers: new Headers([...answer.headers]) };
  }
  return { status: answer.status, headers: [...answer.headers], body: await answer.text() };
}

const settings = { allowedOrigins: ['https://a.test'], subprotocols: ['chat'], compression: true };

describe('at the socket path', () => {
  it.each([
    ['accepts', {}],
    [
      'accepts an Origin, a subprotocol and compression',
      {
        origin: 'https://a.test',
        'sec-websocket-protocol': 'x, chat',
        'sec-websocket-extensions': 'permessage-deflate',
      },
    ],
    ['refuses another Origin', { origin: 'https://b.test' }],
    ['refuses another version', { 'sec-websocket-version': '8' }],
    ['refuses what is no upgrade', { upgrade: 'h2c' }],
    ['refuses a malformed Host before it looks at anything else', { host: 'a:99999', upgrade: 'h2c' }],
    ['refuses a request without Host', { host: '' }],
  ])('%s as the app does', async (_, headers: Record<string, string>) => {
    const both = new Twice(settings);
    const request = () => upgradeRequest(headers, '/ws?secret=1');
    const direct = await told(await both.ask(request()));
    expect(direct).toBeDefined();
    expect(direct).toEqual(await told(await both.askApp(request())));
    expect(both.direct.reports).toEqual(both.app.reports);
  });

  it('refuses more connections than there may be', async () => {
    const both = new Twice({ maxConnections: 0 });
    expect(await told(await both.ask(upgradeRequest()))).toEqual(await told(await both.askApp(upgradeRequest())));
    expect(both.direct.of('refused')).toMatchObject([{ status: 503 }]);
  });

  it('reports the path without the query', async () => {
    const direct = new TestServer();
    const upgrade = await createDirectAnswerer(direct.server, '/ws', listen)(upgradeRequest({}, '/ws?secret=1'), peer);
    if (upgrade === undefined || upgrade instanceof Response) throw new Error('refused');
    upgrade.open(new FakeTransport());
    expect(direct.of('opened')).toMatchObject([{ path: '/ws', remote: peer.address }]);
  });

  it.each([
    ['takes a place of those that several processes share', true],
    ['is refused where they have none left', false],
  ])('%s', async (_, taken) => {
    let given = 0;
    const both = new Twice({}, { take: async () => taken, give: () => given++ });
    const answer = await both.ask(upgradeRequest());
    expect(answer instanceof Response).toBe(!taken);
    expect(given).toBe(0);
  });

  it('gives a place back that a connection could not be opened on', async () => {
    let given = 0;
    const both = new Twice(
      {},
      {
        take: async () => {
          void both.direct.server.shutdown();
          return true;
        },
        give: () => given++,
      },
    );
    expect(await told(await both.ask(upgradeRequest()))).toMatchObject({ status: 503 });
    expect(given).toBe(1);
  });
});

describe('everything else is left to the app', () => {
  it.each(['/', '/ws/', '/ws/x', '/wsx', '/WS', '/%77s'])('%s', (path) => {
    expect(new Twice().ask(upgradeRequest({}, path))).toBeUndefined();
  });

  it.each(['HEAD', 'POST'])('%s', (method) => {
    const both = new Twice();
    expect(both.ask(new Request('http://server.test/ws', { method }))).toBeUndefined();
  });

  it('once the server is shutting down', () => {
    const both = new Twice();
    void both.direct.server.shutdown();
    expect(both.ask(upgradeRequest())).toBeUndefined();
  });
});
