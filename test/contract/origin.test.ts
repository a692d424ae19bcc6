/** Which pages may connect (RFC 6454): attacks and what must pass, over real sockets. */
import { describe, expect, it } from 'vitest';
import { exchange, upgradeRequest } from '../support/raw.ts';
import { useServer } from './use-server.ts';

type Origins = string | readonly string[] | undefined;

describe('with a list', () => {
  const server = useServer([
    '--allowed-origin=https://client.com',
    '--allowed-origin=https://*.client.com',
    '--allowed-origin=https://bücher.example',
    '--allowed-origin=http://plain.example:8080',
  ]);
  const statusFor = async (origin: Origins) => {
    const request = upgradeRequest(`127.0.0.1:${server().port}`, { Origin: origin });
    return (await exchange(server().port, request)).status;
  };

  it.each([
    ['the listed name with more behind it', 'https://client.com.evil.org'],
    ['a name that merely ends alike', 'https://evilclient.com'],
    ['another port', 'https://client.com:8443'],
    ['another scheme', 'http://client.com'],
    ['another scheme under the wildcard', 'http://www.client.com'],
    ['another port under the wildcard', 'https://www.client.com:8443'],
    ['user info', 'https://client.com@evil.org'],
    ['user info before a listed host', 'https://user:pass@client.com'],
    ['a trailing dot', 'https://client.com.'],
    ['a trailing slash', 'https://client.com/'],
    ['a path', 'https://client.com/page'],
    ['a query', 'https://client.com?x'],
    ['a fragment', 'https://client.com#x'],
    ['null', 'null'],
    ['an empty value', ''],
    ['a comma', 'https://client.com, https://evil.org'],
    ['a comma without a space', 'https://evil.org,https://client.com'],
    ['a space', 'https://client.com https://evil.org'],
    ['an empty label under the wildcard', 'https://.client.com'],
    ['the wildcard itself', 'https://*.client.com'],
    ['no scheme', 'client.com'],
    ['a backslash', 'https://evil.org\\.client.com'],
    ['a percent sign', 'https://evil.org%2f.client.com'],
    ['the page\u2019s own host, which the list replaces', 'own'],
  ])('refuses %s', async (_, origin) => {
    expect(await statusFor(origin === 'own' ? server().url : origin)).toBe(403);
  });

  it('refuses two Origin headers, even equal and allowed ones', async () => {
    expect(await statusFor(['https://client.com', 'https://client.com'])).toBe(403);
    expect(await statusFor(['https://client.com', 'https://evil.org'])).toBe(403);
  });

  it.each([
    ['a listed origin', 'https://client.com'],
    ['a host in upper case', 'https://CLIENT.COM'],
    ['a scheme in upper case', 'HTTPS://client.com'],
    ['a default port spelt out', 'https://client.com:443'],
    ['one label under the wildcard', 'https://www.client.com'],
    ['several labels under the wildcard', 'https://a.b.c.client.com'],
    ['the ASCII form of an internationalised name', 'https://xn--bcher-kva.example'],
    ['a listed port', 'http://plain.example:8080'],
    ['no Origin, which no browser leaves out', undefined],
  ])('accepts %s', async (_, origin) => {
    expect(await statusFor(origin)).toBe(101);
  });

  it('never repeats the Origin in the refusal', async () => {
    const request = upgradeRequest(`127.0.0.1:${server().port}`, { Origin: 'https://mark-of-the-attacker.example' });
    const response = await exchange(server().port, request);
    expect(`${JSON.stringify(response.headers)}${response.body}`).not.toContain('mark-of-the-attacker');
  });
});

describe('without a list', () => {
  const server = useServer();
  const statusFor = async (origin: Origins, host = `127.0.0.1:${server().port}`) =>
    (await exchange(server().port, upgradeRequest(host, { Origin: origin }))).status;

  it.each([
    ['the page\u2019s own host and port', 'http://app.example:9000', 'app.example:9000'],
    ['its host in another case', 'http://APP.example:9000', 'app.EXAMPLE:9000'],
    ['the default port of http, spelt out on one side', 'http://app.example', 'app.example:80'],
    ['https in front of a proxy that ends TLS', 'https://app.example', 'app.example'],
  ])('accepts %s', async (_, origin, host) => {
    expect(await statusFor(origin, host)).toBe(101);
  });

  it('accepts the page that it serves itself', async () => {
    expect(await statusFor(server().url)).toBe(101);
  });

  it.each([
    ['another host', 'http://evil.example', undefined],
    ['another port of the same host', 'http://127.0.0.1:1', undefined],
    ['another name of the same host', 'http://localhost', undefined],
    ['null', 'null', undefined],
    ['a name under the host', 'http://sub.app.example', 'app.example'],
    ['a name that begins alike', 'http://app.example.evil.org', 'app.example'],
  ])('refuses %s', async (_, origin, host) => {
    expect(await statusFor(origin, host)).toBe(403);
  });
});

describe('with --require-origin', () => {
  const server = useServer(['--require-origin']);

  it('refuses a request without Origin, and accepts one with', async () => {
    const host = `127.0.0.1:${server().port}`;
    expect((await exchange(server().port, upgradeRequest(host))).status).toBe(403);
    expect((await exchange(server().port, upgradeRequest(host, { Origin: `http://${host}` }))).status).toBe(101);
  });
});

describe('with --allowed-origin *', () => {
  const server = useServer(['--allowed-origin', '*']);

  it('accepts any origin but null, which must be named', async () => {
    const host = `127.0.0.1:${server().port}`;
    const statuses: number[] = [];
    for (const origin of ['https://anything.example', 'http://other.example:99', 'null']) {
      statuses.push((await exchange(server().port, upgradeRequest(host, { Origin: origin }))).status);
    }
    expect(statuses).toEqual([101, 101, 403]);
  });
});

describe('with null named', () => {
  const server = useServer([], { env: { ALLOWED_ORIGINS: 'null,https://client.com' } });

  it('accepts null and what else the environment names', async () => {
    const host = `127.0.0.1:${server().port}`;
    const statuses: number[] = [];
    for (const origin of ['null', 'https://client.com', 'https://other.example']) {
      statuses.push((await exchange(server().port, upgradeRequest(host, { Origin: origin }))).status);
    }
    expect(statuses).toEqual([101, 101, 403]);
  });
});
