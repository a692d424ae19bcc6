import { describe, expect, it } from 'vitest';
import type { CompressionPolicy } from '../../core/compression.ts';
import {
  type Accept,
  acceptInput,
  isHost,
  judgeHandshake,
  type Refusal,
  refuseFull,
  refuseHost,
  refuseMethod,
  refuseNoSocketPath,
  refuseProtocol,
  refuseShutdown,
  refuseUnknownPath,
} from '../../core/handshake.ts';
import { createOriginPolicy } from '../../core/origin.ts';

const origins = createOriginPolicy({ allowed: ['https://client.com'], required: false });

/** The handshake of RFC 6455 section 1.3, with headers changed, or left out with `null`. */
function judge(
  changes: Record<string, string | null> = {},
  { method = 'GET', subprotocols = [] as string[] } = {},
): Accept | Refusal {
  const headers = new Headers({
    host: 'server.example',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  });
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return judgeHandshake({ method, headers }, { origins, subprotocols });
}

function refusal(answer: Accept | Refusal): Refusal {
  if (answer.accepted) throw new Error('accepted');
  return answer;
}

const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };

describe('a handshake as RFC 6455 has it', () => {
  it('is accepted', () => {
    expect(judge()).toEqual({ accepted: true, protocol: '', headers: {} });
  });

  it.each([
    ['upgrade', 'WebSocket'],
    ['upgrade', 'h2c, websocket'],
    ['connection', 'keep-alive, Upgrade'],
    ['connection', 'UPGRADE\t,close'],
    ['origin', 'https://client.com'],
    ['sec-websocket-key', 'AAAAAAAAAAAAAAAAAAAAAA=='],
    ['sec-websocket-key', '+/+/+/+/+/+/+/+/+/+/+w=='],
  ])('may have %s: %s', (name, value) => {
    expect(judge({ [name]: value }).accepted).toBe(true);
  });

  it('may have bits left over in its key, which is 16 bytes all the same', () => {
    expect(judge({ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZR==' }).accepted).toBe(true);
  });
});

describe('the Host', () => {
  const MALFORMED = 'The Host header is missing or is not one host, with a port or without.';

  it.each([
    'server.example',
    'SERVER.example:8080',
    '127.0.0.1:65535',
    '[::1]',
    '[::1]:80',
    'a:',
    'a_b.example',
    'x%41',
  ])('may be %s', (host) => {
    expect(isHost(host)).toBe(true);
    expect(judge({ host }).accepted).toBe(true);
  });

  it.each([
    '',
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'u@a',
    'a, b',
    'a:65536',
    'a:99999',
    'a:b',
    'ä.example',
    '[::1',
    'a\\b',
    null,
  ])('may not be %s', (host) => {
    expect(isHost(host)).toBe(false);
    expect(refusal(judge({ host }))).toMatchObject({ status: 400, reason: MALFORMED });
  });

  it('has a refusal of its own for requests that are none for a WebSocket', () => {
    expect(refuseHost()).toMatchObject({ status: 400, headers: plain, reason: MALFORMED });
  });
});

describe('a body', () => {
  it.each([{ 'content-length': '5' }, { 'transfer-encoding': 'chunked' }, { 'content-length': 'x' }])(
    'is refused: %o',
    (headers) => {
      expect(refusal(judge(headers))).toMatchObject({ status: 400, reason: 'A WebSocket handshake has no body.' });
    },
  );

  it('of no length is none', () => {
    expect(judge({ 'content-length': '0' }).accepted).toBe(true);
  });
});

describe('a request without an upgrade', () => {
  const NO_UPGRADE = 'This path speaks WebSocket only: connect with a WebSocket client (Upgrade: websocket).';

  it('is answered 400', () => {
    expect(judge({ upgrade: null, connection: null })).toEqual({
      accepted: false,
      status: 400,
      headers: plain,
      body: `${NO_UPGRADE}\n`,
      reason: NO_UPGRADE,
    });
  });

  it.each(['GET', 'HEAD', 'POST'])('is answered 400, not 405, with %s', (method) => {
    expect(refusal(judge({ upgrade: null }, { method })).status).toBe(400);
  });

  it.each(['', 'h2c', 'websockets', 'websocket/13', 'web socket'])('asks to upgrade to %j', (upgrade) => {
    expect(refusal(judge({ upgrade })).reason).toBe(NO_UPGRADE);
  });

  it.each([null, '', 'close', 'keep-alive', 'not-upgrade', 'upgrade-insecure'])(
    'has Connection: %j, as proxies leave it',
    (connection) => {
      expect(refusal(judge({ connection }))).toMatchObject({
        status: 400,
        reason: 'The Connection header lacks the token Upgrade; a proxy in between may have removed it.',
      });
    },
  );
});

it.each(['POST', 'HEAD', 'PUT', 'OPTIONS', 'get'])('a WebSocket request with method %s is answered 405', (method) => {
  expect(refusal(judge({}, { method }))).toEqual({
    accepted: false,
    status: 405,
    headers: { ...plain, allow: 'GET' },
    body: 'A WebSocket handshake is a GET request.\n',
    reason: 'A WebSocket handshake is a GET request.',
  });
});

describe('the version', () => {
  it.each([null, '0', '8', '12', '14', '25', '130', '99999999999999999999'])('%s is answered 426', (version) => {
    expect(judge({ 'sec-websocket-version': version })).toEqual({
      accepted: false,
      status: 426,
      headers: { ...plain, 'sec-websocket-version': '13', upgrade: 'websocket', connection: 'Upgrade' },
      body: 'This server speaks version 13 of the WebSocket protocol (RFC 6455).\n',
      reason: 'This server speaks version 13 of the WebSocket protocol (RFC 6455).',
    });
  });

  it.each(['', 'x', '013', '+13', '-1', '13.0', '0x0d', '13, 13', '13, 8', '8;13'])(
    '%j is none, and is answered 400',
    (version) => {
      expect(refusal(judge({ 'sec-websocket-version': version }))).toMatchObject({
        status: 400,
        headers: plain,
        reason: 'The Sec-WebSocket-Version header is not one number.',
      });
    },
  );

  it('is judged before the key, which other versions do not have', () => {
    expect(refusal(judge({ 'sec-websocket-version': '8', 'sec-websocket-key': null })).status).toBe(426);
  });
});

describe('the key', () => {
  it('must be there', () => {
    expect(refusal(judge({ 'sec-websocket-key': null }))).toMatchObject({
      status: 400,
      reason: 'The Sec-WebSocket-Key header is missing.',
    });
  });

  it.each([
    '',
    'dGhlIHNhbXBsZSBub25jZQ=',
    'dGhlIHNhbXBsZSBub25jZQ',
    'dGhlIHNhbXBsZSBub25jZQ===',
    'dGhlIHNhbXBsZSBub25jZUE=',
    'dGhlIHNhbXBsZSBub25j',
    'dGhlIHNhbXBsZSBub25jZUFB',
    'dGhlIHNhbXBsZSBub25j-_==',
    'dGhlIHNhbXBsZSBub25j ZQ==',
    'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==',
  ])('%j is answered 400', (key) => {
    expect(refusal(judge({ 'sec-websocket-key': key }))).toMatchObject({
      status: 400,
      headers: plain,
      reason: 'The Sec-WebSocket-Key header is not 16 bytes in base64.',
    });
  });
});

describe('the subprotocol', () => {
  const offer = (value: string, ...subprotocols: string[]) =>
    judge({ 'sec-websocket-protocol': value }, { subprotocols });

  it('is the first of the server’s that was offered', () => {
    expect(offer('chat, superchat , json', 'json', 'chat')).toEqual({
      accepted: true,
      protocol: 'json',
      headers: { 'sec-websocket-protocol': 'json' },
    });
  });

  it('is none, and no header is sent, when nothing is in common', () => {
    expect(offer('chat', 'json')).toEqual({ accepted: true, protocol: '', headers: {} });
    expect(offer('Chat', 'chat')).toEqual({ accepted: true, protocol: '', headers: {} });
    expect(offer('chat')).toEqual({ accepted: true, protocol: '', headers: {} });
    expect(judge({}, { subprotocols: ['chat'] })).toEqual({ accepted: true, protocol: '', headers: {} });
  });

  it('may be offered in any number of headers', () => {
    const headers = new Headers({
      host: 'example.com',
      upgrade: 'websocket',
      connection: 'upgrade',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    });
    headers.append('sec-websocket-protocol', 'a');
    headers.append('sec-websocket-protocol', 'b');
    expect(judgeHandshake({ method: 'GET', headers }, { origins, subprotocols: ['b'] })).toMatchObject({
      protocol: 'b',
    });
  });

  it.each(['', ',', 'a,', ',a', 'a,,b', 'a b', 'a/b', '"a"', 'a;q=1', 'a, a', 'caf\u00e9'])(
    '%j is answered 400',
    (value) => {
      expect(refusal(offer(value, 'a'))).toMatchObject({
        status: 400,
        headers: plain,
        reason: 'The Sec-WebSocket-Protocol header is not a list of distinct tokens.',
      });
    },
  );

  it('is judged in no time, however it is spaced', () => {
    expect(refusal(offer(`a${' \t'.repeat(500_000)}b`)).status).toBe(400);
  });
});

describe('the Origin', () => {
  it('is answered 403 with the policy’s reason when it is not allowed', () => {
    const reason = 'This Origin is not in the list that the server allows.';
    expect(judge({ origin: 'https://evil.org' })).toEqual({
      accepted: false,
      status: 403,
      headers: plain,
      body: `${reason}\n`,
      reason,
    });
  });

  it('is compared with Host where there is no list', () => {
    const policy = { origins: createOriginPolicy({ allowed: [], required: false }), subprotocols: [] };
    const handshake = (origin: string) => ({
      method: 'GET',
      headers: new Headers({
        host: 'localhost:8080',
        origin,
        upgrade: 'websocket',
        connection: 'upgrade',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
      }),
    });
    expect(judgeHandshake(handshake('http://localhost:8080'), policy).accepted).toBe(true);
    expect(judgeHandshake(handshake('http://localhost:8081'), policy)).toMatchObject({ status: 403 });
  });

  it('is judged last: what is no handshake is not refused for its Origin', () => {
    const origin = 'https://evil.org';
    expect(refusal(judge({ origin, upgrade: null })).status).toBe(400);
    expect(refusal(judge({ origin }, { method: 'POST' })).status).toBe(405);
    expect(refusal(judge({ origin, 'sec-websocket-version': '8' })).status).toBe(426);
    expect(refusal(judge({ origin, 'sec-websocket-key': 'x' })).status).toBe(400);
    expect(refusal(judge({ origin, 'sec-websocket-protocol': ',' })).status).toBe(400);
  });
});

describe('an extended CONNECT, as RFC 8441 has it,', () => {
  const connect = (headers: Record<string, string> = {}) =>
    judgeHandshake(
      {
        method: 'GET',
        headers: new Headers({ host: 'server.example', 'sec-websocket-version': '13', ...headers }),
        extendedConnect: true,
      },
      { origins, subprotocols: ['chat'] },
    );

  it('is accepted without an upgrade and a key, and a key is not looked at', () => {
    expect(connect()).toEqual({ accepted: true, protocol: '', headers: {} });
    expect(connect({ 'sec-websocket-key': 'x' }).accepted).toBe(true);
  });

  it('agrees on a subprotocol', () => {
    expect(connect({ 'sec-websocket-protocol': 'news, chat' })).toEqual({
      accepted: true,
      protocol: 'chat',
      headers: { 'sec-websocket-protocol': 'chat' },
    });
  });

  it.each([
    ['another version', { 'sec-websocket-version': '8' }, 426],
    ['no version', { 'sec-websocket-version': 'x' }, 400],
    ['subprotocols that are none', { 'sec-websocket-protocol': 'a,,b c' }, 400],
    ['an Origin that is not allowed', { origin: 'https://evil.org' }, 403],
  ])('is refused for %s all the same', (_, headers, status) => {
    expect(refusal(connect(headers)).status).toBe(status);
  });
});

describe('the refusals that others decide on', () => {
  it.each([
    [refuseFull, 503, { 'retry-after': '10' }, 'The server has as many connections as it allows; try again later.'],
    [refuseShutdown, 503, { 'retry-after': '10' }, 'The server is shutting down; try again later.'],
    [refuseMethod, 405, { allow: 'GET, HEAD' }, 'This path can only be read, with GET or HEAD.'],
    [refuseUnknownPath, 404, {}, 'There is nothing at this path.'],
    [refuseNoSocketPath, 404, {}, 'There are no WebSockets at this path.'],
    [refuseProtocol, 501, {}, 'CONNECT is for WebSockets only here (:protocol = websocket, RFC 8441).'],
  ])('%s', (refuse, status, headers, reason) => {
    expect(refuse()).toEqual({
      accepted: false,
      status,
      headers: { ...plain, ...headers },
      body: `${reason}\n`,
      reason,
    });
  });
});

it('Sec-WebSocket-Accept is made from the key as in RFC 6455 section 1.3', async () => {
  const input = acceptInput('dGhlIHNhbXBsZSBub25jZQ==');
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(input));
  expect(btoa(String.fromCharCode(...new Uint8Array(digest)))).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

describe('compression', () => {
  const judgeOffer = (offer: string | null, compression?: CompressionPolicy) => {
    const headers = new Headers({
      host: 'server.example',
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    });
    if (offer !== null) headers.set('sec-websocket-extensions', offer);
    return judgeHandshake(
      { method: 'GET', headers, extendedConnect: false },
      { origins, subprotocols: [], compression },
    );
  };
  const policy: CompressionPolicy = { windowBits: 12, noContextTakeover: false, wide: false };

  it('is agreed on and answered', () => {
    expect(judgeOffer('permessage-deflate', policy)).toEqual({
      accepted: true,
      protocol: '',
      compression: {
        serverMaxWindowBits: 12,
        clientMaxWindowBits: 15,
        serverNoContextTakeover: false,
        clientNoContextTakeover: false,
      },
      headers: { 'sec-websocket-extensions': 'permessage-deflate; server_max_window_bits=12' },
    });
  });

  it.each([
    ['is switched off', 'permessage-deflate', undefined],
    ['is not offered', null, policy],
    ['is offered in a way that can not be accepted', 'permessage-deflate; server_max_window_bits=99', policy],
    ['is offered in a way that can not be read', '"; =,', policy],
  ])('is left out where it %s', (_, offer, compression) => {
    expect(judgeOffer(offer, compression)).toEqual({ accepted: true, protocol: '', headers: {} });
  });
});
