/** What the operator is told: one safe line for each connection opened, refused and ended. */
import { describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { closePayload, exchange, frame, opcode, openRaw, upgradeRequest } from '../support/raw.ts';
import { useServer } from './use-server.ts';

describe('as JSON', () => {
  const server = useServer(['--max-message-size', '1000', '--subprotocol', 'chat']);

  it('an opening has the number, the address, the origin, the path and the subprotocol', async () => {
    const origin = server().url;
    const socket = await openRaw(server().port, { path: '/ws?secret=1', origin, protocol: 'chat' });
    const opened = await server().report({ event: 'opened', remote: socket.address });
    expect(opened).toMatchObject({
      origin,
      path: '/ws',
      protocol: 'chat',
    });
    const next = await openRaw(server().port);
    const second = await server().report({ event: 'opened', remote: next.address });
    expect(second.connection).toBe(opened.connection + 1);
    expect([second.origin, second.protocol]).toEqual([null, '']);
  });

  it('a refusal has the status, the reason, the address and the origin', async () => {
    const from = server().reports.length;
    const request = upgradeRequest(`127.0.0.1:${server().port}`, { Origin: 'https://evil.example' });
    const { body } = await exchange(server().port, request);
    const refused = await server().report({ event: 'refused' }, { from });
    expect(refused).toMatchObject({ status: 403, reason: body.toString().trim(), origin: 'https://evil.example' });
    expect(refused.remote).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('an end has everything', async () => {
    const client = await openClient(server().wsUrl);
    await client.echo('12345');
    await client.close(3333, 'enough');
    const { connection } = await server().report({ event: 'opened', remote: client.address });
    const ended = await server().report({ event: 'ended', remote: client.address });
    expect(ended.connection).toBe(connection);
    expect(ended).toMatchObject({
      cause: 'client-close',
      code: 3333,
      reason: 'enough',
      messagesIn: 1,
      messagesOut: 1,
      bytesIn: 5,
      bytesOut: 5,
    });
    expect(ended.durationMs).toBeTypeOf('number');
    expect(ended.lastMessageMs).toBeTypeOf('number');
  });

  it('is JSON whatever a client says', async () => {
    const reason = 'say "hi" \\ {x} Grüße 🙂';
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.close, closePayload(1000, reason)));
    const ended = await server().report({ event: 'ended', remote: socket.address });
    expect(ended.reason).toBe(reason);
    expect(ended).toMatchObject({ level: 'INFO', logger: 'echoline', message: expect.stringContaining(reason) });
  });

  it.each([
    ['FIN', (socket: Awaited<ReturnType<typeof openRaw>>) => socket.end()],
    ['RST', (socket: Awaited<ReturnType<typeof openRaw>>) => socket.reset()],
  ])('a connection lost by %s is told so, with 1006', async (_, lose) => {
    const socket = await openRaw(server().port);
    lose(socket);
    expect(await server().report({ event: 'ended', remote: socket.address })).toMatchObject({
      cause: 'connection-lost',
      code: 1006,
      reason: '',
      lastMessageMs: null,
    });
  });

  it('every connection has exactly one end, in whatever way it came', async () => {
    const ways: ((socket: Awaited<ReturnType<typeof openRaw>>) => void)[] = [
      (socket) => socket.send(frame(opcode.close, closePayload(1000))),
      (socket) => socket.reset(),
      (socket) => socket.end(),
      (socket) => socket.send(frame(opcode.binary, Buffer.alloc(1001))),
      (socket) => socket.send(frame(opcode.text, Buffer.from([0xff]))),
      (socket) => {
        socket.send(Buffer.concat([frame(opcode.binary, Buffer.alloc(1001)), frame(opcode.close, closePayload(1000))]));
        socket.end();
      },
    ];
    const addresses: string[] = [];
    for (const way of ways) {
      const socket = await openRaw(server().port);
      addresses.push(socket.address);
      way(socket);
    }
    for (const remote of addresses) await server().report({ event: 'ended', remote });
    // Whatever else they had to say is said when a later connection has come and gone.
    const last = await openClient(server().wsUrl);
    await last.close(1000);
    await server().report({ event: 'ended', remote: last.address });
    const remotes = server().reports.flatMap((report) => (report.event === 'ended' ? [report.remote] : []));
    expect(remotes.filter((remote) => addresses.includes(remote)).sort()).toEqual(addresses.sort());
  });
});

/** What an attacker may try to write into a log, as UTF-8 octets in a header or a close reason. */
const injections: [string, string][] = [
  ['a carriage return and line feed', 'x\r\n{"event":"shutdown"}'],
  ['a line feed alone', 'x\nforged line'],
  ['an ANSI escape', '\u001b[2J\u001b[31mred'],
  ['an 8-bit control sequence introducer', '\u009b31mred'],
  ['a line separator', 'x\u2028forged'],
  ['a paragraph separator', 'x\u2029forged'],
  ['a right-to-left override', '\u202egnirts'],
  ['a bidi isolate', '\u2066x\u2069'],
  ['a NUL and a DEL', 'a\u0000b\u007fc'],
  ['a byte order mark', '\ufeffx'],
];
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;

describe.each(['json', 'pretty'])('what a client writes, with --log %s,', (log) => {
  const server = useServer(['--log', log]);

  it.each(injections)('cannot break a line: %s in a close reason', async (_, text) => {
    const before = server().lines.length;
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.close, closePayload(3000, `${text} mark-${before}`)));
    await socket.ended;
    await server().line(new RegExp(`mark-${before}`));
    const lines = server().lines.slice(before);
    expect(lines.length).toBe(2); // opened, ended
    for (const line of lines) expect(line).not.toMatch(unsafe);
    if (log === 'json') for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it.each(injections.filter(([, text]) => !/[\r\n\0]/.test(text)))(
    'cannot break a line: %s in Origin',
    async (_, text) => {
      const before = server().lines.length;
      const origin = Buffer.from(`https://${text}-mark-${before}`).toString('latin1');
      const request = upgradeRequest(`127.0.0.1:${server().port}`, { Origin: origin });
      const { status } = await exchange(server().port, request);
      // A runtime may find the header malformed before we see it.
      expect([400, 403]).toContain(status);
      if (status === 400) return;
      await server().line(new RegExp(`mark-${before}`));
      const lines = server().lines.slice(before);
      expect(lines.length).toBe(1);
      for (const line of lines) expect(line).not.toMatch(unsafe);
    },
  );

  it('is cut when it is long', async () => {
    const before = server().lines.length;
    const origin = `https://mark-${before}-${'a'.repeat(4000)}`;
    await exchange(server().port, upgradeRequest(`127.0.0.1:${server().port}`, { Origin: origin }));
    expect((await server().line(new RegExp(`mark-${before}`))).length).toBeLessThan(1000);
  });

  it('names the cause of an end', async () => {
    const before = server().lines.length;
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.text, Buffer.from([0xff])));
    await socket.ended;
    await server().line(/protocol-error/);
    expect(server().lines.length).toBe(before + 2);
  });
});

describe('with --log off', () => {
  const server = useServer(['--log', 'off']);

  it('only the ready line is printed', async () => {
    const client = await openClient(server().wsUrl);
    await client.echo('x');
    await client.close(1000);
    await exchange(server().port, upgradeRequest('x', { Origin: 'https://evil.example' }));
    await server().stop('SIGTERM');
    expect(server().lines.length).toBe(1);
    expect(server().errors).toEqual([]);
  });
});
