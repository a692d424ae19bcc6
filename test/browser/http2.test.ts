/** Chromium and HTTP/2: the page and its sockets on one session, as Chromium's own log of the network has it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { startServer, target } from '../support/server.ts';
import { readingCertificates, tlsFlags } from '../support/tls.ts';
import { EchoPage, launch, skipped } from './chromium.ts';

const SOCKETS = 50;
const MESSAGES = 200;

/** The part of a netlog that is read here. */
interface NetLog {
  readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> };
  readonly events: readonly {
    readonly type: number;
    readonly source: { readonly id: number };
    readonly params?: { readonly headers?: readonly string[] };
  }[];
}

/** Chromium that takes the tests' certificates, and writes down what it does on the network. */
const listeningIn = (log: string) =>
  launch('--ignore-certificate-errors', `--log-net-log=${log}`, '--net-log-capture-mode=Everything');

/** Runs in the page: opens sockets, sends on each one message after the other, and counts the echoes that are right. */
const exchange = async ([url, sockets, messages]: readonly [string, number, number]) => {
  const one = (id: number) =>
    new Promise<{ right: number; code: number }>((resolve) => {
      const socket = new WebSocket(url);
      let right = 0;
      socket.onopen = () => {
        for (let n = 0; n < messages; n++) socket.send(`${id}:${n}`);
      };
      socket.onmessage = ({ data }) => {
        if (data === `${id}:${right}`) right++;
        if (right === messages) socket.close(4000, 'done');
      };
      socket.onclose = ({ code }) => resolve({ right, code });
    });
  return Promise.all(Array.from({ length: sockets }, (_, id) => one(id)));
};

/** The ids of the HTTP/2 sessions that sent headers with all of these lines, once for each time. */
function sessionsThatSent(log: NetLog, ...lines: readonly string[]): number[] {
  const type = log.constants.logEventTypes.HTTP2_SESSION_SEND_HEADERS;
  const sent = log.events.filter((event) => event.type === type);
  return sent
    .filter(({ params }) => lines.every((line) => params?.headers?.includes(line)))
    .map(({ source }) => source.id);
}

describe.skipIf(skipped).each(['node', 'bun-portable', 'deno-portable'])('Chromium and %s', (id) => {
  test(`load the page and echo ${SOCKETS * MESSAGES} messages on ${SOCKETS} sockets over one HTTP/2 session`, async () => {
    const folder = mkdtempSync(`${tmpdir()}/echoline-netlog-`);
    try {
      await using server = await startServer(readingCertificates(target(id)), ['--http2', ...tlsFlags()]);
      const browser = await listeningIn(`${folder}/netlog.json`);
      try {
        const echo = await EchoPage.open(browser, server.url, { ignoreHTTPSErrors: true });
        expect(await echo.url.inputValue()).toBe(server.wsUrl);
        await echo.open();
        expect((await echo.echo('over h2')).received).toEqual(['Server', 'Client', 'over h2']);
        const results = await echo.page.evaluate(exchange, [server.wsUrl, SOCKETS, MESSAGES] as const);
        expect(results).toEqual(Array.from({ length: SOCKETS }, () => ({ right: MESSAGES, code: 4000 })));
        await echo.closeSocket.click();
        await echo.isState('Closed');
        expect(await echo.ending()).toBe('Connection closed. Code: 1000. Reason: Closing from client');
        expect(echo.problems).toEqual([]);
      } finally {
        await browser.close();
      }
      const log: NetLog = JSON.parse(readFileSync(`${folder}/netlog.json`, 'utf8'));
      const [page] = sessionsThatSent(log, ':method: GET', ':path: /');
      expect(page).toBeDefined();
      const sockets = sessionsThatSent(log, ':method: CONNECT', ':protocol: websocket', ':path: /ws');
      expect(sockets).toEqual(Array.from({ length: SOCKETS + 1 }, () => page));
      const ends = server.reports.filter(({ event }) => event === 'ended');
      expect(ends.every(({ cause }) => cause === 'client-close')).toBe(true);
      // One address: one connection.
      expect(new Set(server.reports.filter(({ event }) => event === 'opened').map(({ remote }) => remote)).size).toBe(
        1,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
