/** Ending the server: signals, what clients are told, and what is reported. */
import { describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { exchange, frame, opcode, openRaw, RawSocket, upgradeRequest } from '../support/raw.ts';
import { currentTarget, startServer } from '../support/server.ts';
import { within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { dropsClients } from './use-server.ts';

describe.concurrent('a server', () => {
  dropsClients(true);

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s closes all with 1001, reports the counts and exits 0',
    async (signal) => {
      await using server = await startServer(currentTarget);
      const clients = await Promise.all(Array.from({ length: 20 }, () => openClient(server.wsUrl)));
      await clients[0]?.echo('hello');
      const exited = server.stop(signal);
      for (const client of clients) {
        expect(await within(5000, 'the close', client.closed)).toEqual({ code: 1001, reason: 'server shutting down' });
      }
      expect(await exited).toEqual({ code: 0, signal: null });
      expect(server.reports.filter((report) => report.event === 'shutdown')).toMatchObject([
        { closed: 20, terminated: 0 },
      ]);
      const ends = server.reports.filter((report) => report.event === 'ended');
      expect(ends.length).toBe(20);
      expect(ends.every((end) => end.cause === 'shutdown' && end.code === 1001)).toBe(true);
      expect(server.errors).toEqual([]);
    },
  );

  it('takes a SIGINT that comes twice at once, as from a terminal and from npm, for one', async () => {
    await using server = await startServer(currentTarget);
    const client = await openClient(server.wsUrl);
    server.kill('SIGINT');
    const exited = server.stop('SIGINT');
    expect(await within(5000, 'the close', client.closed)).toEqual({ code: 1001, reason: 'server shutting down' });
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  it('serves on, and ends in order, when nobody reads its output any more', async () => {
    await using server = await startServer(currentTarget);
    server.loseOutput();
    for (let i = 0; i < 3; i++) {
      const client = await openClient(server.wsUrl);
      expect((await client.echo('still there')).data.toString()).toBe('still there');
      await client.close();
    }
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('without connections exits at once', async () => {
    await using server = await startServer(currentTarget);
    const start = performance.now();
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(1500);
    expect(server.reports.at(-1)).toMatchObject({ event: 'shutdown', closed: 0, terminated: 0 });
  });

  it('is not held up by an idle HTTP connection', async () => {
    await using server = await startServer(currentTarget);
    const idle = await RawSocket.connect(server.port);
    idle.send(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    expect((await idle.response()).status).toBe(200);
    const half = await RawSocket.connect(server.port);
    half.send('GET / HT');
    const start = performance.now();
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - start).toBeLessThan(2500);
  });

  it('terminates after --shutdown-timeout who does not answer, and answers new requests 503 until then', async () => {
    await using server = await startServer(currentTarget, ['--shutdown-timeout', '1.5']);
    const host = `127.0.0.1:${server.port}`;
    const stubborn = await openRaw(server.port);
    const polite = await openClient(server.wsUrl);
    // A connection that was there before: whether a listener still takes new ones is the runtime's affair.
    const earlier = await RawSocket.connect(server.port);
    earlier.send(`GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect((await earlier.response()).status).toBe(200);
    const start = performance.now();
    const exited = server.stop('SIGTERM');
    expect(await stubborn.closeFrame()).toEqual({ code: 1001, reason: 'server shutting down' });
    if (!deviates('never-awaits-peer-close')) {
      const answer = await (async () => {
        try {
          return await exchange(server.port, upgradeRequest(host));
        } catch {
          earlier.send(upgradeRequest(host));
          return await earlier.response();
        }
      })();
      expect(answer.status).toBe(503);
      expect(answer.header('retry-after')).toBe('10');
      expect(answer.body.toString()).toBe('The server is shutting down; try again later.\n');
    }
    expect((await polite.closed).code).toBe(1001);
    expect(await exited).toEqual({ code: 0, signal: null });
    const took = performance.now() - start;
    const counts = server.reports.find((report) => report.event === 'shutdown');
    if (deviates('never-awaits-peer-close')) expect(counts).toMatchObject({ closed: 2, terminated: 0 });
    else {
      expect(counts).toMatchObject({ closed: 1, terminated: 1 });
      expect(took).toBeGreaterThanOrEqual(1450);
    }
    expect(took).toBeLessThan(3500);
    await stubborn.ended;
  });

  it('on a second signal exits at once with 130', async () => {
    await using server = await startServer(currentTarget, ['--shutdown-timeout', '30']);
    const stubborn = await openRaw(server.port);
    // A client that reads nothing holds every engine up.
    stubborn.socket.pause();
    for (let i = 0; i < 200; i++) stubborn.send(frame(opcode.binary, Buffer.alloc(64 * 1024)));
    await server.report({ event: 'opened' });
    server.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const start = performance.now();
    const exit = await server.stop('SIGTERM');
    expect(exit).toEqual({ code: deviates('never-awaits-peer-close') ? 0 : 130, signal: null });
    expect(performance.now() - start).toBeLessThan(1500);
  });
});
