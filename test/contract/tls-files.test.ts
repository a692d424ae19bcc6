/** TLS: the certificate's files, right and wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentTarget, runServer, startServer } from '../support/server.ts';
import { first, folder, readingCertificates, second, shownBy, tlsFlags } from '../support/tls.ts';
import { within } from '../support/wait.ts';

let temporary = '';
beforeAll(() => {
  temporary = mkdtempSync(`${tmpdir()}/echoline-tls-`);
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
const target = () => readingCertificates(currentTarget, temporary);

const file = (name: string, content: string): string => {
  writeFileSync(`${temporary}/${name}`, content);
  return `${temporary}/${name}`;
};
const certificate = (certFile: string, keyFile: string = first.keyFile) => tlsFlags({ certFile, keyFile });

/** Runs it to its end. */
async function run(flags: readonly string[], env: Record<string, string> = {}) {
  await using server = runServer(target(), ['--port', '0', '--engine', currentTarget.engine, ...flags], { env });
  const exit = await within(15_000, 'the end of a start that fails', server.exited);
  return { ...exit, lines: server.lines, errors: server.errors };
}

describe.concurrent('one line says what is wrong with a certificate, and the exit status is 2, where', () => {
  it.each<[string, () => string[], RegExp]>([
    ['there is no key', () => ['--tls-cert', first.certFile], /--tls-cert.*--tls-key/],
    ['there is a key alone', () => ['--tls-key', first.keyFile], /--tls-key.*--tls-cert/],
    ['a file is missing', () => certificate(`${temporary}/missing.pem`), /--tls-cert '.*missing\.pem' does not exist/],
    [
      'the key is missing',
      () => certificate(first.certFile, `${temporary}/no.pem`),
      /--tls-key '.*no\.pem' does not exist/,
    ],
    ['a file is a folder', () => certificate(temporary), /--tls-cert.*is a folder/],
    ['a file is empty', () => certificate(file('empty.pem', '')), /--tls-cert.*no certificate in PEM/],
    ['a file is no PEM', () => certificate(file('der.pem', '\x30\x82\x01')), /--tls-cert.*no certificate in PEM/],
    [
      'the key is no PEM',
      () => certificate(first.certFile, file('text.pem', 'secret')),
      /--tls-key.*no private key in PEM/,
    ],
    [
      'both are mixed up',
      () => certificate(first.keyFile, first.certFile),
      /--tls-cert.*a private key is for --tls-key/,
    ],
    [
      'a certificate is damaged',
      () => certificate(file('cut.pem', first.cert.replace(/MII.{40}/, 'MII'))),
      /--tls-cert.*damaged/,
    ],
    [
      'a key is damaged',
      () => certificate(first.certFile, file('cutkey.pem', first.key.replace(/MIG.{20}/, 'MIG'))),
      /--tls-key.*damaged/,
    ],
    [
      'a key has a passphrase',
      () => certificate(first.certFile, file('locked.pem', first.key.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'))),
      /--tls-key.*passphrase/,
    ],
    [
      'a later certificate is cut off',
      () => certificate(file('cutchain.pem', first.cert + second.cert.slice(0, 300))),
      /--tls-cert '.*cutchain\.pem' .*cut off, the 2nd/,
    ],
    [
      'a later certificate is damaged',
      () =>
        certificate(file('bad.pem', `${first.cert}-----BEGIN CERTIFICATE-----\nAA-BB\n-----END CERTIFICATE-----\n`)),
      /--tls-cert '.*bad\.pem' .*damaged.*the 2nd/,
    ],
    [
      "the server's own certificate is not the first",
      () => certificate(file('order.pem', second.cert + first.cert)),
      /--tls-cert '.*order\.pem' .*own certificate.*as the 2nd; put it first/,
    ],
    [
      "a certificate is in OpenSSL's own form",
      () => certificate(file('trusted.pem', first.cert.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'))),
      /--tls-cert.*openssl x509 -in CERT -out NEW/,
    ],
    [
      'a key is cut off',
      () => certificate(first.certFile, file('half.pem', first.key.slice(0, 100))),
      /--tls-key.*damaged or cut off/,
    ],
    [
      'a key is of an unknown kind',
      () => certificate(first.certFile, file('kind.pem', first.key.replace('SM49AgEG', 'SM49AgIG'))),
      new RegExp(`--tls-key.*of a kind that ${currentTarget.runtime} does not know`, 'i'),
    ],
    [
      'the key belongs to another certificate',
      () => certificate(first.certFile, second.keyFile),
      /--tls-key.*is not the key of/,
    ],
  ])('%s', async (_, flags, says) => {
    const { code, lines, errors } = await run(flags());
    expect(errors).toEqual([expect.stringMatching(says)]);
    expect(code).toBe(2);
    expect(lines).toEqual([]);
  });

  it('the files were named by variables, which it names as well', async () => {
    const { code, errors } = await run([], { TLS_CERT: first.keyFile, TLS_KEY: first.certFile });
    expect(errors).toEqual([expect.stringMatching(/^echoline: TLS_CERT '.*; a private key is for TLS_KEY$/)]);
    expect(code).toBe(2);
  });

  const refused = (name: string) =>
    tlsFlags({ certFile: `${folder}/${name}.cert.pem`, keyFile: `${folder}/${name}.key.pem` });

  // Bun takes it.
  it.runIf(currentTarget.runtime !== 'bun')('the runtime refuses a key as too small', async () => {
    const { code, errors } = await run(refused('small'));
    expect(errors).toEqual([expect.stringMatching(/ does not take --tls-cert '.*small.*: .*key/)]);
    expect(code).toBe(2);
  });

  it.runIf(currentTarget.id === 'deno-native')('the runtime refuses a certificate of X.509 version 1', async () => {
    const { code, errors } = await run(refused('v1'));
    expect(errors).toEqual([expect.stringMatching(/^echoline: Deno does not take --tls-cert '.*v1\.cert.*Version/)]);
    expect(code).toBe(2);
  });

  it('and none blames it for a host that there is not', async () => {
    const { errors } = await run(['--host', 'not..here', ...tlsFlags()]);
    expect(errors).toEqual([expect.stringContaining('not..here')]);
    expect(errors[0]).not.toContain('--tls-cert');
  });

  it.runIf(currentTarget.runtime === 'deno')('Deno may not read a file, and the line says what to do', async () => {
    await using server = runServer(currentTarget, tlsFlags());
    expect(await within(15_000, 'the end', server.exited)).toEqual({ code: 2, signal: null });
    expect(server.errors).toEqual([expect.stringMatching(/--tls-cert.*folder tls.*--allow-read.*deno\.json/)]);
  });
});

describe.concurrent('a certificate is taken', () => {
  const attributes = 'Bag Attributes\n    localKeyID: 54 69 6D 65\nKey Attributes: <No Attributes>\n';

  it.each<[string, () => string[]]>([
    [
      'from one file with its key',
      () => {
        const both = file('both.pem', first.key + first.cert);
        return certificate(both, both);
      },
    ],
    [
      'from among the attributes that openssl pkcs12 writes',
      () => {
        const bag = file('bag.pem', `${attributes}${first.cert}${attributes}${first.key}`);
        return certificate(bag, bag);
      },
    ],
    [
      'behind byte order marks',
      () =>
        certificate(file('bom.cert.pem', `\ufeff${bare(first.cert)}`), file('bom.key.pem', `\ufeff${bare(first.key)}`)),
    ],
    [
      'with other line ends',
      () => certificate(file('crlf.cert.pem', crlf(first.cert)), file('crlf.key.pem', crlf(first.key))),
    ],
    ['with another right behind it', () => certificate(file('glued.pem', first.cert.trimEnd() + second.cert))],
    [
      'with a key whose comment says ENCRYPTED, and another key after it',
      () => certificate(first.certFile, file('comment.pem', `NOT ENCRYPTED\n${first.key}${second.key}`)),
    ],
  ])('%s', async (_, flags) => {
    await using server = await startServer(target(), flags());
    expect((await shownBy(server.port)).name).toBe(first.name);
  });
});

/** Without what stands before its block. */
function bare(text: string): string {
  return text.slice(text.indexOf('-----'));
}

function crlf(text: string): string {
  return text.replaceAll('\n', '\r\n');
}
