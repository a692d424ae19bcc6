/** The page in a real Chromium against the server process of each runtime. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ServerProcess, startServer, target } from '../support/server.ts';
import { EchoPage, launch, skipped } from './chromium.ts';

describe.skipIf(skipped).each(['node', 'bun-native', 'deno-native'])('the page served by %s', (id) => {
  let browser: Browser;
  let server: ServerProcess;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(), startServer(target(id))]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.stop()]);
  });

  /** Opens the page of a server, for one test. */
  async function open(url = server.url): Promise<EchoPage> {
    const echo = await EchoPage.open(browser, url);
    onTestFinished(() => echo.close());
    return echo;
  }

  /** Starts a server with flags, for one test. */
  async function start(...flags: string[]): Promise<ServerProcess> {
    const own = await startServer(target(id), flags);
    onTestFinished(async () => own[Symbol.asyncDispose]());
    return own;
  }

  test('offers its own address, and says which runtime, version and engine answer', async () => {
    const echo = await open();
    const { runtime, engine } = target(id);
    expect(await echo.state.textContent()).toBe('Ready to connect...');
    expect(await echo.url.inputValue()).toBe(server.wsUrl);
    const facts = await echo.page.locator('#facts').textContent();
    expect(facts?.toLowerCase()).toMatch(new RegExp(`${runtime} \\d+\\.\\d+\\.\\d+, ${engine}`));
    expect(facts).toContain('16 MiB');
    expect(facts).toContain('60 s of silence');
  });

  test('echoes text and bytes, then closes as asked, without an error and with no request to elsewhere', async () => {
    const echo = await open();
    await echo.open();
    expect(await echo.row(0)).toEqual(['Connection opened']);
    expect(await echo.echo('Grüße, 世界 👋 <b>&amp;')).toEqual({
      sent: ['Client', 'Server', 'Grüße, 世界 👋 <b>&amp;'],
      received: ['Server', 'Client', 'Grüße, 世界 👋 <b>&amp;'],
    });
    expect((await echo.echo('')).received).toEqual(['Server', 'Client', 'empty message']);
    expect((await echo.echo('00 48 69 ff', 'Binary, from hex')).received).toEqual([
      'Server',
      'Client',
      '00 48 69 ff\n·Hi�\nbinary, 4 bytes',
    ]);
    expect((await echo.echo('é', 'Binary, from text')).received[2]).toBe('c3 a9\né\nbinary, 2 bytes');
    await echo.closeSocket.click();
    await echo.isState('Closed');
    expect(await echo.ending()).toBe('Connection closed. Code: 1000. Reason: Closing from client');
    expect(echo.problems).toEqual([]);
    expect(echo.strayRequests(new URL(server.url).host)).toEqual([]);
  });

  test('keeps its policy: nothing but what the server itself serves', async () => {
    const echo = await open();
    const response = await echo.page.reload();
    const policy = (await response?.headerValue('content-security-policy')) ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    await echo.page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/' }))");
    await expect.poll(() => echo.problems.join()).toContain('Content Security Policy');
  });

  test('stays connected by its heartbeat for longer than the idle timeout', async () => {
    const own = await start('--ping-interval', '0.4');
    const echo = await open(own.url);
    await echo.open();
    const beats = echo.rows.filter({ has: echo.page.locator('td:nth-child(3)', { hasText: /^ping$/ }) });
    // Each beat and its echo are two rows: five of them take 2 s, and the server would hang up after 0.8 s.
    await beats.nth(9).waitFor();
    expect(await echo.state.textContent()).toBe('Open');
    expect(await echo.page.getByRole('timer').textContent()).toMatch(/^in 0\.\d s$/);
    expect(echo.problems).toEqual([]);
  });

  test('shows the hang-up with code 3008 once the heartbeat is switched off', async () => {
    const own = await start('--ping-interval', '0.4');
    const echo = await open(own.url);
    await echo.open();
    await echo.heartbeat.uncheck();
    await echo.isState('Closed');
    expect(await echo.ending()).toBe('Connection closed. Code: 3008. Reason: idle timeout');
    await own.report({ event: 'ended', cause: 'idle-timeout' });
  });

  test('shows the shutdown of the server with code 1001', async () => {
    const own = await start();
    const echo = await open(own.url);
    await echo.open();
    const exit = own.stop('SIGTERM');
    await echo.isState('Closed');
    expect(await echo.ending()).toBe('Connection closed. Code: 1001. Reason: server shutting down');
    expect(await exit).toMatchObject({ code: 0 });
  });

  test('is refused when it was served by another origin, and shows the code 1006', async () => {
    const other = await start();
    for (const url of [other.url, server.url.replace('127.0.0.1', 'localhost')]) {
      const from = server.reports.length;
      const echo = await open(url);
      await echo.url.fill(server.wsUrl);
      await echo.connect.click();
      await echo.isState('Closed');
      expect(await echo.ending()).toBe('Connection closed. Code: 1006. Reason: ');
      await server.report({ event: 'refused', status: 403 }, { from });
      expect(await echo.connect.isEnabled()).toBe(true);
      expect(await echo.send.isEnabled()).toBe(false);
    }
  });

  test('connects when it is opened under another name of the same server', async () => {
    const echo = await open(server.url.replace('127.0.0.1', 'localhost'));
    expect(await echo.url.inputValue()).toBe(server.wsUrl.replace('127.0.0.1', 'localhost'));
    await echo.open();
    expect((await echo.echo('hello')).received).toEqual(['Server', 'Client', 'hello']);
  });

  test('warns of a message that is too large, and shows the code 1009 when it is sent all the same', async () => {
    const own = await start('--max-message-size', '1KiB');
    const echo = await open(own.url);
    await echo.open();
    await echo.message.fill('x'.repeat(1024));
    expect(await echo.page.locator('#messageProblem').textContent()).toBe('');
    await echo.message.fill('x'.repeat(1025));
    expect(await echo.page.locator('#messageProblem').textContent()).toContain('1009');
    await echo.send.click();
    await echo.isState('Closed');
    expect(await echo.ending()).toMatch(/^Connection closed\. Code: 1009\. Reason:/);
  });

  test('has its heartbeat off, and says why, when the server asks for none', async () => {
    const own = await start('--ping-interval', '0', '--subprotocol', 'chat');
    const echo = await open(own.url);
    expect(await echo.heartbeat.isDisabled()).toBe(true);
    expect(await echo.heartbeat.isChecked()).toBe(false);
    expect(await echo.page.locator('#heartbeatNote').textContent()).toContain('does not ask for a heartbeat');
    await echo.page.getByText('Subprotocols', { exact: true }).first().click();
    await echo.page.getByLabel('Subprotocols to offer').fill('news, chat');
    await echo.open();
    expect(await echo.row(0)).toEqual(['Connection opened\nSubprotocol: chat']);
    expect(await echo.page.getByRole('timer').textContent()).toBe('none');
    expect(echo.page.workers()).toEqual([]);
  });
});
