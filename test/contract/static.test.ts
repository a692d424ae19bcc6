/** The page's files: the same bytes and headers on every engine, and no way out of their folder. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exchange, type HttpResponse, RawSocket } from '../support/raw.ts';
import { currentTarget } from '../support/server.ts';
import { root } from '../support/target.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};
const files = readdirSync(`${root}/public`).filter((name) => types[name.split('.').at(-1) ?? ''] !== undefined);

const security = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

/** What a runtime's HTTP server adds by itself about the connection, not about the file. */
const byRuntime = new Set(['date', 'connection', 'keep-alive']);
const headersOf = (response: HttpResponse): Record<string, string> =>
  Object.fromEntries(
    response.headers.map(([name, value]) => [name.toLowerCase(), value]).filter(([name]) => !byRuntime.has(name ?? '')),
  );

const server = useServer(['--ping-interval', '20', '--subprotocol', 'chat', '--log', 'json']);
const ask = (line: string, headers: readonly string[] = []) =>
  exchange(
    server().port,
    `${line} HTTP/1.1\r\nHost: 127.0.0.1:${server().port}\r\n${headers.map((h) => `${h}\r\n`).join('')}\r\n`,
    { head: line.startsWith('HEAD') },
  );

describe.each(files)('%s', (name) => {
  const path = name === 'index.html' ? '/' : `/${name}`;
  const content = readFileSync(`${root}/public/${name}`);
  const etag = `"${createHash('sha1').update(content).digest('hex')}"`;
  const headers = {
    ...security,
    'content-type': types[name.split('.').at(-1) ?? ''],
    'content-length': String(content.length),
    'cache-control': 'no-cache',
    etag,
  };

  it('is served as it is in the folder, with exactly these headers', async () => {
    const response = await ask(`GET ${path}`);
    expect(response.statusLine).toBe('HTTP/1.1 200 OK');
    expect(headersOf(response)).toEqual(headers);
    expect(response.body.equals(content)).toBe(true);
  });

  it('answers HEAD with the same headers and no body', async () => {
    const response = await ask(`HEAD ${path}`, ['Connection: close']);
    expect(response.statusLine).toBe('HTTP/1.1 200 OK');
    expect(headersOf(response)).toEqual(headers);
  });

  it('answers 304 to who has it already, and 200 to who has another', async () => {
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await ask(`GET ${path}`, [`If-None-Match: ${value}`]);
      expect(response.status, value).toBe(304);
      expect(response.header('etag')).toBe(etag);
      expect(response.header('cache-control')).toBe('no-cache');
    }
    expect((await ask(`GET ${path}`, ['If-None-Match: "other"'])).status).toBe(200);
  });
});

describe('anything else', () => {
  it.each([
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '/%2e%2e%2fpackage.json',
    '/..\\package.json',
    '/..%5cpackage.json',
    '/./../package.json',
    '//package.json',
    '/main.js/../../package.json',
    '/main.js%00.html',
    '/tsconfig.json',
    '/.git/config',
    '/main.js/',
    '/nowhere',
  ])('is not there: %s', async (path) => {
    const response = await ask(`GET ${path}`);
    // What is no valid request target at all may be refused as such.
    expect([400, 404]).toContain(response.status);
    expect(response.body.toString()).not.toMatch(/echoline|compilerOptions|repositoryformatversion/);
  });

  it('is told in one plain line', async () => {
    const response = await ask('GET /nowhere');
    expect(response.statusLine).toBe('HTTP/1.1 404 Not Found');
    expect(response.body.toString()).toBe('There is nothing at this path.\n');
    expect(response.header('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('is not known of a server as a whole', async () => {
    const { statusLine, body } = await ask('OPTIONS *');
    const unknown = ['HTTP/1.1 404 Not Found', 'There is nothing at this path.\n'];
    const empty = ['HTTP/1.1 400 Bad Request', ''];
    expect([statusLine, body.toString()]).toEqual(deviates('options-of-all-answered') ? unknown : empty);
  });

  it.each(['POST', 'PUT', 'DELETE'])('answers %s of a file with 405 and what is allowed', async (method) => {
    const response = await ask(`${method} /`, ['Content-Length: 0']);
    expect(response.statusLine).toBe('HTTP/1.1 405 Method Not Allowed');
    expect(response.header('allow')).toBe('GET, HEAD');
  });
});

describe('a connection', () => {
  const request = (...headers: string[]) =>
    ['GET /nowhere HTTP/1.1', `Host: 127.0.0.1:${server().port}`, ...headers, '', ''].join('\r\n');

  // Over HTTP/2 it is the bridge's own.
  it.skipIf(currentTarget.http2)('is kept for another request, and each answer says for how long', async () => {
    const socket = await RawSocket.connect(server().port);
    for (let i = 0; i < 3; i++) {
      socket.send(request());
      const { status, header } = await socket.response();
      expect(status).toBe(404);
      const unsaid = [undefined, undefined];
      const said = ['keep-alive', expect.stringMatching(/^timeout=\d+$/)];
      expect([header('connection'), header('keep-alive')]).toEqual(deviates('keep-alive-unsaid') ? unsaid : said);
    }
    socket.destroy();
  });

  it('is ended by the server where the request says so', async () => {
    const socket = await RawSocket.connect(server().port);
    socket.send(request('Connection: close'));
    expect((await socket.response()).status).toBe(404);
    expect(await socket.ended).toBe('fin');
    socket.destroy();
  });
});

describe('GET /info', () => {
  it('tells the page what it needs', async () => {
    const response = await ask('GET /info');
    expect(response.header('content-type')).toBe('application/json');
    expect(response.header('cache-control')).toBe('no-store');
    expect(JSON.parse(response.body.toString())).toEqual({
      runtime: expect.stringMatching(new RegExp(`^${currentTarget.runtime}$`, 'i')),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      engine: currentTarget.engine,
      workers: 1,
      path: '/ws',
      pingInterval: 20,
      idleTimeout: 40,
      maxMessageSize: 16 * 1024 * 1024,
      subprotocols: ['chat'],
    });
  });
});

describe('GET /health', () => {
  it('tells that all is well', async () => {
    expect(JSON.parse((await ask('GET /health')).body.toString())).toEqual({ status: 'ok', connections: 0 });
  });
});
