import { describe, expect, it } from 'vitest';
import { createOriginPolicy, readAllowedOrigin } from '../../core/origin.ts';

const NOT_LISTED = 'This Origin is not in the list that the server allows.';
const MALFORMED = 'The Origin header is not one serialized origin such as https://example.com.';
const OTHER_HOST = 'This Origin is not the host that was asked; the server must list it as allowed.';
const OPAQUE = 'An Origin of null or file:// is not allowed; the server must allow it by name.';

function allowing(...allowed: string[]) {
  const policy = createOriginPolicy({ allowed, required: false });
  return (origin: string | null, host: string | null = 'server.example') => policy.judge(origin, host);
}

/** What is not one serialized origin, whatever the list. */
const malformed = [
  '',
  ' ',
  '*',
  'client.com',
  '//client.com',
  'https:client.com',
  'https:/client.com',
  'https://',
  'https://client.com/',
  'https://client.com/path',
  'https://client.com?query',
  'https://client.com#fragment',
  'https://client.com\\',
  'https://client.com.',
  'https://.client.com',
  'https://a..client.com',
  'https://client.com:',
  'https://client.com:0443',
  'https://client.com:65536',
  'https://client.com:443443',
  'https://client.com:x',
  'https://client.com:443:443',
  'https://user@client.com',
  'https://user:password@client.com',
  'https://client.com@evil.org',
  'https://client.com https://client.com',
  'https://client.com, https://client.com',
  'https://client.com,https://evil.org',
  ', https://client.com',
  'https://client.com\n',
  'https://cl%69ent.com',
  'https://bücher.example',
  'https://\u212Aey.com',
  'https://*.client.com',
  'https://[::1',
  'https://[::1]]',
  'https://[1:2]',
  'https://[::1]x',
  'https://::1',
  '1https://client.com',
  'NULL',
  'file:///',
];

describe('a listed origin', () => {
  const judge = allowing('https://client.com', 'http://app.example:8080');

  it('is allowed, whatever the request’s Host', () => {
    expect(judge('https://client.com')).toBeUndefined();
    expect(judge('http://app.example:8080', null)).toBeUndefined();
  });

  it('is allowed in upper case and with its default port spelt out', () => {
    expect(judge('https://CLIENT.com')).toBeUndefined();
    expect(judge('HTTPS://client.com:443')).toBeUndefined();
    expect(judge('HTTP://App.Example:8080')).toBeUndefined();
  });

  it('is the only one that is allowed, the server’s own host included', () => {
    expect(judge('http://server.example')).toBe(NOT_LISTED);
  });

  it.each([
    'http://client.com',
    'https://client.com:8443',
    'https://client.com:80',
    'https://client.com.evil.org',
    'https://evilclient.com',
    'https://www.client.com',
    'https://client.co',
    'http://app.example',
    'https://app.example:8080',
    'chrome-extension://client.com',
  ])('is not %s', (origin) => {
    expect(judge(origin)).toBe(NOT_LISTED);
  });

  it.each(malformed)('is not %j', (origin) => {
    expect(judge(origin)).toBe(MALFORMED);
  });

  it.each(['null', 'file://'])('is not %s', (origin) => {
    expect(judge(origin)).toBe(OPAQUE);
  });

  it('may be configured in upper case and with its default port', () => {
    expect(allowing('HTTPS://Client.COM:443')('https://client.com')).toBeUndefined();
    expect(allowing('http://client.com:080')('http://client.com')).toBeUndefined();
  });

  it('may be configured in Unicode and come in ASCII', () => {
    const unicode = allowing('https://bücher.example', 'https://*.bücher.example', 'https://FASS.example');
    expect(unicode('https://xn--bcher-kva.example')).toBeUndefined();
    expect(unicode('https://shop.XN--BCHER-kva.example')).toBeUndefined();
    expect(unicode('https://bucher.example')).toBe(NOT_LISTED);
    expect(unicode('https://faß.example')).toBe(MALFORMED);
  });

  it('may have an IP address, in any notation of it', () => {
    const addresses = allowing('http://[0:0::1]:8080', 'http://127.1', 'app://[::2]');
    expect(addresses('http://[::1]:8080')).toBeUndefined();
    expect(addresses('http://[0:0:0:0:0:0:0:1]:8080')).toBeUndefined();
    expect(addresses('http://127.0.0.1')).toBeUndefined();
    expect(addresses('app://[::2]')).toBeUndefined();
    expect(addresses('http://[::1]')).toBe(NOT_LISTED);
    expect(addresses('http://[::3]:8080')).toBe(NOT_LISTED);
  });

  it('may have another scheme than http and https', () => {
    const app = allowing(
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
      'tauri://localhost',
      'Capacitor://Host',
    );
    expect(app('chrome-extension://abcdefghijklmnopabcdefghijklmnop')).toBeUndefined();
    expect(app('tauri://localhost')).toBeUndefined();
    expect(app('capacitor://host')).toBeUndefined();
    expect(app('capacitor://localhost')).toBe(NOT_LISTED);
    expect(app('http://localhost')).toBe(NOT_LISTED);
  });

  it('may be null or file:// by name', () => {
    expect(allowing('null')('null')).toBeUndefined();
    expect(allowing('null')('file://')).toBe(OPAQUE);
    expect(allowing('file://')('file://')).toBeUndefined();
    expect(allowing('null')('http://server.example')).toBe(NOT_LISTED);
  });
});

describe('a pattern', () => {
  const judge = allowing('https://*.client.com', 'http://*.dev.example:8443');

  it('allows one or more labels under its host', () => {
    expect(judge('https://www.client.com')).toBeUndefined();
    expect(judge('https://a.b.c.client.com')).toBeUndefined();
    expect(judge('https://WWW.Client.com:443')).toBeUndefined();
    expect(judge('http://x.dev.example:8443')).toBeUndefined();
  });

  it.each([
    'https://client.com',
    'https://evilclient.com',
    'https://www.client.com.evil.org',
    'https://www.client.com:8443',
    'http://www.client.com',
    'https://www.evil.org',
    'http://x.dev.example',
    'https://x.dev.example:8443',
  ])('does not allow %s', (origin) => {
    expect(judge(origin)).toBe(NOT_LISTED);
  });

  it.each([
    'https://.client.com',
    'https://evil.org/.client.com',
    'https://x@www.client.com',
    'https://www.client.com.',
  ])('does not allow %s, which is no origin', (origin) => {
    expect(judge(origin)).toBe(MALFORMED);
  });

  it('goes with other schemes too', () => {
    expect(allowing('app://*.local')('app://main.local')).toBeUndefined();
  });
});

describe('with *', () => {
  const judge = allowing('*');

  it.each(['https://client.com', 'http://evil.org:1', 'chrome-extension://abc', 'http://[::1]:8080'])(
    '%s is allowed',
    (origin) => {
      expect(judge(origin)).toBeUndefined();
    },
  );

  it.each(malformed)('%j is refused, as no browser sends it', (origin) => {
    expect(judge(origin)).toBe(MALFORMED);
  });

  it('null and file:// must be named', () => {
    expect(judge('null')).toBe(OPAQUE);
    expect(judge('file://')).toBe(OPAQUE);
    expect(allowing('*', 'null', 'file://')('null')).toBeUndefined();
    expect(allowing('*', 'null', 'file://')('file://')).toBeUndefined();
  });
});

describe('without a list', () => {
  const judge = allowing();

  it.each([
    ['http://localhost:8080', 'localhost:8080'],
    ['http://127.0.0.1:49152', '127.0.0.1:49152'],
    ['http://[::1]:8080', '[::1]:8080'],
    ['http://[::1]:8080', '[0:0::1]:8080'],
    ['https://Example.com', 'EXAMPLE.com'],
    ['http://example.com', 'example.com:80'],
    ['http://example.com:80', 'example.com'],
    ['https://example.com', 'example.com:443'],
    ['https://example.com:443', 'example.com'],
  ])('%s is allowed at Host %s', (origin, host) => {
    expect(judge(origin, host)).toBeUndefined();
  });

  it('what was just allowed at one Host is not allowed at another, nor anything else there', () => {
    const judge = allowing();
    expect(judge('http://a.test', 'a.test')).toBeUndefined();
    expect(judge('http://a.test', 'a.test')).toBeUndefined();
    expect(judge('http://a.test', 'b.test')).toBe(OTHER_HOST);
    expect(judge('http://a.test', null)).toBe(OTHER_HOST);
    expect(judge('http://b.test', 'a.test')).toBe(OTHER_HOST);
    expect(judge('http://b.test', 'a.test')).toBe(OTHER_HOST);
    expect(judge('http://a.test', 'a.test')).toBeUndefined();
  });

  it('the scheme is not compared, as TLS may end at a proxy', () => {
    expect(judge('https://example.com:8080', 'example.com:8080')).toBeUndefined();
    expect(judge('http://example.com:8080', 'example.com:8080')).toBeUndefined();
  });

  it.each([
    ['http://localhost:8081', 'localhost:8080'],
    ['http://localhost', 'localhost:8080'],
    ['http://localhost:8080', 'localhost'],
    ['https://example.com', 'example.com:80'],
    ['http://127.0.0.1:8080', 'localhost:8080'],
    ['http://evil.org', 'example.com'],
    ['http://example.com', 'example.com.'],
    ['http://example.com', 'example.com/'],
    ['http://example.com', 'user@example.com'],
    ['http://example.com', 'example.com, evil.org'],
    ['http://example.com', ''],
    ['http://example.com', null],
    ['capacitor://localhost', 'localhost'],
    ['constructor://localhost', 'localhost'],
  ])('%s is refused at Host %s', (origin, host) => {
    expect(judge(origin, host)).toBe(OTHER_HOST);
  });

  it.each(malformed)('%j is refused', (origin) => {
    expect(judge(origin, 'client.com')).toBe(MALFORMED);
  });

  it('null is refused', () => {
    expect(judge('null', 'null')).toBe(OPAQUE);
  });
});

describe('a request without Origin', () => {
  it('is no browser’s, and is allowed', () => {
    expect(allowing()(null)).toBeUndefined();
    expect(allowing('https://client.com')(null, null)).toBeUndefined();
  });

  it('is refused where Origin is required, even with *', () => {
    const policy = createOriginPolicy({ allowed: ['*'], required: true });
    expect(policy.judge(null, 'server.example')).toBe('An Origin header is required here.');
    expect(policy.judge('https://client.com', 'server.example')).toBeUndefined();
  });
});

describe('a configured value that can never match', () => {
  it.each([
    ['https://a.com/', 'an Origin has no path; write https://a.com'],
    ['https://a.com/x', 'an Origin has no path; write https://a.com'],
    ['https://a.com\\', 'an Origin has no path; write https://a.com', 'https://a.com\\\\'],
    ['https://a.com?x', 'an Origin has no query; write https://a.com'],
    ['https://a.com#x', 'an Origin has no fragment; write https://a.com'],
    ['https://a.com.', 'an Origin has no trailing dot; write https://a.com'],
    ['https://a.com.:8443', 'an Origin has no trailing dot; write https://a.com:8443'],
    ['a.com', 'an Origin has a scheme; write https://a.com'],
    ['//a.com:8443', 'an Origin has a scheme; write https://a.com:8443'],
    ['*.a.com', 'an Origin has a scheme; write https://*.a.com'],
    ['', 'an Origin has a scheme; write it like https://example.com'],
    ['wss://a.com', "an Origin has the page's scheme; write https://a.com"],
    ['ws://a.com:8080/ws', "an Origin has the page's scheme; write http://a.com:8080"],
    ['file:///home', 'the Origin of local files is file:// or null; write file://'],
    ['https://me@a.com', 'an Origin has no user info; write https://a.com'],
    ['https://me:secret@a.com/x', 'an Origin has no path; write https://a.com'],
    ['https://a.com:', 'a port is a number from 1 to 65535; write https://a.com'],
    ['https://a.com:https', 'a port is a number from 1 to 65535; write https://a.com'],
    ['https://a.com:0', 'a port is a number from 1 to 65535; write https://a.com'],
    ['https://a.com:65536', 'a port is a number from 1 to 65535; write https://a.com'],
    ['https://a.com https://b.com', 'an Origin has no spaces; write https://a.com'],
    [' https://a.com', 'an Origin has no spaces; write https://a.com'],
    ['https://a.com,https://b.com', 'an Origin has no comma; write https://a.com'],
    ['https://', 'an Origin has a host; write it like https://example.com'],
    ['https://:80', 'an Origin has a host; write it like https://example.com'],
    ['https://*', 'a wildcard stands only for the first labels; write it like https://example.com'],
    ['https://*.', 'an Origin has no trailing dot; write it like https://example.com'],
    ['https://*.*.a.com', 'a wildcard stands only for the first labels; write https://*.a.com'],
    ['https://x*.a.com:1', 'a wildcard stands only for the first labels; write https://*.a.com:1'],
    ['https://a.*.com', 'a wildcard stands only for the first labels; write it like https://example.com'],
    ['https://*.10.0.0.1', 'an IP address has no subdomains; write https://10.0.0.1'],
    ['https://*.[::1]', 'an IP address has no subdomains; write https://[::1]'],
    ['https://::1', 'an IPv6 address stands in brackets; write https://[::1]'],
    ['https://[::1', 'its host is not valid; write it like https://example.com'],
    ['https://[1:2]', 'its host is not valid; write it like https://example.com'],
    ['https://1.2.3.4.5', 'its host is not valid; write it like https://example.com'],
    ['https://a..b', 'its host is not valid; write it like https://example.com'],
    ['https://"a"', 'its host is not valid; write it like https://example.com'],
    ['app://bücher', 'its host is not valid; write it like https://example.com'],
    ['bücher.example', 'an Origin has a scheme; write https://xn--bcher-kva.example'],
  ])('%s: %s', (entry, fault, shown = entry) => {
    expect(readAllowedOrigin(entry)).toEqual({ fault: `'${shown}' can never match: ${fault}` });
  });

  it('is an error when the policy is made', () => {
    expect(() => createOriginPolicy({ allowed: ['https://b.com', 'https://a.com/'], required: false })).toThrow(
      new TypeError("'https://a.com/' can never match: an Origin has no path; write https://a.com"),
    );
  });

  it('is shown on one line, cut when long', () => {
    const { fault } = readAllowedOrigin(`\n${'x'.repeat(200)}`) as { fault: string };
    expect(fault).toBe(
      `'\\n${'x'.repeat(59)}…' can never match: an Origin has no spaces; write it like https://example.com`,
    );
  });
});

it('a reason is one line and repeats nothing of the request', () => {
  const reasons = [
    createOriginPolicy({ allowed: ['https://b.com'], required: true }).judge(null, null),
    ...['https://secret', 'secret\r\n', 'null'].map((origin) => allowing('https://b.com')(origin)),
    allowing()('https://secret', 'secret2'),
  ];
  expect(new Set(reasons).size).toBe(5);
  for (const reason of reasons) expect(reason).toMatch(/^(?!.*secret)[ -~]+\.$/);
});
