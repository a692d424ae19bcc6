/** TLS: the page and WebSockets on it, and a new certificate while it runs. */
import { appendFileSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { RawSocket } from '../support/raw.ts';
import { currentTarget, startServer } from '../support/server.ts';
import { first, readingCertificates, second, shownBy, tlsFlags } from '../support/tls.ts';
import { until, within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { dropsClients, useServer } from './use-server.ts';

const insecure = { rejectUnauthorized: false };
let temporary = '';
beforeAll(() => {
  temporary = mkdtempSync(`${tmpdir()}/echoline-tls-`);
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
const target = () => readingCertificates(currentTarget, temporary);

/** Asks with TLS. */
function fetchPage(url: string): Promise<{ status: number | undefined; body: string }> {
  return within(
    5000,
    'an answer',
    new Promise((resolve, reject) => {
      get(url, { ...insecure, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body }));
      }).on('error', reject);
    }),
  );
}

describe('a server with a certificate', () => {
  let port = 0;
  let url = '';
  let stop: () => Promise<unknown> = async () => {};
  let lines: string[] = [];
  beforeAll(async () => {
    const server = await startServer(target(), ['--log', 'pretty'], {
      env: { TLS_CERT: first.certFile, TLS_KEY: first.keyFile },
    });
    ({ port, url, lines } = server);
    stop = () => server.stop('SIGKILL');
  });
  afterAll(() => stop());
  dropsClients();

  it('says https in its ready line', () => {
    expect(lines[0]).toContain(`https://127.0.0.1:${port} `);
    expect(lines[0]).toContain(`${currentTarget.engine} engine`);
  });

  it('shows its certificate', async () => {
    expect((await shownBy(port)).name).toBe(first.name);
  });

  it('serves the page', async () => {
    const page = await fetchPage(url);
    expect(page.status).toBe(200);
    expect(page.body).toContain('WebSocket Server URL:');
    expect((await fetchPage(`${url}/nothing`)).status).toBe(404);
  });

  it('echoes, small and large, and closes with the client’s code', async () => {
    const client = await openClient(`wss://127.0.0.1:${port}/ws`, insecure);
    for (const size of [0, 5, 200, 70_000, 4 * 1024 * 1024]) {
      const { data } = await client.echo(Buffer.alloc(size, 'echo'));
      expect(data.equals(Buffer.alloc(size, 'echo'))).toBe(true);
    }
    expect(await client.close(4321, 'bye')).toEqual({ code: 4321, reason: 'bye' });
  });

  it('takes pages of its own https address, and no others', async () => {
    await openClient(`wss://127.0.0.1:${port}/ws`, { ...insecure, origin: url });
    await expect(
      openClient(`wss://127.0.0.1:${port}/ws`, { ...insecure, origin: 'https://evil.example' }),
    ).rejects.toMatchObject({ status: 403 });
  });

  it('drops who speaks no TLS, and goes on', async () => {
    const plain = await RawSocket.connect(port);
    plain.send(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    expect((await plain.rest()).toString('latin1')).not.toMatch(/^HTTP\/1\.1 200/);
    const broken = await RawSocket.connect(port);
    broken.send(Buffer.from('16030100050100000100', 'hex'));
    broken.end();
    await within(5000, 'the end', broken.ended);
    expect((await fetchPage(`${url}/health`)).status).toBe(200);
  });
});

describe('without a certificate', () => {
  const server = useServer();

  it('the ready line says http', () => {
    expect(server().url).toMatch(/^http:/);
  });
});

describe.concurrent('the ready line warns of CRIME and BREACH', () => {
  const note = async (flags: readonly string[]): Promise<unknown> => {
    await using server = await startServer(target(), flags);
    return server.reports[0]?.note;
  };

  it.runIf(!deviates('no-compression'))('where compression meets TLS', async () => {
    expect(await note(['--compression', ...tlsFlags()])).toMatch(/CRIME, BREACH/);
  });

  it.runIf(!deviates('no-http2'))('where it meets a proxy that ends TLS', async () => {
    expect(await note(['--compression', '--http2-cleartext'])).toMatch(/CRIME, BREACH/);
    expect(await note(['--http2-cleartext'])).toBeUndefined();
  });

  it('and nowhere else', async () => {
    if (!deviates('no-compression')) expect(await note(['--compression'])).toBeUndefined();
    expect(await note(tlsFlags())).toBeUndefined();
  });
});

describe('SIGHUP', () => {
  dropsClients();

  /** Starts a server with files of its own. */
  async function start() {
    const files = { certFile: `${temporary}/own.cert.pem`, keyFile: `${temporary}/own.key.pem` };
    const put = (from: { certFile: string; keyFile: string }) => {
      copyFileSync(from.certFile, files.certFile);
      copyFileSync(from.keyFile, files.keyFile);
    };
    put(first);
    const server = await startServer(target(), tlsFlags(files));
    return { server, files, put };
  }

  it.runIf(!deviates('no-certificate-reload'))('gives new connections a new certificate, and drops none', async () => {
    const { server, put } = await start();
    await using _ = server;
    const before = await openClient(server.wsUrl, insecure);
    for (const [count, next] of [second, first, second].entries()) {
      put(next);
      const from = server.reports.length;
      server.kill('SIGHUP');
      await server.report({ event: 'certificate', reloaded: true }, { from });
      expect((await shownBy(server.port)).name).toBe(next.name);
      expect((await before.echo(`${count}`)).data.toString()).toBe(`${count}`);
      const after = await openClient(server.wsUrl, insecure);
      expect((await after.echo('after')).data.toString()).toBe('after');
    }
    const exited = server.stop('SIGTERM');
    expect(await within(5000, 'the close', before.closed)).toEqual({ code: 1001, reason: 'server shutting down' });
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  // How many Bun's native engine loses is a matter of chance, and it may be none.
  const keepsArrivals = !deviates('no-certificate-reload') && !deviates('reload-resets-arrivals');
  it.runIf(keepsArrivals)('loses none of those that arrive meanwhile', async () => {
    const { server, put } = await start();
    await using _ = server;
    let arrive = true;
    let count = 0;
    const arrivals = Array.from({ length: 4 }, async () => {
      for (; arrive; count++) await shownBy(server.port);
    });
    for (let i = 0; i < 10; i++) {
      put(i % 2 === 0 ? second : first);
      const from = server.reports.length;
      server.kill('SIGHUP');
      await server.report({ event: 'certificate', reloaded: true }, { from });
      const before = count;
      await until(5000, 'more have arrived', () => count > before + 4);
    }
    arrive = false;
    await Promise.all(arrivals);
  });

  it.each<[string, RegExp, (files: { certFile: string; keyFile: string }) => void]>([
    ['has another key', /is not the key of/, ({ keyFile }) => copyFileSync(second.keyFile, keyFile)],
    ['is followed by half of one', /cut off/, ({ certFile }) => appendFileSync(certFile, second.cert.slice(0, 300))],
  ])('keeps the old certificate where the new one %s, and says why', async (_, says, spoil) => {
    const { server, files } = await start();
    await using _server = server;
    spoil(files);
    server.kill('SIGHUP');
    const { reason } = await server.report({ event: 'certificate', reloaded: false });
    // Deno's native engine can't take another, right or wrong.
    expect(reason).toMatch(deviates('no-certificate-reload') ? /--engine portable/ : says);
    expect((await shownBy(server.port)).name).toBe(first.name);
    const client = await openClient(server.wsUrl, insecure);
    expect((await client.echo('still here')).data.toString()).toBe('still here');
  });
});
