/** Silence: the 2·X rule and keep-alive, which are never mixed up. Time is the subject here, so these tests wait. */
import { execFileSync, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, openClient } from '../support/client.ts';
import { Lag } from '../support/lag.ts';
import { closePayload, frame, opcode, openRaw, type RawSocket } from '../support/raw.ts';
import { currentTarget, startServer } from '../support/server.ts';
import { pass, until, within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

// The tests of this file wait at the same time. All of their servers run before the first clock is read.
const shared = { concurrent: true };
const oneSecond = useServer(['--ping-interval', '1', '--keep-alive-interval', '0'], shared);
const noInterval = useServer(['--ping-interval', '0', '--keep-alive-interval', '0'], shared);
const switchedOff = useServer(['--ping-interval=0.2', '--liveness=off', '--keep-alive-interval=0'], shared);
const keepAlive = useServer(['--ping-interval', '0', '--keep-alive-interval', '0.5'], shared);
const both = useServer(['--ping-interval', '1', '--keep-alive-interval', '0.4'], shared);

const framesFlags = ['--ping-interval', '1', '--liveness', 'frames', '--keep-alive-interval', '0'];
const frames = deviates('no-liveness-frames') ? undefined : useServer(framesFlags, shared);
const timeoutFlags = ['--ping-interval=0', '--keep-alive-interval=0.4', '--keep-alive-timeout=0.2'];
const pongTimeout = deviates('no-keep-alive-timeout') ? undefined : useServer(timeoutFlags, shared);

let lag: Lag;
beforeAll(() => {
  lag = new Lag();
});
afterAll(() => lag.stop());

/** When something happened in the server: between two moments here. */
interface Moment {
  readonly before: number;
  readonly after: number;
}

async function moment(happens: () => Promise<unknown>): Promise<Moment> {
  const before = performance.now();
  await happens();
  return { before, after: performance.now() };
}

/** A silence that just ended must have lasted for 2·X, and no more than 5 % longer, or 50 ms where that is more. */
function expectOnTime(since: Moment, idleTimeout: number): void {
  const now = performance.now();
  expect(now - since.before).toBeGreaterThanOrEqual(idleTimeout - 2);
  // The way to us, and what this machine adds.
  const travel = 20 + 2 * lag.most;
  expect(now - since.after).toBeLessThanOrEqual(idleTimeout + Math.max(idleTimeout * 0.05, 50) + travel);
}

async function say(socket: RawSocket): Promise<void> {
  socket.send(frame(opcode.text, 'here'));
  await socket.message();
}

describe.concurrent('with X = 1 s', () => {
  it('a client that says nothing is ended between 2·X and 5 % more', async () => {
    let socket!: RawSocket;
    const opened = await moment(async () => {
      socket = await openRaw(oneSecond().port);
    });
    expect(await socket.closeFrame()).toEqual({ code: 3008, reason: 'idle timeout' });
    expectOnTime(opened, 2000);
    const ended = await oneSecond().report({ event: 'ended', remote: socket.address });
    expect(ended).toMatchObject({ cause: 'idle-timeout', code: 3008, reason: 'idle timeout', lastMessageMs: null });
    expect(ended.durationMs).toBeGreaterThanOrEqual(1998);
    expect(ended.durationMs).toBeLessThanOrEqual(2102 + 2 * lag.most);
  });

  it('the time counts from the last message, and the report says how long ago that was', async () => {
    const socket = await openRaw(oneSecond().port);
    for (let i = 0; i < 3; i++) {
      await pass(600);
      await say(socket);
    }
    const last = await moment(() => say(socket));
    expect((await socket.closeFrame()).code).toBe(3008);
    expectOnTime(last, 2000);
    const ended = await oneSecond().report({ event: 'ended', remote: socket.address });
    expect(ended.cause).toBe('idle-timeout');
    expect(ended.lastMessageMs).toBeGreaterThanOrEqual(1900);
    // Accurate to a tenth of a second.
    expect(ended.lastMessageMs).toBeLessThanOrEqual(2220 + 2 * lag.most);
    expect(ended.durationMs).toBeGreaterThanOrEqual(3795);
  });

  it('PONGs, PINGs and parts of a message do not count', async () => {
    const socket = await openRaw(oneSecond().port);
    const opened = performance.now();
    const closed = socket.closeFrame();
    socket.send(frame(opcode.text, 'never finished', { fin: false }));
    for (let i = 0; i < 3; i++) {
      await pass(500);
      socket.send(frame(opcode.pong, 'x'));
      socket.send(frame(opcode.ping, 'x'));
    }
    expect((await closed).code).toBe(3008);
    expect(performance.now() - opened).toBeLessThanOrEqual(2120 + 2 * lag.most);
  });

  it('a client that sends every X seconds lives', async () => {
    const client = await openClient(oneSecond().wsUrl);
    for (let i = 0; i < 4; i++) {
      await pass(1000);
      await client.echo('ping');
    }
    expect(client.ws.readyState).toBe(client.ws.OPEN);
  });

  it('a client that does not answer the Close is dropped', async () => {
    const socket = await openRaw(oneSecond().port);
    expect((await socket.closeFrame()).code).toBe(3008);
    if (deviates('no-terminate')) {
      await expect(within(3000, 'an end', socket.ended)).rejects.toThrow('waited');
      socket.send(frame(opcode.close, closePayload(3008)));
    }
    await within(5000, 'the end', socket.ended);
  });
});

describe.concurrent('nobody is ended for silence', () => {
  it.each([
    ['--ping-interval 0', noInterval],
    ['--liveness off', switchedOff],
  ])('with %s', async (_, server) => {
    const socket = await openRaw(server().port);
    await pass(1500);
    await say(socket);
  });
});

describe.concurrent('with --liveness frames', () => {
  if (frames === undefined) {
    it('the native engine does not start', async () => {
      await expect(startServer(currentTarget, framesFlags)).rejects.toThrow(/portable/);
    });
    return;
  }

  it('a PONG keeps a client alive, and silence ends it', async () => {
    const socket = await openRaw(frames().port);
    for (let i = 0; i < 3; i++) {
      await pass(900);
      socket.send(frame(opcode.pong));
    }
    const last = await moment(async () => {});
    expect((await socket.closeFrame()).code).toBe(3008);
    expectOnTime(last, 2000);
  });
});

describe.concurrent('keep-alive', () => {
  it('sends an empty PING at every interval', async () => {
    const socket = await openRaw(keepAlive().port);
    let last = performance.now();
    for (let i = 0; i < 3; i++) {
      const next = await socket.frame();
      expect([next.opcode, next.payload.length]).toEqual([opcode.ping, 0]);
      const gap = performance.now() - last;
      last = performance.now();
      expect(gap).toBeGreaterThanOrEqual(480 - 2 * lag.most);
      // Nothing depends on a PING being quick, but none may be left out.
      expect(gap).toBeLessThanOrEqual(950 + 2 * lag.most);
      socket.send(frame(opcode.pong, next.payload));
    }
  });

  it('sends PINGs to a client that is busy, too', async () => {
    const socket = await openRaw(keepAlive().port);
    let pings = 0;
    const end = performance.now() + 2500;
    while (performance.now() < end) {
      socket.send(frame(opcode.text, 'busy'));
      for (let next = await socket.frame(); next.opcode !== opcode.text; next = await socket.frame()) {
        if (next.opcode !== opcode.ping) continue;
        pings++;
        socket.send(frame(opcode.pong, next.payload));
      }
      await pass(50);
    }
    if (deviates('keep-alive-only-when-silent')) expect(pings).toBe(0);
    else expect(pings).toBeGreaterThanOrEqual(2);
  });

  it('does not count as a message: a client that only answers PINGs is ended after 2·X', async () => {
    let client!: Client;
    const opened = await moment(async () => {
      client = await openClient(both().wsUrl); // answers PINGs by itself
    });
    let pings = 0;
    client.ws.on('ping', () => pings++);
    await new Promise((resolve) => client.ws.once('close', resolve));
    expectOnTime(opened, 2000);
    expect((await client.closed).code).toBe(3008);
    expect(pings).toBeGreaterThanOrEqual(3);
  });

  if (pongTimeout === undefined) {
    it('with --keep-alive-timeout: the native engine does not start', async () => {
      await expect(startServer(currentTarget, timeoutFlags)).rejects.toThrow(/portable/);
    });
    return;
  }

  it('with --keep-alive-timeout terminates a client whose PONG is overdue, and only that one', async () => {
    const answering = await openClient(pongTimeout().wsUrl);
    const socket = await openRaw(pongTimeout().port);
    expect((await socket.frame()).opcode).toBe(opcode.ping);
    const pinged = performance.now();
    await socket.ended;
    const waited = performance.now() - pinged;
    // Another PING or two perhaps, but no Close frame.
    expect((await socket.rest()).toString('hex').replaceAll('8900', '')).toBe('');
    expect(waited).toBeGreaterThanOrEqual(180 - 2 * lag.most);
    expect(waited).toBeLessThanOrEqual(330 + 2 * lag.most);
    const ended = await pongTimeout().report({ event: 'ended', remote: socket.address });
    expect(ended).toMatchObject({ cause: 'keep-alive-timeout', code: 1006 });
    expect((await answering.echo('still here')).data.toString()).toBe('still here');
  });
});

/** Whether this process may make a network of its own, so that a cable can be pulled. Over HTTP/2 it is the bridge's. */
function canPullCables(): boolean {
  if (currentTarget.http2) return false;
  try {
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

describe('a client whose cable is pulled', () => {
  it.skipIf(!canPullCables())('is ended in time and forgotten, though no FIN ever comes', async () => {
    const name = `echo${process.pid % 100000}`;
    const octet = process.pid % 250;
    const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
    ip('netns', 'add', name);
    try {
      // Two ends of a cable: the server's stays here, the client's is in a network of its own. The addresses are
      // those that RFC 2544 keeps for tests.
      ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name);
      ip('addr', 'add', `198.18.${octet}.1/30`, 'dev', `${name}a`);
      ip('link', 'set', `${name}a`, 'up');
      ip('-n', name, 'addr', 'add', `198.18.${octet}.2/30`, 'dev', `${name}b`);
      ip('-n', name, 'link', 'set', `${name}b`, 'up');
      const flags = [`--host=198.18.${octet}.1`, '--ping-interval=1', '--keep-alive-interval=0'];
      await using server = await startServer(currentTarget, flags);
      const client = spawn(
        'ip',
        ['netns', 'exec', name, process.execPath, 'test/contract/fixtures/vanish.mjs', server.wsUrl],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      try {
        const echoed = new Promise((resolve) => client.stdout.once('data', resolve));
        await within(10_000, 'the client to have its echo', echoed);
        const pulled = performance.now();
        ip('link', 'set', `${name}a`, 'down');
        const ended = await server.report({ event: 'ended' });
        expect(ended.cause).toBe('idle-timeout');
        expect(ended.lastMessageMs).toBeGreaterThanOrEqual(1900);
        expect(performance.now() - pulled).toBeLessThanOrEqual(2120 + 2 * lag.most);
        await until(5000, 'the registry is empty', async () => {
          const health = await (await fetch(`${server.url}/health`)).json();
          return (health as { connections: number }).connections === 0;
        });
      } finally {
        client.kill('SIGKILL');
      }
    } finally {
      ip('netns', 'del', name);
      try {
        ip('link', 'del', `${name}a`);
      } catch {
        // It goes with its other end.
      }
    }
  });
});
