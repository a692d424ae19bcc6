import { describe, expect, it } from 'vitest';
import type { Accept, Refusal } from '../../core/handshake.ts';
import { resolveOptions } from '../../core/index.ts';
import { idleTimeout, type ServerOptions, WebSocketServer } from '../../core/server.ts';
import { settle } from './support/clock.ts';
import { everything, listen, peer, TestServer, upgradeRequest } from './support/server.ts';
import { FakeTransport } from './support/transport.ts';

describe('the idle timeout', () => {
  it('is 2·X, and none where X is 0 or liveness is off', () => {
    expect(idleTimeout({ pingInterval: 30_000, liveness: 'messages' })).toBe(60_000);
    expect(idleTimeout({ pingInterval: 500, liveness: 'frames' })).toBe(1000);
    expect(idleTimeout({ pingInterval: 0, liveness: 'messages' })).toBe(0);
    expect(idleTimeout({ pingInterval: 30_000, liveness: 'off' })).toBe(0);
  });
});

describe('the options', () => {
  const host = { capabilities: everything, now: () => 0, after: () => () => {}, byteLength: () => 0, report: () => {} };

  it('may be completed by resolveOptions()', () => {
    const { options } = new WebSocketServer(resolveOptions({ compression: true }), host);
    expect(options).toMatchObject({ compression: true, maxConnections: 10_000 });
  });

  it('must be all there, and the error says what gives the others', () => {
    expect(() => new WebSocketServer({ compression: true } as ServerOptions, host)).toThrow(
      new TypeError('the option allowedOrigins is missing; resolveOptions() completes options with their defaults'),
    );
  });
});

describe('a request', () => {
  it('is judged by the handshake, the Origins and the subprotocols of the server', () => {
    const { server } = new TestServer({ allowedOrigins: ['https://a.test'], subprotocols: ['chat'] });
    const judge = (headers: Record<string, string>) => server.judge(upgradeRequest(headers));
    expect(judge({ origin: 'https://a.test', 'sec-websocket-protocol': 'x, chat' })).toMatchObject({
      accepted: true,
      protocol: 'chat',
    });
    expect(judge({ origin: 'https://b.test' })).toMatchObject({ accepted: false, status: 403 });
    expect(judge({ 'sec-websocket-version': '8' })).toMatchObject({ accepted: false, status: 426 });
    expect(judge({})).toMatchObject({ accepted: true });
    expect(new TestServer({ requireOrigin: true }).server.judge(upgradeRequest())).toMatchObject({ status: 403 });
  });

  it('is told what is wrong with it even where no more may come', () => {
    const { server } = new TestServer({ maxConnections: 0 });
    expect(server.judge(upgradeRequest({ 'sec-websocket-key': 'short' }))).toMatchObject({ status: 400 });
    expect(server.judge(upgradeRequest())).toMatchObject({ status: 503 });
  });

  it('that is refused is reported, with what the client sent made safe', () => {
    const test = new TestServer();
    const refusal = test.server.judge(upgradeRequest({ origin: 'https://evil.test' })) as Refusal;
    const shown = { event: 'refused', status: 403, reason: refusal.reason, remote: peer.address };
    test.server.refused(refusal, upgradeRequest({ origin: 'https://evil.test/\u009b31m' }), peer);
    test.server.refused(refusal, upgradeRequest(), peer);
    expect(test.reports).toEqual([
      { ...shown, origin: 'https://evil.test/\\u{9b}31m' },
      { ...shown, origin: null },
    ]);
  });

  it('that is admitted is answered with the headers of its application', () => {
    const { server } = new TestServer({ subprotocols: ['chat'] });
    const request = upgradeRequest({ 'sec-websocket-protocol': 'chat' });
    const headers = new Headers({ 'set-cookie': 'a=b' });
    const upgrade = server.admit(request, peer, server.judge(request) as Accept, headers, listen);
    expect(upgrade).toMatchObject({ protocol: 'chat' });
    expect(upgrade.headers).toBe(headers);
  });
});

describe('compression', () => {
  const offer = 'permessage-deflate; server_no_context_takeover, permessage-deflate; client_max_window_bits';
  const request = upgradeRequest({ 'sec-websocket-extensions': offer });
  const answer = ({ server }: TestServer) => (server.judge(request) as Accept).headers['sec-websocket-extensions'];
  const bounded = { compression: true, compressionWindowBits: 12 };

  it.each([
    ['the first offer', { compression: true }, true, 'permessage-deflate; server_no_context_takeover'],
    [
      'a window that the server bounds',
      bounded,
      true,
      'permessage-deflate; server_no_context_takeover; server_max_window_bits=12',
    ],
    [
      'messages that are each compressed by themselves',
      { compression: true, compressionNoContextTakeover: true },
      true,
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    ],
    [
      'the offer that an engine can keep',
      bounded,
      'wide',
      'permessage-deflate; server_max_window_bits=12; client_max_window_bits=15',
    ],
    ['nothing where it is switched off', { compression: false }, true, undefined],
    ['nothing where the engine has none', { compression: true }, false, undefined],
  ] as const)('is agreed on as %s', (_, settings, compression, header) => {
    expect(answer(new TestServer(settings, { compression }))).toBe(header);
  });

  it('that was agreed on is told to the engine with the upgrade, unless middleware took it back', () => {
    const { server } = new TestServer({ compression: true });
    const accept = server.judge(request) as Accept;
    const admit = (headers: Readonly<Record<string, string>>) =>
      server.admit(request, peer, accept, new Headers(headers), listen);
    expect(accept.compression).toMatchObject({ serverMaxWindowBits: 15, serverNoContextTakeover: true });
    expect(admit(accept.headers)).toMatchObject({ compression: accept.compression });
    expect(admit({})).toMatchObject({ compression: undefined });
  });
});

describe('an Origin that can never match', () => {
  it('is an error when the server is made', () => {
    expect(() => new TestServer({ allowedOrigins: ['example.com/path'] })).toThrow(TypeError);
  });
});

describe('the limit of connections', () => {
  it('counts those that are there and those that are on their way', () => {
    const test = new TestServer({ maxConnections: 2 });
    const { receiver } = test.open();
    const upgrade = test.admit();
    expect(test.server.judge(upgradeRequest())).toMatchObject({ status: 503 });
    upgrade.abandon();
    expect(test.server.judge(upgradeRequest())).toMatchObject({ accepted: true });
    test.open();
    expect(test.server.size).toBe(2);
    expect(test.server.judge(upgradeRequest())).toMatchObject({ status: 503, headers: { 'retry-after': '10' } });
    receiver.over(1000, '');
    expect(test.server.size).toBe(1);
    expect(test.server.judge(upgradeRequest())).toMatchObject({ accepted: true });
  });

  it('is held even when others came between judgement and admission', () => {
    const test = new TestServer({ maxConnections: 1 });
    const request = upgradeRequest();
    const accept = test.server.judge(request) as Accept;
    test.open();
    expect(test.server.admit(request, peer, accept, new Headers(), listen)).toMatchObject({ status: 503 });
  });

  it('counts a connection until its closing handshake is over', async () => {
    const test = new TestServer({ maxConnections: 1 });
    const { receiver } = test.open(() => {});
    await settle();
    expect(test.server.judge(upgradeRequest())).toMatchObject({ status: 503 });
    receiver.over(1000, '');
    expect(test.server.judge(upgradeRequest())).toMatchObject({ accepted: true });
  });

  it('is not used up by ten thousand connections that came and went', () => {
    const test = new TestServer({ maxConnections: 1 });
    for (let i = 0; i < 10_000; i++) test.open().receiver.over(1000, '');
    expect(test.server.size).toBe(0);
    expect(test.server.liveness.size).toBe(0);
  });
});

describe('a connection', () => {
  it('is reported when it opens, with what the client sent made safe', () => {
    const test = new TestServer({ subprotocols: ['chat'], allowedOrigins: ['*'] });
    const headers = { origin: 'https://a.test', 'sec-websocket-protocol': 'chat' };
    test.admit(listen, upgradeRequest(headers, '/ws?token=secret')).open(new FakeTransport());
    test.open();
    const shown = { event: 'opened', remote: peer.address, path: '/ws' };
    expect(test.reports).toEqual([
      { ...shown, connection: 1, origin: 'https://a.test', protocol: 'chat' },
      { ...shown, connection: 2, origin: null, protocol: '' },
    ]);
  });

  it('is reported when it ends, once, with all there is to know', async () => {
    const test = new TestServer();
    const { receiver } = test.open((connection) =>
      connection.forEach((data) => {
        connection.send(data);
        connection.send('more');
      }),
    );
    await settle();
    test.clock.pass(5000);
    receiver.take('Grüße', true);
    test.clock.pass(2500);
    receiver.over(4001, 'a\nb');
    receiver.over(4001, 'again');
    const [end] = test.ends;
    expect(test.ends).toHaveLength(1);
    expect(end).toMatchObject({
      event: 'ended',
      connection: 1,
      remote: peer.address,
      cause: 'client-close',
      code: 4001,
      reason: 'a\\u{a}b',
      durationMs: 7500,
      messagesIn: 1,
      messagesOut: 2,
      bytesIn: 7,
      bytesOut: 11,
    });
    expect(Math.abs((end?.lastMessageMs ?? 0) - 2500)).toBeLessThanOrEqual(100);
  });

  it('whose client never sent a message has no last one', () => {
    const test = new TestServer();
    test.open().receiver.over(1006, '');
    expect(test.ends).toMatchObject([{ messagesIn: 0, lastMessageMs: null, durationMs: 0 }]);
  });

  it('has no message from before it opened, nor one from the future', () => {
    const test = new TestServer();
    // The first keeps the clock going, which is some way into its interval when the second comes.
    test.open().receiver.take('a', true);
    test.clock.pass(99);
    const { receiver } = test.open();
    receiver.take('a', true);
    receiver.over(1000, '');
    expect(test.ends).toMatchObject([{ connection: 2, durationMs: 0, lastMessageMs: 0 }]);

    const fresh = new TestServer();
    const { receiver: first } = fresh.open();
    first.take('a', true);
    first.over(1000, '');
    expect(fresh.ends).toMatchObject([{ durationMs: 0, lastMessageMs: 0 }]);
  });

  it('hands messages to its handler that came before it', async () => {
    const seen: unknown[] = [];
    const { receiver } = new TestServer().open((connection) =>
      connection.forEach((data) => {
        seen.push(data);
      }),
    );
    receiver.take('a', true);
    receiver.take('b', true);
    expect(seen).toEqual([]);
    await settle();
    receiver.take('c', true);
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

describe('a handler that fails', () => {
  const error = new Error('from the handler');

  it.each([
    [
      'by throwing',
      () => {
        throw error;
      },
    ],
    ['by rejecting', () => Promise.reject(error)],
  ])('%s ends its own connection, and is reported before that end', async (_, handler) => {
    const test = new TestServer();
    test.open();
    test.open(handler);
    await settle();
    expect(test.reports.slice(2)).toMatchObject([
      { event: 'handler-error', connection: 2, error },
      { event: 'ended', connection: 2, cause: 'handler-error', code: 1011, reason: 'internal error' },
    ]);
  });
});

describe('what the application throws', () => {
  it('is reported without a connection', () => {
    const test = new TestServer();
    const error = new Error('in a route');
    test.server.applicationFailed(error);
    expect(test.reports).toEqual([{ event: 'handler-error', connection: null, error }]);
  });
});

describe('the clock of the server', () => {
  it('runs while there is a connection, and only then', () => {
    const test = new TestServer();
    expect(test.clock.timers).toBe(0);
    const first = test.open();
    const second = test.open();
    expect(test.clock.timers).toBe(1);
    test.clock.pass(10_000);
    first.receiver.over(1000, '');
    test.clock.pass(10_000);
    expect(test.clock.timers).toBe(1);
    second.receiver.over(1000, '');
    test.clock.pass(10_000);
    expect(test.clock.timers).toBe(0);
    test.open();
    expect(test.clock.timers).toBe(1);
  });

  it.each([100, 500, 1000, 5000, 30_000])(
    'ends a silent client after 2·X, X being %i ms, with 3008, and drops it when it does not answer',
    (pingInterval) => {
      const idle = 2 * pingInterval;
      for (let phase = 0; phase < 10; phase++) {
        const test = new TestServer({ pingInterval, keepAliveInterval: 0 });
        test.clock.lateness = () => (phase % 3) * 0.8;
        const { transport, receiver } = test.open();
        const { resolution } = test.server.liveness;
        test.clock.pass(3 * resolution + (phase * resolution) / 10);
        receiver.take('ping', true);
        const message = test.clock.now();
        test.clock.pass(idle - 0.01);
        expect(transport.calls).toEqual([]);
        test.clock.pass(Math.max(50, idle * 0.05));
        expect(transport.calls[0]).toBe('close 3008 idle timeout');
        expect(test.ends).toMatchObject([{ cause: 'idle-timeout', code: 3008, reason: 'idle timeout' }]);
        expect(test.ends[0]?.lastMessageMs).toBeGreaterThanOrEqual(idle);
        expect(test.ends[0]?.lastMessageMs).toBeLessThanOrEqual(idle + Math.max(100, idle * 0.06));
        expect(test.clock.now() - message).toBeLessThanOrEqual(idle + Math.max(50, idle * 0.05));
        test.clock.pass(2000);
        expect(transport.calls).toEqual(['close 3008 idle timeout', 'terminate']);
        expect(test.server.size).toBe(0);
        expect(test.ends).toHaveLength(1);
      }
    },
  );

  it('does not end a client whose message waits unread while the loop is blocked', () => {
    const test = new TestServer({ pingInterval: 1000 });
    const { transport, receiver } = test.open();
    test.clock.pass(1500);
    test.clock.block(3000);
    test.clock.pass(0);
    receiver.take('ping', true);
    test.clock.pass(1900);
    expect(transport.calls).toEqual([]);
  });

  it.each([
    ['does not let PONGs', 'messages', 1],
    ['lets PONGs', 'frames', 0],
  ] as const)('%s count with --liveness %s', (_, liveness, ends) => {
    const test = new TestServer({ pingInterval: 1000, liveness });
    const { receiver } = test.open();
    for (let i = 0; i < 10; i++) {
      test.clock.pass(300);
      receiver.pongCame();
    }
    expect(test.ends).toHaveLength(ends);
  });

  it('ends nobody for silence where X is off', () => {
    for (const off of [{ pingInterval: 0 }, { liveness: 'off' }] as const) {
      const test = new TestServer({ ...off, keepAliveInterval: 0 });
      const { transport } = test.open();
      test.clock.pass(600_000);
      expect(transport.calls).toEqual([]);
    }
  });

  it('sends keep-alive PINGs', () => {
    const test = new TestServer({ pingInterval: 0, keepAliveInterval: 20_000 });
    const { transport } = test.open();
    test.clock.pass(61_000);
    expect(transport.calls).toEqual(['ping', 'ping', 'ping']);
  });

  it('leaves PINGs to an engine that sends them by itself', () => {
    const test = new TestServer({ pingInterval: 0, keepAliveInterval: 20_000 }, { ping: false });
    const { transport } = test.open();
    test.clock.pass(61_000);
    expect(transport.calls).toEqual([]);
  });

  it('drops a client whose PONG is overdue', () => {
    const test = new TestServer({ pingInterval: 0, keepAliveInterval: 5000, keepAliveTimeout: 1000 });
    const dead = test.open();
    const alive = test.open();
    test.clock.pass(5100);
    alive.receiver.pongCame();
    test.clock.pass(1200);
    expect(dead.transport.calls).toEqual(['ping', 'terminate']);
    expect(alive.transport.calls).toEqual(['ping']);
    expect(test.ends).toMatchObject([{ connection: 1, cause: 'keep-alive-timeout', code: 1006, reason: '' }]);
  });

  it.each([
    ['2·X', { pingInterval: 1000 }, 2000],
    ['30 s where X is off', { pingInterval: 0 }, 30_000],
  ] as const)('ends a reader that stands still for %s with 1013', async (_, settings, stall) => {
    const test = new TestServer({ ...settings, keepAliveInterval: 0 });
    const { transport } = test.open(
      (connection) => {
        connection.send(new Uint8Array(1000));
        return connection.closed;
      },
      Object.assign(new FakeTransport(), { peerReads: false }),
    );
    await settle();
    test.clock.pass(stall * 0.99);
    expect(transport.calls).toEqual(['pause']);
    test.clock.pass(stall * 0.15);
    expect(transport.calls.slice(0, 2)).toEqual(['pause', 'close 1013 too slow']);
    expect(test.ends).toMatchObject([{ cause: 'slow-consumer', code: 1013, reason: 'too slow' }]);
    test.clock.pass(2000);
    expect(transport.calls.at(-1)).toBe('terminate');
    expect(test.server.size).toBe(0);
  });
});

describe('an engine', () => {
  it('that can’t pause may queue one largest message over the limit', () => {
    const { server } = new TestServer({ maxBuffered: 500, maxMessageSize: 1000 }, { pause: false });
    expect(server.canPause).toBe(false);
    expect(server.maxQueued).toBe(1500);
  });

  it('without a limit of messages has one in the server', () => {
    const test = new TestServer({ maxMessageSize: 10 }, { messageLimit: false });
    test.open().receiver.take('01234567890', true);
    expect(test.ends).toMatchObject([{ cause: 'message-too-big', code: 1009 }]);
  });

  it('with a limit of messages is believed', () => {
    const test = new TestServer({ maxMessageSize: 10 });
    test.open().receiver.take('01234567890', true);
    expect(test.ends).toEqual([]);
  });
});

describe('shutdown', () => {
  it('closes every connection with 1001, and is over when they are', async () => {
    const test = new TestServer();
    const clients = [test.open(), test.open()];
    await settle();
    const summary = test.server.shutdown();
    expect(test.server.shuttingDown).toBe(true);
    for (const { transport, receiver } of clients) {
      expect(transport.calls).toEqual(['close 1001 server shutting down']);
      receiver.over(1001, '');
    }
    expect(await summary).toEqual({ closed: 2, terminated: 0 });
    expect(test.ends).toMatchObject([
      { cause: 'shutdown', code: 1001, reason: 'server shutting down' },
      { cause: 'shutdown', code: 1001, reason: 'server shutting down' },
    ]);
    expect(test.reports.at(-1)).toEqual({ event: 'shutdown', closed: 2, terminated: 0 });
    test.clock.pass(200);
    expect(test.clock.timers).toBe(0);
  });

  it('is over at once where nobody is connected', async () => {
    const test = new TestServer();
    expect(await test.server.shutdown()).toEqual({ closed: 0, terminated: 0 });
    expect(test.clock.timers).toBe(0);
  });

  it('is over at once where the engine tells the ends inside close()', async () => {
    const test = new TestServer();
    for (let i = 0; i < 3; i++) {
      const client = test.open();
      client.transport.closeAtOnce(() => client.receiver);
    }
    await settle();
    expect(await test.server.shutdown()).toEqual({ closed: 3, terminated: 0 });
  });

  it('terminates those that have not answered in time', async () => {
    const test = new TestServer({ shutdownTimeout: 3000 });
    const [answers, silent, dead] = [test.open(), test.open(), test.open()];
    dead.transport.onTerminate = () => dead.receiver.over(1006, '');
    await settle();
    const summary = test.server.shutdown();
    answers.receiver.over(1001, '');
    test.clock.pass(2900);
    await settle();
    expect(silent.transport.calls).toEqual(['close 1001 server shutting down']);
    test.clock.pass(200);
    expect(await summary).toEqual({ closed: 1, terminated: 2 });
    expect(silent.transport.calls).toEqual(['close 1001 server shutting down', 'terminate']);
    expect(test.server.size).toBe(0);
    expect(test.ends.map(({ cause }) => cause)).toEqual(['shutdown', 'shutdown', 'shutdown']);
  });

  it('may take longer than the clock would otherwise wait for a client', async () => {
    const test = new TestServer({ shutdownTimeout: 60_000 });
    const { transport } = test.open();
    await settle();
    void test.server.shutdown();
    test.clock.pass(59_000);
    expect(transport.calls).toEqual(['close 1001 server shutting down']);
  });

  it('leaves connections alone that are closing already, and waits for them', async () => {
    const test = new TestServer();
    const { transport, receiver } = test.open(() => {});
    await settle();
    const summary = test.server.shutdown();
    expect(transport.calls).toEqual(['close 1000 ']);
    receiver.over(1000, '');
    expect(await summary).toEqual({ closed: 1, terminated: 0 });
    expect(test.ends).toMatchObject([{ cause: 'server-close', code: 1000 }]);
  });

  it('counts no connection that was gone before', async () => {
    const test = new TestServer();
    test.open().receiver.over(1000, '');
    expect(await test.server.shutdown()).toEqual({ closed: 0, terminated: 0 });
  });

  it('happens once, however often it is asked for', async () => {
    const test = new TestServer();
    const { transport, receiver } = test.open();
    await settle();
    const first = test.server.shutdown();
    expect(test.server.shutdown()).toBe(first);
    receiver.over(1001, '');
    await first;
    expect(test.server.shutdown()).toBe(first);
    expect(transport.calls).toHaveLength(1);
    expect(test.of('shutdown')).toHaveLength(1);
  });

  it('refuses what comes from then on', () => {
    const test = new TestServer();
    const request = upgradeRequest();
    const accept = test.server.judge(request) as Accept;
    void test.server.shutdown();
    expect(test.server.judge(request)).toMatchObject({ status: 503, headers: { 'retry-after': '10' } });
    expect(test.server.admit(request, peer, accept, new Headers(), listen)).toMatchObject({ status: 503 });
  });

  it('waits for an upgrade that was under way, and closes it like the others', async () => {
    const test = new TestServer();
    const here = test.open();
    const upgrade = test.admit();
    await settle();
    const summary = test.server.shutdown();
    here.receiver.over(1001, '');
    const transport = new FakeTransport();
    const receiver = upgrade.open(transport);
    await settle();
    expect(transport.calls).toEqual(['close 1001 server shutting down']);
    receiver.over(1001, '');
    expect(await summary).toEqual({ closed: 2, terminated: 0 });
    expect(test.ends.map(({ cause }) => cause)).toEqual(['shutdown', 'shutdown']);
  });

  it('does not wait for an upgrade that came to nothing', async () => {
    const test = new TestServer();
    const upgrade = test.admit();
    const summary = test.server.shutdown();
    upgrade.abandon();
    expect(await summary).toEqual({ closed: 0, terminated: 0 });
    expect(test.clock.timers).toBe(0);
  });

  it('counts one that came late and was terminated as just that', async () => {
    const test = new TestServer();
    const here = test.open();
    const upgrade = test.admit();
    await settle();
    const summary = test.server.shutdown();
    here.receiver.over(1001, '');
    upgrade.open(new FakeTransport());
    await settle();
    test.clock.pass(10_000);
    expect(await summary).toEqual({ closed: 1, terminated: 1 });
  });
});
