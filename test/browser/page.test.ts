/** The page by itself, whatever serves it: keyboard, screen readers, small screens, wrong input, the log. */
import { createServer, type Server } from 'node:net';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ServerProcess, startServer, target } from '../support/server.ts';
import { EchoPage, launch, path, skipped } from './chromium.ts';

test.skipIf(skipped)('there is a Chromium to test with', () => {
  expect(path).toBeDefined();
});

describe.skipIf(skipped)('the page', () => {
  let browser: Browser;
  let server: ServerProcess;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(), startServer(target('node'))]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.stop()]);
  });

  async function open(options: BrowserContextOptions = {}): Promise<EchoPage> {
    const echo = await EchoPage.open(browser, server.url, options);
    onTestFinished(() => echo.close());
    return echo;
  }

  /** A TCP server that takes connections and never answers. */
  async function silence(): Promise<{ server: Server; url: string; drop: () => void }> {
    const sockets: { destroy: () => void }[] = [];
    const silent = createServer((socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const drop = () => {
      for (const socket of sockets) socket.destroy();
    };
    onTestFinished(() => {
      drop();
      silent.close();
    });
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { server: silent, url: `ws://127.0.0.1:${address.port}/`, drop };
  }

  /** Which controls can be used. */
  async function enabled(echo: EchoPage): Promise<string[]> {
    const controls = { url: echo.url, connect: echo.connect, message: echo.message, send: echo.send };
    const all = Object.entries({ ...controls, close: echo.closeSocket });
    const states = await Promise.all(all.map(async ([name, control]) => ((await control.isEnabled()) ? name : '')));
    return states.filter(Boolean);
  }

  test('lets only that be used which makes sense in each state', async () => {
    const echo = await open();
    const { url, drop } = await silence();
    expect(await enabled(echo)).toEqual(['url', 'connect']);
    await echo.url.fill(url);
    await echo.connect.click();
    await echo.isState('Connecting');
    expect(await enabled(echo)).toEqual([]);
    drop();
    await echo.isState('Closed');
    expect(await enabled(echo)).toEqual(['url', 'connect']);
    expect(await echo.ending()).toBe('Connection closed. Code: 1006. Reason: ');
    await echo.url.fill(server.wsUrl);
    await echo.open();
    expect(await enabled(echo)).toEqual(['message', 'send', 'close']);
  });

  test('shows Closing... until the server has answered the Close frame', async () => {
    const echo = await open();
    await echo.open();
    await echo.page.evaluate(`
      window.seen = [];
      new MutationObserver(() => seen.push(stateLabel.textContent)).observe(stateLabel, { childList: true });
    `);
    await echo.closeSocket.click();
    await echo.isState('Closed');
    expect(await echo.page.evaluate('seen')).toEqual(['Closing...', 'Closed']);
  });

  test.each([
    ['words', 'not an address'],
    ['no scheme', 'localhost:8080/ws'],
    ['a port out of range', 'ws://127.0.0.1:99999/ws'],
  ])('says what is wrong with an address that is %s, and stays ready', async (_, address) => {
    const echo = await open();
    await echo.url.fill(address);
    await echo.connect.click();
    expect(await echo.page.getByRole('alert').first().textContent()).toMatch(/address/);
    expect(await echo.state.textContent()).toBe('Ready to connect...');
    expect(await echo.url.getAttribute('aria-invalid')).toBe('true');
    expect(await enabled(echo)).toEqual(['url', 'connect']);
    expect(await echo.rows.count()).toBe(0);
    expect(echo.problems).toEqual([]);
    await echo.url.fill(server.wsUrl);
    expect(await echo.page.getByRole('alert').first().textContent()).toBe('');
    await echo.open();
  });

  test('says what is wrong with the names of subprotocols, and connects to nothing', async () => {
    const echo = await open();
    await echo.page.getByText('Subprotocols', { exact: true }).click();
    await echo.page.getByLabel('Subprotocols to offer').fill('two words');
    await echo.page.keyboard.press('Enter');
    await expect.poll(() => echo.page.getByRole('alert').first().textContent()).toMatch(/can’t connect/);
    expect(await echo.state.textContent()).toBe('Ready to connect...');
  });

  test('sends no hex that is none, and says what hex is', async () => {
    const echo = await open();
    await echo.open();
    await echo.sendAs.selectOption({ label: 'Binary, from hex' });
    await echo.message.fill('abc');
    await echo.send.click();
    expect(await echo.page.locator('#messageProblem').textContent()).toMatch(/pairs of the digits/);
    expect(await echo.rows.count()).toBe(1);
    await echo.message.fill('ab');
    expect(await echo.page.locator('#messageProblem').textContent()).toBe('');
  });

  test('can be used from connecting to closing by keyboard alone', async () => {
    const echo = await open();
    const { keyboard } = echo.page;
    await keyboard.press('Tab');
    expect(await echo.page.evaluate('document.activeElement.id')).toBe('connectionUrl');
    await keyboard.press('Enter');
    await echo.isState('Open');
    await keyboard.type('typed');
    await keyboard.press('Enter');
    await echo.rows.nth(2).waitFor();
    // What was sent is selected, so that typing replaces it.
    await keyboard.type('again');
    await keyboard.press('Enter');
    await echo.rows.nth(4).waitFor();
    expect(await echo.row(4)).toEqual(['Server', 'Client', 'again']);
    // Send as, Send, Close Socket.
    for (let i = 0; i < 3; i++) await keyboard.press('Tab');
    await keyboard.press('Space');
    await echo.isState('Closed');
    await keyboard.press('Enter');
    await echo.isState('Open');
  });

  test('gives every control, the log and the timer a name that screen readers can say', async () => {
    const echo = await open();
    await echo.open();
    const session = await echo.page.context().newCDPSession(echo.page);
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const roles = ['textbox', 'button', 'combobox', 'checkbox', 'switch', 'log', 'table', 'timer', 'progressIndicator'];
    const found = nodes.filter((node) => !node.ignored && roles.includes(node.role?.value));
    expect(found.filter((node) => !node.name?.value).map((node) => node.role?.value)).toEqual([]);
    expect(new Set(found.map((node) => node.role?.value)).size).toBeGreaterThanOrEqual(8);
    expect(await echo.page.getByRole('heading', { level: 1 }).textContent()).toBe('Echoline');
    expect(await echo.page.getByRole('columnheader').allInnerTexts()).toEqual(['From', 'To', 'Data', 'Time']);
    expect(await echo.page.locator('th:not([scope=col])').count()).toBe(0);
    expect(await echo.state.getAttribute('aria-live')).toBe('polite');
    expect(await echo.page.locator('html').getAttribute('lang')).toBe('en');
  });

  test('fits a phone without scrolling sideways, whatever is in the log', async () => {
    const echo = await open({ viewport: { width: 360, height: 740 } });
    await echo.open();
    await echo.echo('x'.repeat(500));
    await echo.echo('00'.repeat(200), 'Binary, from hex');
    await echo.closeSocket.click();
    await echo.isState('Closed');
    await echo.url.fill('wrong');
    await echo.connect.click();
    const widths = await echo.page.evaluate(
      '[document.documentElement, logScroller].map((e) => e.scrollWidth - e.clientWidth)',
    );
    expect(widths).toEqual([0, 0]);
    // What a finger is to hit is at least 24 pixels high and wide (WCAG 2.2, 2.5.8).
    for (const control of [echo.connect, echo.send, echo.heartbeat, echo.page.getByRole('button', { name: 'Clear' })]) {
      const box = await control.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
    }
  });

  test.each(['light', 'dark'] as const)(
    'has text that can be read in the %s scheme: contrast 4.5 or more',
    async (colorScheme) => {
      const echo = await open({ colorScheme });
      const page = await echo.page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(page).toBe(colorScheme === 'light' ? 'rgb(243, 245, 247)' : 'rgb(14, 20, 26)');
      const states = [await echo.page.evaluate(poorContrasts)];
      await echo.open();
      await echo.heartbeat.uncheck();
      await echo.heartbeat.check();
      await echo.rows.nth(2).waitFor();
      await echo.echo('00 ff', 'Binary, from hex');
      states.push(await echo.page.evaluate(poorContrasts));
      await echo.closeSocket.click();
      await echo.isState('Closed');
      await echo.url.fill('wrong');
      await echo.connect.click();
      states.push(await echo.page.evaluate(poorContrasts));
      expect(states).toEqual([[], [], []]);
    },
  );

  test.each([
    ['reduce', '0s'],
    ['no-preference', '0.12s'],
  ] as const)('moves nothing for whom motion is too much: %s', async (reducedMotion, duration) => {
    const echo = await open({ reducedMotion });
    const durations = await echo.page.evaluate(
      `[getComputedStyle(sendButton), getComputedStyle(document.querySelector('.switch input'), '::before')]
        .map((style) => style.transitionDuration)`,
    );
    expect(durations).toEqual([duration, duration]);
  });

  test('keeps the newest thousand rows, and follows them until its reader scrolls back', async () => {
    const echo = await open();
    await echo.open();
    const distance = 'logScroller.scrollHeight - logScroller.clientHeight - logScroller.scrollTop';
    await echo.page.evaluate("for (let i = 0; i < 600; i++) { sendMessage.value = 'n' + i; sendButton.click(); }");
    await echo.rows.filter({ hasText: 'n599' }).nth(1).waitFor();
    expect(await echo.rows.count()).toBe(1000);
    expect(await echo.rows.filter({ hasText: 'Connection opened' }).count()).toBe(0);
    await expect.poll(() => echo.page.evaluate(distance)).toBeLessThan(4);
    await echo.page.getByRole('button', { name: 'Clear' }).click();
    expect(await echo.rows.count()).toBe(0);
    await echo.page.evaluate('for (let i = 0; i < 50; i++) sendButton.click()');
    await echo.rows.nth(99).waitFor();
    await expect.poll(() => echo.page.evaluate(distance)).toBeLessThan(4);
    const scrolled = "new Promise((done) => logScroller.addEventListener('scroll', done, { once: true }))";
    await echo.page.evaluate(
      `(() => { const seen = ${scrolled}; logScroller.scrollTop = 100; return seen.then(() => 0); })()`,
    );
    await echo.echo('unseen');
    await echo.page.evaluate(
      'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))',
    );
    expect(await echo.page.evaluate('logScroller.scrollTop')).toBe(100);
  });

  test('stays of use in a flood of messages, changes the log once a frame, and loses count of none', async () => {
    const echo = await open();
    await echo.open();
    // Five hundred under way, each echo followed by the next message, until 10,000 have come and a click was heard.
    await echo.page.evaluate(`
      window.flood = { sent: 0, received: 0, clicked: false, changes: 0, frames: 0, most: 0 };
      const send = (socket) => socket.send('n' + ++flood.sent);
      new MutationObserver(() => {
        flood.changes++;
        flood.most = Math.max(flood.most, commsLog.rows.length);
      }).observe(commsLog, { childList: true });
      (function frame() { flood.frames++; requestAnimationFrame(frame); })();
      showHeartbeats.addEventListener('change', () => { flood.clicked = true; });
      const original = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        WebSocket.prototype.send = original;
        this.send(data);
        this.addEventListener('message', () => {
          flood.received++;
          if (flood.received < 10_000 || !flood.clicked) return send(this);
          flood.done = flood.received > flood.sent;
        });
        for (let i = 0; i < 500; i++) send(this);
      };
      sendMessage.value = 'n0';
      sendButton.click();
    `);
    await echo.page.getByLabel('Show heartbeats').click();
    await expect.poll(() => echo.page.evaluate('flood.done'), { timeout: 30_000 }).toBe(true);
    await echo.closeSocket.click();
    await echo.isState('Closed');
    const flood = await echo.page.evaluate<Record<string, number>>('flood');
    expect(flood.received).toBeGreaterThanOrEqual(10_000);
    expect(flood.most).toBeLessThanOrEqual(1000);
    expect(flood.changes).toBeLessThan((flood.received ?? 0) / 10);
    expect(await echo.page.locator('#logCount').textContent()).toBe(
      `1 sent, ${flood.received?.toLocaleString('en')} received`,
    );
    const texts = await echo.page.locator('#commsLog .text').allTextContents();
    const newest = Array.from({ length: 999 }, (_, i) => `n${(flood.sent ?? 0) - 998 + i}`);
    expect(texts).toEqual([...newest, 'Connection closed. Code: 1000. Reason: Closing from client']);
    await echo.page.getByRole('button', { name: 'Clear' }).click();
    expect(await echo.rows.count()).toBe(0);
    expect(await echo.page.locator('#logCount').textContent()).toBe('');
  });

  test('notes what happens while no frame is drawn', async () => {
    const echo = await open();
    await echo.page.evaluate('window.requestAnimationFrame = () => 0');
    await echo.open();
    await echo.echo('unseen');
    expect(await echo.row(2)).toEqual(['Server', 'Client', 'unseen']);
  });

  test.each([
    ['Text', 'x', 'x'.repeat(4096), '16,777,216 characters, the first 4,096 shown'],
    ['Binary, from text', 'x', Array(1024).fill('78').join(' '), 'binary, 16,777,216 bytes, the first 1,024 shown'],
    ['Binary, from hex', '00', Array(1024).fill('00').join(' '), 'binary, 16,777,216 bytes, the first 1,024 shown'],
  ])('sends and receives 16 MiB as %s and shows the beginning', async (as, unit, beginning, note) => {
    const echo = await open();
    await echo.open();
    await echo.sendAs.selectOption({ label: as });
    await echo.page.evaluate(`
      sendMessage.value = '${unit}'.repeat(16 * 1024 * 1024);
      sendMessage.dispatchEvent(new Event('input'));
    `);
    // The field itself would take seconds to lay out as much.
    expect(await echo.message.inputValue()).toBe('');
    expect(await echo.message.getAttribute('placeholder')).toMatch(/characters, too many to show$/);
    expect(await echo.page.locator('#messageProblem').textContent()).toBe('');
    await echo.send.click();
    const received = echo.rows.filter({ hasText: /^Server/ });
    await received.waitFor();
    expect(await received.locator('.text, .hex').first().textContent()).toBe(beginning);
    expect(await received.locator('.note').textContent()).toBe(note);
    await echo.message.press('Backspace');
    expect((await echo.echo('short')).received).toEqual(expect.arrayContaining(['Server', 'Client']));
  });

  test('keeps a long text that is pasted beside the field, with what is in the field already', async () => {
    const echo = await open();
    await echo.open();
    await echo.message.fill('before|after');
    await echo.page.evaluate(`
      sendMessage.setSelectionRange(7, 7);
      const data = 'y'.repeat(70_000);
      const paste = { inputType: 'insertFromPaste', data, cancelable: true, bubbles: true };
      sendMessage.dispatchEvent(new InputEvent('beforeinput', paste));
    `);
    expect(await echo.message.getAttribute('placeholder')).toBe('70,012 characters, too many to show');
    await echo.send.click();
    await echo.rows.nth(2).waitFor();
    expect((await echo.row(2))[2]).toMatch(/^before\|y+\n70,012 characters, the first 4,096 shown$/);
    await echo.message.fill('typed');
    expect(await echo.message.getAttribute('placeholder')).toBe('');
    await echo.send.click();
    await echo.rows.nth(4).waitFor();
    expect(await echo.row(4)).toEqual(['Server', 'Client', 'typed']);
  });

  test('says that it may be the subprotocols when a connection that offers some never opens', async () => {
    const echo = await open();
    await echo.page.getByText('Subprotocols', { exact: true }).click();
    await echo.page.getByLabel('Subprotocols to offer').fill('unknown');
    await echo.connect.click();
    await echo.isState('Closed');
    expect(await echo.ending()).toBe('Connection closed. Code: 1006. Reason: ');
    expect(await echo.rows.last().textContent()).toContain('agreed to none of the subprotocols');
  });

  test('gives each row the time, to the millisecond', async () => {
    const echo = await open();
    const before = Date.now();
    await echo.open();
    const time = echo.rows.first().locator('time');
    expect(await time.textContent()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
    const at = Date.parse((await time.getAttribute('datetime')) ?? '');
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  test('beats at once when the heartbeat is switched back on, and can leave heartbeats out of the log', async () => {
    const echo = await open();
    await echo.heartbeat.uncheck();
    await echo.open();
    expect(echo.page.workers()).toEqual([]);
    await echo.heartbeat.check();
    await echo.rows.nth(2).waitFor();
    expect(await echo.row(1)).toEqual(['Client', 'Server', 'ping']);
    expect(await echo.row(2)).toEqual(['Server', 'Client', 'ping']);
    expect(await echo.page.getByRole('timer').textContent()).toMatch(/^in (60|59|58) s$/);
    await echo.page.getByLabel('Show heartbeats').uncheck();
    expect(await echo.rows.nth(1).isVisible()).toBe(false);
    expect(await echo.rows.nth(2).isVisible()).toBe(false);
    expect(await echo.rows.nth(0).isVisible()).toBe(true);
    // A ping that a person sends is a message like any other.
    await echo.echo('ping');
    expect(await echo.rows.nth(4).isVisible()).toBe(true);
  });

  test('takes its heartbeat from a worker, whose timer no background tab slows, and ends it with the connection', async () => {
    const echo = await open();
    await echo.open();
    await expect.poll(() => echo.page.workers().map((worker) => new URL(worker.url()).pathname)).toEqual(['/timer.js']);
    await echo.closeSocket.click();
    await echo.isState('Closed');
    await expect.poll(() => echo.page.workers()).toEqual([]);
  });

  test('works with the usual settings, and says so, when the server does not tell its own', async () => {
    const echo = new EchoPage(await (await browser.newContext()).newPage());
    onTestFinished(() => echo.close());
    await echo.page.route('**/info', (route) => route.fulfill({ status: 500 }));
    await echo.page.goto(server.url);
    await echo.page.getByText('The server did not say').waitFor();
    await echo.open();
    expect((await echo.echo('hello')).received).toEqual(['Server', 'Client', 'hello']);
  });

  test('asks anew at each connection, for the server may have been restarted with other settings', async () => {
    const echo = new EchoPage(await (await browser.newContext()).newPage());
    onTestFinished(() => echo.close());
    await echo.page.route(
      '**/info',
      (route) => route.fulfill({ json: { path: '/ws', pingInterval: 7, idleTimeout: 14 } }),
      {
        times: 1,
      },
    );
    await echo.page.goto(server.url);
    await echo.page.getByText('14 s of silence').waitFor();
    await echo.open();
    await echo.page.getByText('60 s of silence').waitFor();
    await expect.poll(() => echo.page.getByRole('timer').textContent()).toMatch(/^in (60|59|58) s$/);
  });

  test('follows the server to another path, unless its user wrote an address', async () => {
    const echo = new EchoPage(await (await browser.newContext()).newPage());
    onTestFinished(() => echo.close());
    await echo.page.route('**/info', (route) => route.fulfill({ json: { path: '/old' } }), { times: 1 });
    await echo.goto(server.url);
    const old = server.wsUrl.replace(/ws$/, 'old');
    await expect.poll(() => echo.url.inputValue()).toBe(old);
    await echo.open();
    expect(await echo.url.inputValue()).toBe(server.wsUrl);
    await echo.closeSocket.click();
    await echo.isState('Closed');
    await echo.url.fill(old);
    await echo.connect.click();
    await echo.rows.filter({ hasText: 'Code: 1006' }).waitFor();
    expect(await echo.url.inputValue()).toBe(old);
  });
});

/** Run in the page: each element with text of its own whose colour is too near to what is behind it. */
const poorContrasts = `(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  for (const animation of document.getAnimations()) animation.finish();
  const poor = [];
  for (const element of document.body.querySelectorAll('*')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '');
    if (!(own || element.matches('input[type=text], select')) || !element.checkVisibility()) continue;
    const [a, b] = [luminance(numbers(getComputedStyle(element).color)), luminance(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) poor.push(element.outerHTML.slice(0, 80) + ' ' + contrast.toFixed(2));
  }
  return poor;
})()`;
