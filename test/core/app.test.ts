import { Hono, type MiddlewareHandler } from 'hono';
import { describe, expect, it } from 'vitest';
import { type AppEnv, type AppOptions, createAnswerer, createApp, type PageFile, webSocket } from '../../core/app.ts';
import { echo } from '../../core/echo.ts';
import type { Answer, Upgrade } from '../../core/engine.ts';
import type { Claim } from '../../core/places.ts';
import type { ServerOptions } from '../../core/server.ts';
import { settle } from './support/clock.ts';
import { listen, peer, TestServer, upgradeRequest } from './support/server.ts';
import { FakeTransport } from './support/transport.ts';

function file(type: string, text: string): PageFile {
  return { type, bytes: new TextEncoder().encode(text) };
}

const page = new Map([
  ['index.html', file('text/html; charset=utf-8', '<!doctype html>\n<title>Grüße</title>\n')],
  ['main.js', file('text/javascript; charset=utf-8', 'export {};\n')],
]);

/** A test server with an application around it. */
class TestApp extends TestServer {
  readonly app: Hono<AppEnv>;

  constructor(
    settings: Partial<ServerOptions> = {},
    options: Partial<AppOptions> = {},
    app?: Hono<AppEnv>,
    places?: Claim,
  ) {
    super(settings, {}, places);
    const about = { path: '/ws', handler: echo, page, runtime: 'Node', version: '26.1.0', engine: 'portable' };
    this.app = app ?? createApp(this.server, { ...about, ...options });
  }

  answer(request: Request): Promise<Answer> {
    return createAnswerer(this.app, this.server)(request, peer);
  }

  /** What a request is answered with that is no upgrade. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await this.answer(new Request(`http://server.test${path}`, init));
    if (!(answer instanceof Response)) throw new Error('upgraded');
    return answer;
  }
}

/** An application of a user's own, with one middleware before its socket. */
function ownApp(middleware: MiddlewareHandler<AppEnv>, settings: Partial<ServerOptions> = {}): TestApp {
  const app = new Hono<AppEnv>();
  const test = new TestApp(settings, {}, app);
  app.use(middleware);
  app.all('/ws', webSocket(test.server, listen));
  return test;
}

describe('a request whose Host is malformed', () => {
  it('is answered 400 and reported before anything else looks at it', async () => {
    const test = new TestApp();
    const response = await test.fetch('/', { headers: { host: 'a:99999' } });
    expect(response.status).toBe(400);
    expect(await response.text()).toBe('The Host header is missing or is not one host, with a port or without.\n');
    expect(test.reports).toMatchObject([{ event: 'refused', status: 400 }]);
  });
});

describe('the page', () => {
  it('is served at / with its type, length and bytes', async () => {
    const response = await new TestApp().fetch('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-length')).toBe('39');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(page.get('index.html')?.bytes);
  });

  it('has its other files at their names', async () => {
    const response = await new TestApp().fetch('/main.js?v=1');
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(await response.text()).toBe('export {};\n');
  });

  it('loads nothing from elsewhere and runs no inline script', async () => {
    const { headers } = await new TestApp().fetch('/');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.has('strict-transport-security')).toBe(false);
  });

  it.each(['/index.html', '/nothing', '/../package.json', '/%2e%2e/package.json', '/main.js/', '//main.js', '/ws/x'])(
    'has no %s',
    async (path) => {
      const response = await new TestApp().fetch(path);
      expect(response.status).toBe(404);
      expect(await response.text()).toBe('There is nothing at this path.\n');
      expect(response.headers.get('content-length')).toBe('31');
    },
  );
});

describe('a path that is read', () => {
  const paths = ['/', '/main.js', '/info', '/health'];

  it.each(paths)('%s answers HEAD with the headers of GET and nothing else', async (path) => {
    const test = new TestApp();
    const [get, head] = [await test.fetch(path), await test.fetch(path, { method: 'HEAD' })];
    expect(head.status).toBe(200);
    expect([...head.headers]).toEqual([...get.headers]);
    expect((await head.arrayBuffer()).byteLength).toBe(0);
    expect(head.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength));
  });

  it.each(paths)('%s answers 304 where the client has it already', async (path) => {
    const test = new TestApp();
    const etag = (await test.fetch(path)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{40}"$/);
    const response = await test.fetch(path, { headers: { 'if-none-match': etag } });
    expect(response.status).toBe(304);
    expect(response.headers.get('etag')).toBe(etag);
    expect(response.headers.has('content-security-policy')).toBe(true);
    expect(await response.text()).toBe('');
    expect((await test.fetch(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it.each(paths)('%s answers other methods 405, and says which are right', async (path) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await new TestApp().fetch(path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD');
      expect(await response.text()).toBe('This path can only be read, with GET or HEAD.\n');
    }
  });
});

describe('/info', () => {
  const info = async (settings: Partial<ServerOptions>, options: Partial<AppOptions> = {}) => {
    const response = await new TestApp(settings, options).fetch('/info');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    return response.json();
  };

  it('tells a client what it has to know, with times in seconds', async () => {
    expect(await info({ pingInterval: 1500, maxMessageSize: 4096, subprotocols: ['a', 'b'] }, { path: '/s' })).toEqual({
      runtime: 'Node',
      version: '26.1.0',
      engine: 'portable',
      workers: 1,
      path: '/s',
      pingInterval: 1.5,
      idleTimeout: 3,
      maxMessageSize: 4096,
      subprotocols: ['a', 'b'],
    });
  });

  it.each([{ pingInterval: 0 }, { liveness: 'off' }] as const)('asks for no messages with %j', async (settings) => {
    expect(await info(settings)).toMatchObject({ pingInterval: 0, idleTimeout: 0 });
  });
});

describe('one of several processes', () => {
  it('says how many there are, and how many connections they have in all', async () => {
    const test = new TestApp({}, { workers: 4, connections: async () => 23 });
    expect(await (await test.fetch('/info')).json()).toMatchObject({ workers: 4 });
    expect(await (await test.fetch('/health')).json()).toEqual({ status: 'ok', connections: 23 });
  });
});

describe('/health', () => {
  it('says how many connections there are', async () => {
    const test = new TestApp();
    test.open();
    test.open();
    const response = await test.fetch('/health');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ status: 'ok', connections: 2 });
  });
});

describe('the socket path', () => {
  it('answers a handshake with an upgrade, whose handler is the application’s', async () => {
    const test = new TestApp({ subprotocols: ['chat'] });
    const upgrade = (await test.answer(upgradeRequest({ 'sec-websocket-protocol': 'chat' }))) as Upgrade;
    expect(upgrade.protocol).toBe('chat');
    expect([...upgrade.headers]).toEqual([['sec-websocket-protocol', 'chat']]);
    const transport = new FakeTransport();
    const receiver = upgrade.open(transport);
    receiver.take('hello', true);
    await settle();
    expect(transport.sent).toEqual([['hello', true]]);
    expect(test.of('opened')).toMatchObject([{ remote: peer.address, path: '/ws', protocol: 'chat' }]);
  });

  it('may be any path', async () => {
    const test = new TestApp({}, { path: '/live/socket' });
    expect(await test.answer(upgradeRequest({}, '/live/socket'))).toHaveProperty('open');
    expect(await test.answer(upgradeRequest())).toMatchObject({ status: 404 });
  });

  it.each([
    ['GET', 400, null],
    ['POST', 400, null],
    ['HEAD', 400, null],
  ])('refuses a %s that is no handshake', async (method, status, allow) => {
    const test = new TestApp();
    const response = await test.fetch('/ws', { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('allow')).toBe(allow);
    expect(test.of('refused')).toMatchObject([{ status, remote: peer.address, origin: null }]);
  });

  it('refuses with a line that helps, and reports it', async () => {
    const test = new TestApp();
    const response = (await test.answer(upgradeRequest({ 'sec-websocket-version': '8' }))) as Response;
    const text = await response.text();
    expect(response.status).toBe(426);
    expect(response.headers.get('sec-websocket-version')).toBe('13');
    expect(response.headers.get('content-length')).toBe(String(text.length));
    expect(test.of('refused')).toMatchObject([{ status: 426, reason: text.trimEnd() }]);
    expect(test.of('opened')).toEqual([]);
  });

  it('refuses a handshake by another method than GET with 405', async () => {
    const request = upgradeRequest();
    Object.defineProperty(request, 'method', { value: 'POST' });
    const response = (await new TestApp().answer(request)) as Response;
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET');
  });
});

describe('while the server shuts down', () => {
  it.each(['/', '/info', '/health', '/ws', '/nothing'])('%s answers 503', async (path) => {
    const test = new TestApp();
    void test.server.shutdown();
    const response = await test.fetch(path);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await response.text()).toBe('The server is shutting down; try again later.\n');
  });
});

describe('middleware around the socket', () => {
  it('knows the peer, and sets headers that the upgrade is answered with', async () => {
    const test = ownApp(
      async (c, next) => {
        c.header('x-before', c.env.peer.address);
        await next();
        c.header('set-cookie', 'a=1', { append: true });
        c.header('set-cookie', 'b=2', { append: true });
      },
      { subprotocols: ['chat'] },
    );
    const upgrade = (await test.answer(upgradeRequest({ 'sec-websocket-protocol': 'chat' }))) as Upgrade;
    const headers = new Headers([...upgrade.headers]);
    expect(headers.get('x-before')).toBe(peer.address);
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers.get('sec-websocket-protocol')).toBe('chat');
  });

  it('may take compression back that was agreed on', async () => {
    const request = () => upgradeRequest({ 'sec-websocket-extensions': 'permessage-deflate' });
    const agreed = ownApp((_, next) => next(), { compression: true });
    const upgrade = (await agreed.answer(request())) as Upgrade;
    expect([...upgrade.headers]).toEqual([['sec-websocket-extensions', 'permessage-deflate']]);
    expect(upgrade.compression).toMatchObject({ serverMaxWindowBits: 15 });

    const test = ownApp(
      async (c, next) => {
        await next();
        c.res.headers.delete('sec-websocket-extensions');
      },
      { compression: true },
    );
    const plain = (await test.answer(request())) as Upgrade;
    expect([...plain.headers]).toEqual([]);
    expect(plain.compression).toBeUndefined();
  });

  it('sets headers that a refusal is answered with, too', async () => {
    const test = ownApp(async (c, next) => {
      c.header('x-request-id', '7');
      await next();
    });
    const { status, headers } = await test.fetch('/ws');
    expect(status).toBe(400);
    expect(headers.get('x-request-id')).toBe('7');
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('may refuse before the route', async () => {
    const test = ownApp(async (c) => c.text('who are you?', 401));
    const response = (await test.answer(upgradeRequest())) as Response;
    expect(response.status).toBe(401);
    expect(test.reports).toEqual([]);
  });

  it('may refuse after the route, and there is no upgrade then', async () => {
    const test = ownApp(async (c, next) => {
      await next();
      c.res = c.text('on second thoughts, no', 403);
    });
    const response = (await test.answer(upgradeRequest())) as Response;
    expect(response.status).toBe(403);
    expect(await response.text()).toBe('on second thoughts, no');
    // No place is kept for it either.
    expect(await test.server.shutdown()).toEqual({ closed: 0, terminated: 0 });
  });

  it('may take so long that no place is left', async () => {
    const test = ownApp(
      async (_, next) => {
        await next();
        test.open();
      },
      { maxConnections: 1 },
    );
    const response = (await test.answer(upgradeRequest())) as Response;
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(test.of('refused')).toMatchObject([{ status: 503, remote: peer.address }]);
  });
});

describe('a limit that other processes count against too', () => {
  /** So many places, and how often each was taken and given back. */
  class Shared implements Claim {
    free: number;
    asked = 0;
    /** Comes between the question and its answer. */
    meanwhile: () => unknown = () => {};

    constructor(free: number) {
      this.free = free;
    }

    async take(): Promise<boolean> {
      this.asked++;
      await this.meanwhile();
      return this.free > 0 && this.free-- > 0;
    }

    give(): void {
      this.free++;
    }
  }

  it('holds: who finds no place left is refused with 503', async () => {
    const shared = new Shared(1);
    const test = new TestApp({}, {}, undefined, shared);
    expect(await test.answer(upgradeRequest())).not.toBeInstanceOf(Response);
    expect((await test.answer(upgradeRequest())) as Response).toMatchObject({ status: 503 });
    expect(test.of('refused')).toMatchObject([{ status: 503, remote: peer.address }]);
    expect(shared.free).toBe(0);
  });

  it('is asked for a place only for what is accepted', async () => {
    const shared = new Shared(1);
    const test = new TestApp({}, {}, undefined, shared);
    await test.answer(upgradeRequest({ origin: 'https://other.test' }));
    await test.fetch('/info');
    expect(shared.asked).toBe(0);
  });

  it('has a place again when a connection is gone, or never came to be', async () => {
    const shared = new Shared(2);
    const test = new TestApp({}, {}, undefined, shared);
    const [first, second] = [await test.answer(upgradeRequest()), await test.answer(upgradeRequest())] as Upgrade[];
    expect(shared.free).toBe(0);
    second?.abandon();
    expect(shared.free).toBe(1);
    const receiver = first?.open(new FakeTransport());
    expect(shared.free).toBe(1);
    receiver?.over(1000, '');
    receiver?.over(1000, '');
    expect(shared.free).toBe(2);
  });

  it('gets a place back at once where the server shut down meanwhile', async () => {
    const shared = new Shared(1);
    const test = new TestApp({}, {}, undefined, shared);
    shared.meanwhile = () => test.server.shutdown();
    expect((await test.answer(upgradeRequest())) as Response).toMatchObject({ status: 503 });
    expect(shared.free).toBe(1);
  });
});

describe('an error in the application', () => {
  const failed = 'Something went wrong in the server.\n';

  it('is answered 500, says nothing of itself, and is reported', async () => {
    const test = new TestApp();
    const error = new Error('secret');
    test.app.get('/broken', () => {
      throw error;
    });
    const response = await test.fetch('/broken');
    expect(response.status).toBe(500);
    expect(await response.text()).toBe(failed);
    expect(response.headers.get('content-length')).toBe(String(failed.length));
    expect(test.reports).toEqual([{ event: 'handler-error', connection: null, error }]);
  });

  it('is answered 500 also where it is no Error, which Hono does not catch', async () => {
    const test = ownApp(async () => {
      throw 'a string';
    });
    const response = await test.fetch('/ws');
    expect(response.status).toBe(500);
    expect(await response.text()).toBe(failed);
    expect(test.reports).toEqual([{ event: 'handler-error', connection: null, error: 'a string' }]);
  });

  it('after the route means no upgrade', async () => {
    const test = new TestApp();
    const app = new Hono<AppEnv>();
    app.use(async (_, next) => {
      await next();
      throw new Error('too late');
    });
    app.onError((_, c) => c.text('mine', 500));
    app.route('/', test.app);
    const response = (await createAnswerer(app, test.server)(upgradeRequest(), peer)) as Response;
    expect(response.status).toBe(500);
    expect(test.of('opened')).toEqual([]);
  });
});
