/** The opening handshake (RFC 6455 section 4) and its refusals, as they stand on the wire. */
import { describe, expect, it } from 'vitest';
import {
  acceptFor,
  closePayload,
  exchange,
  frame,
  type HttpResponse,
  key,
  opcode,
  openRaw,
  RawSocket,
  upgradeRequest,
} from '../support/raw.ts';
import { currentTarget } from '../support/server.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

/** Over HTTP/2 CONNECT takes the place of the upgrade (RFC 8441 section 5): what is about the latter is skipped. */
const { http2 } = currentTarget;

/** What a runtime's HTTP server adds by itself and no client of a WebSocket cares about. */
const byRuntime = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

/** What must be the same on every engine: the status line, the headers by name, the body. */
function essence(response: HttpResponse, ignored: ReadonlySet<string> = byRuntime) {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    const lower = name.toLowerCase();
    if (!ignored.has(lower)) headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`;
  }
  return { statusLine: response.statusLine, headers, body: response.body.toString() };
}

/** A refusal as it must stand on the wire. */
function refusal(statusLine: string, reason: string, headers: Record<string, string> = {}) {
  const body = `${reason}\n`;
  return {
    statusLine: `HTTP/1.1 ${statusLine}`,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(body.length),
      'cache-control': 'no-store',
      ...headers,
    },
    body,
  };
}

type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

describe('a server with its defaults', () => {
  const server = useServer();
  const host = () => `127.0.0.1:${server().port}`;
  const ask = (changes: Changes, line?: string) => exchange(server().port, upgradeRequest(host(), changes, line));

  describe('accepts', () => {
    const accepted = {
      statusLine: 'HTTP/1.1 101 Switching Protocols',
      headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': acceptFor(key) },
      body: '',
    };
    const date = new Set(['date']);

    const good: [string, Changes][] = [
      ['a WebSocket request', {}],
      ['the token websocket in any case', { Upgrade: 'WebSocket' }],
      ['the token Upgrade in any case, among others', { Connection: 'keep-alive, uPGRADE' }],
      ['an Origin with the same host and port', { Origin: 'same' }],
      ['an offer of compression, which it does not take up', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }],
      ['an offer of a subprotocol, and chooses none', { 'Sec-WebSocket-Protocol': 'chat' }],
      ['headers that it knows nothing of', { Cookie: 'a=b', 'X-Other': 'anything at all' }],
    ];
    it.each(good)('%s', async (_, changes) => {
      const origin = changes.Origin === 'same' ? { Origin: `http://${host()}` } : {};
      expect(essence(await ask({ ...changes, ...origin }), date)).toEqual(accepted);
    });

    it('another key, with the value that belongs to it', async () => {
      const other = Buffer.from('0123456789abcdef').toString('base64');
      const response = await ask({ 'Sec-WebSocket-Key': other });
      expect(response.header('Sec-WebSocket-Accept')).toBe(acceptFor(other));
    });

    it('a request that comes one byte at a time', async () => {
      const socket = await RawSocket.connect(server().port);
      for (const byte of upgradeRequest(host())) await socket.flush(Buffer.from(byte));
      expect((await socket.response()).status).toBe(101);
      socket.send(frame(opcode.text, 'awake'));
      expect((await socket.message()).data.toString()).toBe('awake');
    });

    it('a query behind the path', async () => {
      expect((await ask({}, 'GET /ws?room=1 HTTP/1.1')).status).toBe(101);
    });

    it('a request on a connection that carried another before', async () => {
      const socket = await RawSocket.connect(server().port);
      socket.send(`GET /nowhere HTTP/1.1\r\nHost: ${host()}\r\n\r\n`);
      expect((await socket.response()).status).toBe(404);
      socket.send(upgradeRequest(host()));
      expect((await socket.response()).status).toBe(101);
    });

    it('messages that arrive in the same packet as the request, and loses none', async () => {
      const socket = await RawSocket.connect(server().port);
      const early = [frame(opcode.text, 'one'), frame(opcode.binary, 'two'), frame(opcode.text, 'three')];
      socket.send(Buffer.concat([Buffer.from(upgradeRequest(host())), ...early]));
      expect((await socket.response()).status).toBe(101);
      expect(await socket.message()).toEqual({ text: true, data: Buffer.from('one') });
      expect(await socket.message()).toEqual({ text: false, data: Buffer.from('two') });
      expect(await socket.message()).toEqual({ text: true, data: Buffer.from('three') });
    });
  });

  it('echoes messages that arrive in the same packet as the request and a Close', async () => {
    const socket = await RawSocket.connect(server().port);
    const early = [frame(opcode.text, 'one'), frame(opcode.close, closePayload(1000, 'bye'))];
    socket.send(Buffer.concat([Buffer.from(upgradeRequest(host())), ...early]));
    expect((await socket.response()).status).toBe(101);
    expect(await socket.message()).toEqual({ text: true, data: Buffer.from('one') });
    expect(await socket.closeFrame()).toEqual({ code: 1000, reason: 'bye' });
  });

  it('echoes messages that arrive with a Close as soon as the answer is out, every time', async () => {
    for (let time = 0; time < 50; time++) {
      const socket = await openRaw(server().port);
      socket.send(Buffer.concat([frame(opcode.text, 'one'), frame(opcode.close, closePayload(1000, 'bye'))]));
      expect(await socket.message()).toEqual({ text: true, data: Buffer.from('one') });
      expect(await socket.closeFrame()).toEqual({ code: 1000, reason: 'bye' });
    }
  });

  it.skipIf(http2)('accepts a list of upgrades that has websocket in it', async () => {
    const response = await ask({ Upgrade: ['h2c', 'websocket'] });
    expect(response.status).toBe(deviates('upgrade-list-refused') ? 400 : 101);
    expect((await ask({})).status).toBe(101);
  });

  describe('refuses', () => {
    const wrongHost = refusal(
      '400 Bad Request',
      'The Host header is missing or is not one host, with a port or without.',
    );
    const emptyRefusal = { statusLine: 'HTTP/1.1 400 Bad Request', body: '' };
    const bun = deviates('no-host-refused-empty');
    const deno = deviates('two-hosts-and-bodies-refused-empty');
    const wrongVersion = refusal(
      '426 Upgrade Required',
      'This server speaks version 13 of the WebSocket protocol (RFC 6455).',
      { 'sec-websocket-version': '13', ...(http2 ? {} : { upgrade: 'websocket' }) },
    );
    const noUpgrade = refusal(
      '400 Bad Request',
      'This path speaks WebSocket only: connect with a WebSocket client (Upgrade: websocket).',
    );
    const wrongKey = refusal('400 Bad Request', 'The Sec-WebSocket-Key header is not 16 bytes in base64.');
    const wrongProtocols = refusal(
      '400 Bad Request',
      'The Sec-WebSocket-Protocol header is not a list of distinct tokens.',
    );
    const malformedOrigin = refusal(
      '403 Forbidden',
      'The Origin header is not one serialized origin such as https://example.com.',
    );
    const nothingHere = refusal('404 Not Found', 'There is nothing at this path.');
    const wrongMethod = refusal('405 Method Not Allowed', 'A WebSocket handshake is a GET request.', { allow: 'GET' });
    const bad: [string, Changes, ReturnType<typeof refusal>, string?][] = [
      [
        'an Origin with another host',
        { Origin: 'https://evil.example' },
        refusal('403 Forbidden', 'This Origin is not the host that was asked; the server must list it as allowed.'),
      ],
      ['two Origins', { Origin: ['http://a.example', 'http://a.example'] }, malformedOrigin],
      ['a request without an upgrade', { Upgrade: undefined, Connection: undefined }, noUpgrade],
      ['a port that is none', { Host: 'a:99999' }, wrongHost],
      ['an empty Origin and another', { Origin: ['', 'http://a.example'] }, malformedOrigin],
      ['version 8', { 'Sec-WebSocket-Version': '8' }, wrongVersion],
      ['version 99', { 'Sec-WebSocket-Version': '99' }, wrongVersion],
      ['no version', { 'Sec-WebSocket-Version': undefined }, wrongVersion],
      [
        'a version that is no number',
        { 'Sec-WebSocket-Version': '13.0' },
        refusal('400 Bad Request', 'The Sec-WebSocket-Version header is not one number.'),
      ],
      ['a malformed list of subprotocols', { 'Sec-WebSocket-Protocol': 'a b' }, wrongProtocols],
      ['a subprotocol offered twice', { 'Sec-WebSocket-Protocol': 'a, a' }, wrongProtocols],
      ['an unknown path', {}, nothingHere, 'GET /elsewhere HTTP/1.1'],
    ];
    const badInHttp1: typeof bad = [
      ['an Upgrade to something else', { Upgrade: 'h2c' }, noUpgrade],
      [
        'a Connection without the token Upgrade',
        { Connection: 'keep-alive' },
        refusal(
          '400 Bad Request',
          'The Connection header lacks the token Upgrade; a proxy in between may have removed it.',
        ),
      ],
      ['the method POST', {}, wrongMethod, 'POST /ws HTTP/1.1'],
      ['the method TRACE, which a Request can not have', {}, wrongMethod, 'TRACE /ws HTTP/1.1'],
      [
        'no key',
        { 'Sec-WebSocket-Key': undefined },
        refusal('400 Bad Request', 'The Sec-WebSocket-Key header is missing.'),
      ],
      ['a key of 15 bytes', { 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') }, wrongKey],
      ['a key of 17 bytes', { 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') }, wrongKey],
      ['a key that is not base64', { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }, wrongKey],
      ['two keys', { 'Sec-WebSocket-Key': [key, key] }, wrongKey],
      ['CONNECT to a host and a port', {}, nothingHere, 'CONNECT example.com:443 HTTP/1.1'],
      ['CONNECT to itself', {}, nothingHere, 'CONNECT 127.0.0.1:8080 HTTP/1.1'],
    ];
    const judge = async (_: string, changes: Changes, expected: ReturnType<typeof refusal>, line?: string) => {
      expect(essence(await ask(changes, line))).toEqual(expected);
    };
    it.each(bad)('%s', judge);
    describe.skipIf(http2)('what is wrong in HTTP/1.1 only:', () => it.each(badInHttp1)('%s', judge));

    const noBody = refusal('400 Bad Request', 'A WebSocket handshake has no body.');
    // A Host that is none may be malformed for the runtime's HTTP/2 itself, which says no more.
    const { statusLine } = wrongHost;
    it.each([
      ['a Host with a path', { Host: 'a/b' }, http2 ? { statusLine } : wrongHost],
      ['a Host with user info', { Host: 'user@127.0.0.1' }, http2 ? { statusLine } : wrongHost],
      ['a body', { 'Content-Length': '5' }, deno ? emptyRefusal : noBody],
    ])('%s', async (_, changes, expected) => {
      expect(essence(await ask(changes))).toMatchObject(expected);
    });

    it.skipIf(http2).each([
      ['for a WebSocket', {}, wrongMethod],
      ['for no WebSocket', { Upgrade: undefined, Connection: undefined }, noUpgrade],
    ] as const)('CONNECT with a path, %s', async (_, changes, expected) => {
      const response = await ask(changes, 'CONNECT /ws HTTP/1.1');
      expect(essence(response)).toMatchObject(deviates('connect-refused-empty') ? emptyRefusal : expected);
    });

    it.skipIf(http2).each([
      ['no Host', { Host: undefined }, bun ? emptyRefusal : wrongHost],
      ['two Hosts', { Host: ['a', 'b'] }, deno ? emptyRefusal : wrongHost],
    ])('%s, as only HTTP/1.1 can have', async (_, changes, expected) => {
      expect(essence(await ask(changes))).toMatchObject(expected);
    });

    it.skipIf(http2)('HEAD with the headers that GET would have got', async () => {
      const socket = await RawSocket.connect(server().port);
      socket.send(upgradeRequest(host(), {}, 'HEAD /ws HTTP/1.1'));
      const { status, header } = await socket.response({ head: true });
      expect([status, header('content-length')]).toEqual([405, '40']);
    });

    it('a malformed Host without keeping a place for it', async () => {
      for (let i = 0; i < 5; i++) await ask({ Host: 'a:99999' });
      const health = await fetch(`${server().url}/health`);
      expect(((await health.json()) as { connections: number }).connections).toBeLessThan(5);
    });

    it.skipIf(http2)('another version with a Connection header that names Upgrade (RFC 9110 section 7.8)', async () => {
      const response = await ask({ 'Sec-WebSocket-Version': '8' });
      expect(response.header('connection')?.toLowerCase()).toContain('upgrade');
    });
  });
});

describe('a server that prefers subprotocol b to a', () => {
  const server = useServer(['--subprotocol', 'b', '--subprotocol', 'a']);
  const chosen = async (offer: string | string[]) => {
    const request = upgradeRequest(`127.0.0.1:${server().port}`, { 'Sec-WebSocket-Protocol': offer });
    const response = await exchange(server().port, request);
    expect(response.status).toBe(101);
    return response.header('Sec-WebSocket-Protocol');
  };

  it.each([
    ['b', 'a, b'],
    ['b', 'b,a'],
    ['a', 'x, a'],
  ])('chooses %s of "%s"', async (expected, offer) => {
    expect(await chosen(offer)).toBe(expected);
  });

  it('reads an offer in two header lines as one', async () => {
    expect(await chosen(['a', 'b'])).toBe('b');
  });

  it('sends nothing when it knows none of them', async () => {
    expect(await chosen('x, B')).toBeUndefined();
  });

  it('reports the one that was agreed on', async () => {
    const socket = await openRaw(server().port, { protocol: 'x, a' });
    expect((await server().report({ event: 'opened', remote: socket.address })).protocol).toBe('a');
  });
});

describe('a server with --max-connections 2', () => {
  const server = useServer(['--max-connections', '2']);

  it('answers a third client 503, and accepts it once another has left', async () => {
    const { port } = server();
    const first = await openRaw(port);
    await openRaw(port);
    const refused = await exchange(port, upgradeRequest(`127.0.0.1:${port}`));
    expect(essence(refused)).toEqual(
      refusal('503 Service Unavailable', 'The server has as many connections as it allows; try again later.', {
        'retry-after': '10',
      }),
    );
    first.destroy();
    await server().report({ event: 'ended', remote: first.address });
    await openRaw(port);
  });
});

describe('a server with --path /socket', () => {
  const server = useServer(['--path', '/socket']);

  it('has its WebSockets there and not at /ws', async () => {
    await openRaw(server().port, { path: '/socket' });
    const elsewhere = await exchange(server().port, upgradeRequest(`127.0.0.1:${server().port}`));
    expect(elsewhere.status).toBe(404);
  });
});
