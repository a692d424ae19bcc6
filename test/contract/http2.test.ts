/** WebSockets over HTTP/2 (RFC 8441): the same as over HTTP/1.1, on the streams of one connection. */
import { constants } from 'node:http2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { dropSessions, H2Session, type H2Socket } from '../support/h2.ts';
import { connectFields, flag, h2Frame, h2Headers, RawH2, type } from '../support/h2-raw.ts';
import { acceptFor, closePayload, frame, key, opcode } from '../support/raw.ts';
import { currentTarget, runServer, type ServerProcess, startServer } from '../support/server.ts';
import { readingCertificates, shownBy, tlsFlags } from '../support/tls.ts';
import { pass, within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { dropsClients } from './use-server.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const portable = !deviates('no-http2');
const target = readingCertificates(currentTarget);
const modes = { TLS: ['--http2', ...tlsFlags()], cleartext: ['--http2-cleartext'] };
const insecure = { rejectUnauthorized: false };

const start = (flags: readonly string[]) => startServer(target, flags);
const text = (payload: string | Uint8Array) => frame(opcode.text, payload);

afterEach(dropSessions);
dropsClients();

/** One server for the tests of a block, with an HTTP/2 session for each that asks. */
function useHttp2(flags: readonly string[]): { server(): ServerProcess; connect(): Promise<H2Session> } {
  let server: ServerProcess | undefined;
  beforeAll(async () => {
    server = await start(flags);
  });
  afterAll(() => server?.stop('SIGKILL'));
  const running = () => server as ServerProcess;
  return { server: running, connect: () => H2Session.connect(running().url) };
}

describe.runIf(portable).each(Object.entries(modes))('HTTP/2 with %s', (_, flags) => {
  describe('beside HTTP/1.1', () => {
    const { server, connect } = useHttp2([...flags, '--subprotocol', 'news', '--subprotocol', 'chat']);

    it('serves the page, without headers of an HTTP/1.1 connection', async () => {
      const session = await connect();
      const page = await session.request({ ':path': '/' });
      expect(page.status).toBe(200);
      expect(page.body).toContain('WebSocket Server URL:');
      for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'upgrade']) {
        expect(page.headers).not.toHaveProperty(name);
      }
      const info = JSON.parse((await session.request({ ':path': '/info' })).body);
      expect(info).toMatchObject({ engine: 'portable', path: '/ws' });
      expect((await session.request({ ':path': '/', ':method': 'HEAD' })).body).toBe('');
      expect((await session.request({ ':path': '/', ':method': 'POST' })).status).toBe(405);
      expect((await session.request({ ':path': '/nothing' })).status).toBe(404);
    });

    it('says that it takes extended CONNECT, and how many streams', async () => {
      const { settings } = await connect();
      expect(settings.enableConnectProtocol).toBe(true);
      expect(settings.maxConcurrentStreams).toBeGreaterThanOrEqual(100);
      expect(settings.maxConcurrentStreams).toBeLessThanOrEqual(1000);
    });

    // Under Deno 2.9 this crashed the server (https://github.com/denoland/deno/issues/36788).
    it('outlives sessions that end when all their streams are done', async () => {
      const visit = async () => {
        const session = await connect();
        const sockets = await Promise.all(Array.from({ length: 3 }, () => session.open()));
        for (let n = 0; n < 30; n++) await session.request({ ':path': '/health' });
        for (const { stream } of sockets) stream.close(constants.NGHTTP2_CANCEL);
        await Promise.all(sockets.map(({ closed }) => closed));
        session.session.close();
        await within(3000, 'the end', session.closed);
      };
      for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 8 }, visit));
      expect((await (await connect()).request({ ':path': '/health' })).status).toBe(200);
    }, 15_000);

    it('takes WebSockets over HTTP/1.1 on the same port', async () => {
      const client = await openClient(server().wsUrl, insecure);
      expect((await client.echo('hello')).data.toString()).toBe('hello');
      expect(await client.close(4000, 'bye')).toEqual({ code: 4000, reason: 'bye' });
    });

    it('answers 200 to CONNECT, with no headers of an upgrade', async () => {
      const socket = await (await connect()).open({ 'sec-websocket-protocol': 'chat, other' });
      expect(socket.headers).toMatchObject({ ':status': 200, 'sec-websocket-protocol': 'chat' });
      for (const name of ['connection', 'upgrade', 'sec-websocket-accept', 'content-length']) {
        expect(socket.headers).not.toHaveProperty(name);
      }
    });

    it('proves a key that it was sent all the same', async () => {
      const socket = await (await connect()).open({ 'sec-websocket-key': key });
      expect(socket.headers['sec-websocket-accept']).toBe(acceptFor(key));
    });

    it('reports the address of the session', async () => {
      const session = await connect();
      await session.open({ origin: server().url });
      const opened = await server().report({ event: 'opened', remote: session.address });
      expect(opened).toMatchObject({ path: '/ws', origin: server().url });
    });

    it.each<[string, Record<string, string | undefined>, number]>([
      ['version 8', { 'sec-websocket-version': '8' }, 426],
      ['no version', { 'sec-websocket-version': undefined }, 426],
      ['what is no version', { 'sec-websocket-version': 'x' }, 400],
      ['subprotocols that are none', { 'sec-websocket-protocol': 'a,a' }, 400],
      ['a strange Origin', { origin: 'https://evil.example' }, 403],
      ['two Origins', { origin: 'https://a.example, https://b.example' }, 403],
      ['another protocol', { ':protocol': 'connect-udp' }, 501],
      ['another path', { ':path': '/nothing' }, 404],
      ['the path of the page', { ':path': '/' }, 404],
      ['the path of a report', { ':path': '/info' }, 404],
    ])('refuses %s', async (_, changes, status) => {
      const session = await connect();
      const from = server().reports.length;
      const answer = await session.refused(changes);
      expect(answer.status).toBe(status);
      expect(answer.body).toMatch(/^[^\n]+\.\n$/);
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(answer.headers).not.toHaveProperty('connection');
      expect(answer.headers).not.toHaveProperty('upgrade');
      if (status === 426) expect(answer.headers['sec-websocket-version']).toBe('13');
      if (changes[':path'] !== '/nothing') {
        await server().report({ event: 'refused', status, remote: session.address }, { from });
      }
    });

    it('refuses CONNECT without a protocol, as no proxy does', async () => {
      const session = await connect();
      const plain = { ':protocol': undefined, ':scheme': undefined, ':path': undefined };
      expect((await session.refused({ ...plain, ':authority': 'example.com:443' })).status).toBe(501);
    });

    it('refuses the socket path without CONNECT', async () => {
      const answer = await (await connect()).request({ ':path': '/ws' });
      expect(answer.status).toBe(400);
      expect(answer.body).toContain('WebSocket');
    });

    it('takes the authority for the host that an Origin must be of', async () => {
      const session = await connect();
      const authority = { ':authority': 'echo.example' };
      await session.open({ ...authority, origin: 'https://echo.example' });
      expect((await session.refused({ ...authority, origin: server().url })).status).toBe(403);
      expect((await session.refused({ host: 'evil.example', origin: 'https://evil.example' })).status).not.toBe(200);
    });
  });

  describe('a WebSocket on a stream', () => {
    const { server, connect } = useHttp2([...flags, '--max-message-size', '2MiB', '--keep-alive-interval', '0.3']);

    it.each([0, 1, 125, 126, 65_535, 65_536, 2 * MiB])('echoes %i bytes', async (size) => {
      const socket = await (await connect()).open();
      const payload = Buffer.alloc(size, 'ab€');
      socket.send(frame(opcode.binary, payload));
      let next = await socket.frame(10_000);
      while (next.opcode === opcode.ping) next = await socket.frame(10_000);
      expect(next).toMatchObject({ opcode: opcode.binary, masked: false });
      expect(next.payload.equals(payload)).toBe(true);
    });

    it('takes frames that come before the answer', async () => {
      const session = await connect();
      const stream = session.session.request(session.connectHeaders(), { endStream: false });
      stream.write(text('early'));
      const [chunk] = await within(
        5000,
        'the echo',
        new Promise<Buffer[]>((resolve) => stream.once('data', (data) => resolve([data]))),
      );
      expect(chunk?.toString('latin1')).toBe('\x81\x05early');
    });

    it('joins fragments, and answers PING between them', async () => {
      const socket = await (await connect()).open();
      socket.send(frame(opcode.text, 'one ', { fin: false }));
      socket.send(frame(opcode.ping, 'are you there'));
      socket.send(frame(opcode.continuation, 'two'));
      expect(await socket.frame()).toMatchObject({ opcode: opcode.pong, payload: Buffer.from('are you there') });
      expect(await socket.message()).toEqual({ text: true, data: Buffer.from('one two') });
    });

    it('gets a PING at every interval', async () => {
      const socket = await (await connect()).open();
      for (let i = 0; i < 2; i++) expect((await socket.frame()).opcode).toBe(opcode.ping);
    });

    it.each([
      [1000, ''],
      [1001, 'leaving'],
      [4999, 'é'],
    ])('is closed with the client’s own %i, and both sides of the stream end', async (code, reason) => {
      const session = await connect();
      const socket = await session.open();
      socket.send(frame(opcode.close, closePayload(code, reason)));
      expect(await socket.closeFrame()).toEqual({ code, reason });
      socket.stream.end();
      expect(await within(3000, 'the end', socket.closed)).toBe(constants.NGHTTP2_NO_ERROR);
      await server().report({ event: 'ended', cause: 'client-close', code, reason, remote: session.address });
    });

    it('does not wait long for a client that never ends its side', async () => {
      const socket = await (await connect()).open();
      socket.send(frame(opcode.close, closePayload(1000)));
      await socket.closeFrame();
      await within(2500, 'the end', socket.closed);
    });

    it('gets all that was sent to it, and its Close, when it takes its time to read after its own', async () => {
      const socket = await (await connect()).open();
      socket.stream.pause();
      socket.send(Buffer.concat([text('x'.repeat(1000)), frame(opcode.close, closePayload(1000, 'bye'))]));
      // Longer than a server waits for the end of a stream that it has ended.
      await pass(2000);
      socket.stream.resume();
      expect((await socket.message()).data.length).toBe(1000);
      expect(await socket.closeFrame()).toEqual({ code: 1000, reason: 'bye' });
    });

    it.each<[string, Buffer, number, string]>([
      ['a reserved opcode', frame(3), 1002, 'protocol-error'],
      ['an unmasked frame', frame(opcode.text, 'x', { mask: null }), 1002, 'protocol-error'],
      ['bad UTF-8', text(Buffer.from([0xff])), 1007, 'protocol-error'],
      ['a message too big', frame(opcode.binary, '', { length: 2 * MiB + 1 }), 1009, 'message-too-big'],
    ])('fails for %s', async (_, bytes, code, cause) => {
      const session = await connect();
      const socket = await session.open();
      socket.send(bytes);
      expect((await socket.closeFrame()).code).toBe(code);
      await server().report({ event: 'ended', cause, code, remote: session.address });
    });

    it.each<[string, (socket: H2Socket, session: H2Session) => void]>([
      ['ends its stream', (socket) => socket.stream.end()],
      ['resets its stream', (socket) => socket.stream.close(constants.NGHTTP2_CANCEL)],
      ['drops the session', (_, { session }) => session.destroy()],
      ['drops the connection', (_, { socket }) => socket.destroy()],
    ])('is lost when the client %s without a Close frame', async (_, lose) => {
      const session = await connect();
      const sockets = [await session.open(), await session.open()];
      lose(sockets[0] as H2Socket, session);
      await server().report({ event: 'ended', cause: 'connection-lost', code: 1006, remote: session.address });
    });

    it('is lost at once when its CONNECT ends the stream', async () => {
      const session = await connect();
      const stream = session.session.request(session.connectHeaders(), { endStream: true });
      stream.on('error', () => {});
      await server().report({ event: 'ended', cause: 'connection-lost', code: 1006, remote: session.address });
    });

    it('costs nothing any more once it is lost', async () => {
      const session = await connect();
      for (let i = 0; i < 50; i++) (await session.open()).stream.close(constants.NGHTTP2_CANCEL);
      await expect
        .poll(async () => JSON.parse((await session.request({ ':path': '/health' })).body).connections)
        .toBe(0);
      expect((await session.open()).headers[':status']).toBe(200);
    });
  });

  it('ends a silent WebSocket after 2·X, and not the others of its session', async () => {
    await using server = await start([...flags, '--ping-interval', '0.4']);
    const session = await H2Session.connect(server.url);
    const [silent, lively] = [await session.open(), await session.open()];
    const beat = setInterval(() => lively.send(text('beat')), 150);
    try {
      const opened = performance.now();
      expect(await silent.closeFrame()).toEqual({ code: 3008, reason: 'idle timeout' });
      expect(performance.now() - opened).toBeGreaterThan(700);
      await server.report({ event: 'ended', cause: 'idle-timeout' });
      // It never answers, and its stream is reset after a short grace.
      expect(await within(4000, 'the end', silent.closed)).not.toBe(constants.NGHTTP2_NO_ERROR);
      await lively.message();
      expect(server.reports.filter(({ event }) => event === 'ended').length).toBe(1);
    } finally {
      clearInterval(beat);
    }
  });

  it('drops a client whose PONG is overdue', async () => {
    await using server = await start([...flags, '--keep-alive-interval', '0.3', '--keep-alive-timeout', '0.3']);
    const socket = await (await H2Session.connect(server.url)).open();
    expect((await socket.frame()).opcode).toBe(opcode.ping);
    await within(3000, 'the end', socket.closed);
    await server.report({ event: 'ended', cause: 'keep-alive-timeout' });
  });

  it('answers 503 over the limit of connections', async () => {
    await using server = await start([...flags, '--max-connections', '1']);
    const session = await H2Session.connect(server.url);
    await session.open();
    const answer = await session.refused({});
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '10' } });
  });

  it('shuts down with 1001 to every stream, GOAWAY to the session, and status 0', async () => {
    await using server = await start(flags);
    const session = await H2Session.connect(server.url);
    const sockets = await Promise.all(Array.from({ length: 20 }, () => session.open()));
    const exited = server.stop('SIGTERM');
    for (const socket of sockets) {
      expect(await socket.closeFrame()).toEqual({ code: 1001, reason: 'server shutting down' });
      socket.send(frame(opcode.close, closePayload(1001)));
    }
    expect(await within(5000, 'GOAWAY', session.goaway)).toBe(constants.NGHTTP2_NO_ERROR);
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(server.reports.at(-1)).toMatchObject({ event: 'shutdown', closed: 20, terminated: 0 });
    expect(server.errors).toEqual([]);
  });

  it('is not held up at shutdown by an idle session', async () => {
    await using server = await start(flags);
    await H2Session.connect(server.url);
    const began = performance.now();
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(2500);
  });
});

describe.runIf(portable)('readers of one session', () => {
  const { server, connect } = useHttp2([...modes.TLS, '--max-buffered', '256KiB', '--ping-interval', '5']);

  /** A frame of 16 KiB whose masked payload begins with its number. */
  const numbered = (n: number) => {
    const bytes = frame(opcode.binary, Buffer.alloc(16 * KiB), { mask: [0, 0, 0, 0] });
    bytes.writeUInt32BE(n, bytes.length - 16 * KiB);
    return bytes;
  };

  /** Sends on and on until the server takes no more. Resolves when nothing has moved for a while. */
  async function flood(socket: H2Socket, count: number): Promise<{ sent: () => number; done: Promise<void> }> {
    socket.stream.pause();
    let sent = 0;
    const done = (async () => {
      for (let n = 0; n < count; n++) {
        await socket.flush(numbered(n));
        sent++;
      }
    })();
    done.catch(() => {});
    for (let last = -1; last !== sent; ) {
      last = sent;
      await pass(300);
    }
    return { sent: () => sent, done };
  }

  it('that are slow lose nothing, and get it in order', async () => {
    const socket = await (await connect()).open();
    const count = 1024;
    const { sent, done } = await flood(socket, count);
    expect(sent()).toBeLessThan(count / 2);
    socket.stream.resume();
    for (let n = 0; n < count; n++) {
      const { data } = await socket.message(10_000);
      if (data.readUInt32BE(0) !== n || data.length !== 16 * KiB) expect(data.readUInt32BE(0)).toBe(n);
    }
    await done;
  });

  it('that are slow, thirty of them, stall neither a neighbour nor a new stream, and cost little memory', async () => {
    const session = await connect();
    const neighbour = await session.open();
    const before = server().rss();
    const slow = await Promise.all(Array.from({ length: 30 }, () => session.open()));
    await Promise.all(slow.map((socket) => flood(socket, 1024)));
    expect((server().rss() - before) / MiB).toBeLessThan(128);
    const began = performance.now();
    for (let i = 0; i < 50; i++) {
      neighbour.send(text(`${i}`));
      expect((await neighbour.message()).data.toString()).toBe(`${i}`);
    }
    neighbour.send(frame(opcode.binary, Buffer.alloc(MiB)));
    expect((await neighbour.message()).data.length).toBe(MiB);
    for (let i = 0; i < 10; i++) {
      const late = await session.open();
      late.send(text('late'));
      expect((await late.message()).data.toString()).toBe('late');
    }
    expect(performance.now() - began).toBeLessThan(3000);
    // Those that read again are served again.
    slow[0]?.stream.resume();
    for (let n = 0; n < 100; n++) expect((await slow[0]?.message())?.data.readUInt32BE(0)).toBe(n);
  }, 60_000);

  it('that don’t read at all are ended as slow-consumer', async () => {
    await using own = await start([...modes.TLS, '--max-buffered', '64KiB', '--ping-interval', '0.5']);
    const session = await H2Session.connect(own.url);
    const [stuck, other] = [await session.open(), await session.open()];
    void flood(stuck, 1024);
    const beat = setInterval(() => other.send(text('beat')), 200);
    try {
      await own.report({ event: 'ended', cause: 'slow-consumer', code: 1013 }, { timeout: 10_000 });
      expect(own.reports.filter(({ event }) => event === 'ended').length).toBe(1);
      expect((await other.message()).data.toString()).toBe('beat');
    } finally {
      clearInterval(beat);
    }
  });
});

describe.runIf(portable)('a client of HTTP/2 that does as it likes', () => {
  const { server } = useHttp2(modes.cleartext);

  it('gets room for whole frames in time, whatever its other streams use', async () => {
    const raw = await RawH2.connect(server().port);
    const [one, other] = [1, 3];
    await raw.open(one);
    await raw.open(other);
    const message = frame(opcode.binary, Buffer.alloc(6000));
    for (const [stream, count] of [
      [one, 10],
      [other, 12],
      [one, 100],
      [other, 100],
    ] as const) {
      for (let n = 0; n < count; n++) await raw.data(stream, message);
    }
  });

  it('breaks no more than the stream on which it sends what is malformed', async () => {
    const raw = await RawH2.connect(server().port);
    await raw.open(1);
    const fields = h2Headers({ ...connectFields, connection: 'x' });
    raw.socket.send(h2Frame(type.headers, flag.endHeaders, 3, fields));
    if (deviates('malformed-stream-ends-session')) {
      await raw.frame((next) => next.type === type.goaway);
    } else {
      await raw.frame((next) => next.type === type.reset && next.stream === 3);
      await raw.data(1, text('still here'));
      await raw.frame((next) => next.type === type.data && next.stream === 1);
    }
  });

  it('can’t make it hold what it has refused', async () => {
    const before = server().rss();
    const raw = await RawH2.connect(server().port);
    // One long field that the server is to remember, and then thousands of times a reference to it.
    const value = Buffer.alloc(3900, 'a');
    const long = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xbd, 0x1d]), value]);
    const references = Buffer.alloc(12_000, 0xbe);
    for (let n = 0; n < 300; n++) {
      const list = Buffer.concat([h2Headers(connectFields), ...(n === 0 ? [long] : []), references]);
      raw.socket.send(h2Frame(type.headers, flag.endHeaders | flag.endStream, 1 + 2 * n, list));
    }
    await raw
      .frame((next) => next.type === type.goaway || (next.type === type.reset && next.stream === 599))
      .catch(() => {});
    const grown = (server().rss() - before) / MiB;
    if (deviates('refused-headers-cost-memory')) expect(grown).toBeGreaterThan(64);
    else expect(grown).toBeLessThan(64);
    raw.socket.destroy();
  });

  it('is dropped when it continues its headers without end', async () => {
    const raw = await RawH2.connect(server().port);
    raw.socket.send(h2Frame(type.headers, 0, 1, h2Headers(connectFields)));
    const empty = Buffer.concat(Array.from({ length: 4000 }, () => h2Frame(type.continuation, 0, 1)));
    if (deviates('endless-continuation')) {
      for (let n = 0; n < 50; n++) await raw.socket.flush(empty);
      raw.socket.send(h2Frame(type.continuation, flag.endHeaders, 1));
      await raw.frame((next) => next.type === type.headers && next.stream === 1);
    } else {
      const flood = async () => {
        for (;;) await raw.socket.flush(empty);
      };
      await within(5000, 'the end', expect(flood()).rejects.toThrow());
    }
  });
});

describe('without --http2', () => {
  it('TLS agrees on HTTP/1.1, or no engine’s WebSockets are announced over HTTP/2', async () => {
    await using server = await start(tlsFlags());
    if (portable)
      await expect(shownBy(server.port, ['h2', 'http/1.1'])).resolves.toMatchObject({ protocol: 'http/1.1' });
    const { protocol } = await shownBy(server.port, ['h2', 'http/1.1']);
    if (protocol === 'h2') {
      const { settings } = await H2Session.connect(server.url);
      expect(settings.enableConnectProtocol).not.toBe(true);
    }
  });
});

describe('--http2', () => {
  it.each([
    ['without TLS', ['--http2'], /--http2 needs TLS.*--tls-cert/],
    ['in cleartext with TLS', ['--http2-cleartext', ...tlsFlags()], /--http2-cleartext.*--http2\b/],
  ])('%s is a mistake', async (_, flags, says) => {
    await using server = runServer(target, flags);
    expect(await within(15_000, 'the end', server.exited)).toEqual({ code: 2, signal: null });
    expect(server.errors).toEqual([expect.stringMatching(says)]);
  });

  it('makes --engine auto take the portable engine, and the ready line says why', async () => {
    await using server = await start(['--engine=auto', '--log=pretty', ...modes.TLS]);
    if (currentTarget.runtime === 'node') expect(server.lines[0]).toMatch(/portable engine$/);
    else expect(server.lines[0]).toMatch(/portable engine: .*HTTP\/2, which --http2 needs/);
  });

  it.runIf(!portable).each(Object.entries(modes))('can’t be had of the native engine, with %s', async (_, flags) => {
    await using server = runServer(target, ['--engine=native', ...flags]);
    expect(await within(15_000, 'the end', server.exited)).toEqual({ code: 2, signal: null });
    expect(server.errors).toEqual([expect.stringMatching(/HTTP\/2.*--engine portable/)]);
  });
});
