import { describe, expect, it } from 'vitest';
import { Fault } from '../../core/config-kinds.ts';
import { conflict, type OptionName, optionNames, schema } from '../../core/config-schema.ts';
import type { Config } from '../../core/config-type.ts';

function fault(name: OptionName, text: string): string | undefined {
  const read = schema[name].kind.fromText(text);
  return read instanceof Fault ? read.message : undefined;
}

describe('every option', () => {
  it.each(optionNames)('%s has a default that it would accept', (name) => {
    expect(schema[name].kind.fromValue(schema[name].default)).toEqual(schema[name].default);
  });

  it('has a flag and variables of its own', () => {
    const flags = optionNames.map((name) => schema[name].flag);
    const variables = optionNames.flatMap((name) => schema[name].env);
    expect(new Set(flags).size).toBe(flags.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  it('has the variable that its flag suggests, lists the plural too, and the path another than PATH', () => {
    for (const name of optionNames) {
      const { flag, env, repeatable } = schema[name];
      const variable = flag.slice(2).replaceAll('-', '_').toUpperCase();
      const expected = name === 'path' ? ['SOCKET_PATH'] : repeatable ? [`${variable}S`, variable] : [variable];
      expect(env).toEqual(expected);
    }
  });
});

describe('the host', () => {
  it.each(['127.0.0.1', '::1', '::', 'localhost', 'fe80::1%eth0'])('may be %s', (host) => {
    expect(fault('host', host)).toBeUndefined();
  });

  it.each([
    ['', 'expected an IP address or a host name, such as 127.0.0.1'],
    ['a b', 'expected an IP address or a host name, such as 127.0.0.1'],
    ['http://localhost', 'expected an IP address or a host name, such as 127.0.0.1'],
    ['[::1]', 'expected an IPv6 address without brackets, such as ::1'],
    ['localhost:8080', 'expected an address without a port, which --port sets'],
  ])('may not be %j', (host, expected) => {
    expect(fault('host', host)).toBe(`'${host}': ${expected}`);
  });
});

describe('the path', () => {
  it.each(['/ws', '/ws/', '/a/b-c/v1.0', '/~x_y', '/information', '/info/ws', '/.well-known/ws', '/..a'])(
    'may be %s',
    (path) => {
      expect(fault('path', path)).toBeUndefined();
    },
  );

  it.each([
    'ws',
    '',
    '//ws',
    '/a//b',
    '/ws?x',
    '/ws#x',
    '/*',
    '/:id',
    '/{x}',
    '/a b',
    '/%41',
    '/é',
    '/.',
    '/a/../b',
    '/a/.',
    '\\ws',
    'http://localhost/ws',
  ])('may not be %j', (path) => {
    expect(fault('path', path)).toMatch(/: expected a path that starts with \/ and has only letters/);
  });

  it.each(['/', '/info', '/health', '/metrics', '/index.html', '/main.js', '/favicon.svg'])(
    'may not be %s, which is taken',
    (path) => {
      expect(fault('path', path)).toBe(
        `'${path}': the page or a report is served there; expected another path, such as /ws`,
      );
    },
  );

  it('is judged in no time', () => {
    expect(fault('path', `${'/a'.repeat(100_000)}!`)).toBeDefined();
  });
});

describe('the allowed Origins', () => {
  it('are checked for what can never match', () => {
    expect(fault('allowedOrigins', '*, null,https://*.a.com')).toBeUndefined();
    expect(fault('allowedOrigins', 'https://b.com,https://a.com/')).toBe(
      "'https://a.com/' can never match: an Origin has no path; write https://a.com",
    );
  });
});

describe('the subprotocols', () => {
  it('are distinct tokens', () => {
    expect(fault('subprotocols', 'chat.v2,chat.v1')).toBeUndefined();
    expect(fault('subprotocols', 'chat,chat')).toBe("'chat' is given twice; give it once");
    expect(fault('subprotocols', 'a/b')).toBe(
      "'a/b': expected a name of letters, digits and !#$%&'*+-.^_`|~, such as chat.v1",
    );
  });
});

describe('the files of a certificate', () => {
  it('are names, and none by default', () => {
    expect(fault('tlsCert', '/etc/tls/cert.pem')).toBeUndefined();
    expect(fault('tlsKey', 'a\0b')).toBe("'a\\u{0}b': expected the name of a file");
    expect(schema.tlsCert.kind.show(schema.tlsCert.default)).toBe('none');
    expect(schema.tlsCert.kind.show('cert.pem')).toBe('cert.pem');
  });
});

describe('options together', () => {
  const defaults = Object.fromEntries(optionNames.map((name) => [name, schema[name].default])) as unknown as Config;

  it('are right by default', () => {
    expect(conflict(defaults, String)).toBeUndefined();
    expect(conflict({ ...defaults, keepAliveInterval: 0 }, String)).toBeUndefined();
    expect(conflict({ ...defaults, keepAliveTimeout: 1000 }, String)).toBeUndefined();
  });

  const flags = (name: OptionName) => schema[name].flag;
  const certificate = { tlsCert: 'cert.pem', tlsKey: 'key.pem' };

  it('may be a certificate with its key, with HTTP/2 or without, or HTTP/2 in cleartext', () => {
    expect(conflict({ ...defaults, ...certificate }, flags)).toBeUndefined();
    expect(conflict({ ...defaults, ...certificate, http2: true }, flags)).toBeUndefined();
    expect(conflict({ ...defaults, http2Cleartext: true }, flags)).toBeUndefined();
  });

  it('may bound compression', () => {
    const bounds = { compressionWindowBits: 9, compressionNoContextTakeover: true };
    expect(conflict({ ...defaults, ...bounds, compression: true }, flags)).toBeUndefined();
  });

  it.each<[string, Partial<Config>, string]>([
    [
      'a compression window without compression',
      { compressionWindowBits: 14 },
      '--compression-window-bits is of use only with --compression; set both',
    ],
    [
      'messages compressed by themselves without compression',
      { compressionNoContextTakeover: true },
      '--compression-no-context-takeover is of use only with --compression; set both',
    ],
    ['a certificate without its key', { tlsCert: 'c' }, '--tls-cert is of use only with --tls-key; set both'],
    ['a key without its certificate', { tlsKey: 'k' }, '--tls-key is of use only with --tls-cert; set both'],
    [
      'HTTP/2 without TLS',
      { http2: true },
      '--http2 needs TLS; set --tls-cert and --tls-key, or take --http2-cleartext behind a proxy that ends TLS',
    ],
    [
      'cleartext with TLS',
      { ...certificate, http2Cleartext: true },
      '--http2-cleartext is for connections without TLS, and --tls-cert is set; take --http2 in its place',
    ],
    [
      'HTTP/2 in TLS and in cleartext',
      { ...certificate, http2: true, http2Cleartext: true },
      '--http2-cleartext is for connections without TLS, and --tls-cert is set; leave it out beside --http2',
    ],
    [
      'both without TLS',
      { http2: true, http2Cleartext: true },
      '--http2 needs TLS; set --tls-cert and --tls-key, or take --http2-cleartext alone behind a proxy that ends TLS',
    ],
  ])('can not be %s', (_, options, expected) => {
    expect(conflict({ ...defaults, ...options }, flags)).toBe(expected);
  });

  it('can not wait for a PONG without sending a PING', () => {
    expect(conflict({ ...defaults, keepAliveInterval: 0, keepAliveTimeout: 1000 }, (name) => schema[name].flag)).toBe(
      '--keep-alive-timeout waits for the answer to a PING, and --keep-alive-interval 0 sends none; ' +
        'set --keep-alive-interval above 0',
    );
  });
});
