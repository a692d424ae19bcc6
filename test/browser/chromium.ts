/**
 * A real Chromium for the browser suite, and the page of Echoline in it as a person sees it.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';

/** Where Chromium is: what CHROMIUM names, or where distributions put it. */
export const path = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((candidate) => candidate !== undefined && existsSync(candidate));

/** Whether the browser tests are skipped: there is no Chromium, and this is no CI, where its lack is a failure. */
export const skipped = path === undefined && !process.env.CI;
if (skipped) console.warn('No Chromium found: the browser tests are skipped. Install it, or name it in CHROMIUM.');

/** Starts Chromium, with a new empty profile and deaf to all hosts but this one. @param more - Further switches. */
export async function launch(...more: readonly string[]): Promise<Browser> {
  if (path === undefined) throw new Error('No Chromium found. Install it, or name it in the variable CHROMIUM.');
  return chromium.launch({
    executablePath: path,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
      ...more,
    ],
  });
}

/** What one row of the log says, column by column; a row about the connection has `Data` and `Time` only. */
export type Row = readonly string[];

/** The page, opened in a browser of its own. */
export class EchoPage {
  readonly page: Page;
  readonly state: Locator;
  readonly url: Locator;
  readonly connect: Locator;
  readonly message: Locator;
  readonly sendAs: Locator;
  readonly send: Locator;
  readonly closeSocket: Locator;
  readonly heartbeat: Locator;
  readonly rows: Locator;
  /** Errors of the script and of the browser's console; a violation of the Content-Security-Policy is one. */
  readonly problems: string[] = [];
  /** The addresses of all requests and WebSockets. */
  readonly requests: string[] = [];

  constructor(page: Page) {
    this.page = page;
    this.state = page.getByRole('status').first();
    this.url = page.getByLabel('WebSocket Server URL:');
    this.connect = page.getByRole('button', { name: 'Connect', exact: true });
    this.message = page.getByLabel('Message to send:');
    this.sendAs = page.getByLabel('Send as:');
    this.send = page.getByRole('button', { name: 'Send', exact: true });
    this.closeSocket = page.getByRole('button', { name: 'Close Socket' });
    this.heartbeat = page.getByRole('switch', { name: 'Heartbeat' });
    this.rows = page.getByRole('table', { name: 'Communication Log' }).locator('tbody tr');
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
  }

  /** Opens the page and waits until it has heard what the server says of itself. */
  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<EchoPage> {
    const echo = new EchoPage(await (await browser.newContext(options)).newPage());
    await echo.goto(url);
    return echo;
  }

  async goto(url: string): Promise<void> {
    const informed = this.page.waitForEvent('requestfinished', (request) => request.url().endsWith('/info'));
    await Promise.all([informed, this.page.goto(url)]);
    await this.page.getByText('Runtime and engine').waitFor();
  }

  /** Waits for the state line to say exactly this. */
  async isState(text: string): Promise<void> {
    await this.page.locator('#stateLabel', { hasText: new RegExp(`^${text.replaceAll('.', '\\.')}$`) }).waitFor();
  }

  /** Connects to the address in the field and waits until the connection is open. */
  async open(): Promise<void> {
    await this.connect.click();
    await this.isState('Open');
  }

  /** Sends a message and waits for its echo to be in the log. */
  async echo(text: string, as = 'Text'): Promise<{ sent: Row; received: Row }> {
    const before = await this.rows.count();
    await this.sendAs.selectOption({ label: as });
    await this.message.fill(text);
    await this.send.click();
    await this.rows.nth(before + 1).waitFor();
    return { sent: await this.row(before), received: await this.row(before + 1) };
  }

  /** The texts of one row's cells, without the time. */
  async row(index: number): Promise<Row> {
    return (await this.rows.nth(index).locator('td:not(.when)').allInnerTexts()).map((text) => text.trim());
  }

  /** Waits for the row that says how the connection ended, and answers what it says, without the explanation. */
  async ending(): Promise<string> {
    const ending = this.rows.filter({ hasText: 'Connection closed.' }).last();
    await ending.waitFor();
    return (await ending.locator('.text').textContent()) ?? '';
  }

  /** The requests that went to another host than this one. */
  strayRequests(host: string): string[] {
    return this.requests.filter((url) => new URL(url).host !== host);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
