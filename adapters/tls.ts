/**
 * The server's certificate: read, and checked before anything listens with it.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type Config, nameOf, type OptionName } from '../core/config.ts';
import type { Certificate, Engine } from '../core/engine.ts';
import { printable } from '../core/report.ts';
import type { Log } from './log.ts';
import { type Block, blocksOf } from './pem.ts';

/** What is wrong with a file, in one line that says what would be right. */
class Unfit extends Error {}

/** Which files to read, and for whom. */
export interface Source {
  readonly config: Config;
  /** What the options are called by the person who gave them. */
  readonly given: ReadonlyMap<OptionName, string>;
  readonly runtime: { readonly name: string };
}

/** Where another certificate comes from, and who is told. */
export interface Renewal extends Source {
  readonly engine: Engine;
  readonly log: Log;
  reload(certificate: Certificate): Promise<void>;
}

type FileOption = 'tlsCert' | 'tlsKey';

/** The folder that Deno's start task may read, besides the server's own. */
const FOLDER = 'tls';

/** Reads what `--tls-cert` and `--tls-key` name. Of their files, only what is of use is handed on. */
export function readCertificate(source: Source): Certificate | { readonly fault: string } {
  try {
    const chain = readChain(source);
    const key = readKey(source);
    checkPair(source, chain, key);
    const pair = { cert: chain.map(({ text }) => text).join(''), key: key.text };
    try {
      createSecureContext(pair);
    } catch (error) {
      throw new Unfit(refusal(source, error));
    }
    return pair;
  } catch (error) {
    if (error instanceof Unfit) return { fault: error.message };
    throw error;
  }
}

/** One line on a certificate that a runtime does not take. */
export function refusal(source: Source, error: unknown): string {
  const { message = String(error) } = error as { message?: string };
  // OpenSSL's reason stands last: `error:0A00018F:SSL routines::ee key too small`.
  const reason = printable(message.replace(/^.*\berror:[0-9a-f]+:.*:/i, ''));
  return `${source.runtime.name} does not take ${naming(source, 'tlsCert')} with ${naming(source, 'tlsKey')}: ${reason}`;
}

/** Reads the certificate again. Whatever is wrong with the new one, the server goes on with the old. */
export async function renewCertificate(renewal: Renewal): Promise<void> {
  const { runtime, engine, log, reload } = renewal;
  if (!engine.capabilities.reloadCertificates) {
    const reason = `${runtime.name}'s ${engine.name} engine can't take another; take --engine portable, or restart`;
    return log.certificate({ event: 'certificate', reloaded: false, reason });
  }
  const certificate = readCertificate(renewal);
  if ('fault' in certificate) {
    return log.certificate({ event: 'certificate', reloaded: false, reason: certificate.fault });
  }
  try {
    await reload(certificate);
    log.certificate({ event: 'certificate', reloaded: true });
  } catch (error) {
    log.certificate({ event: 'certificate', reloaded: false, reason: printable(String(error)) });
  }
}

function read(source: Source, option: FileOption): string {
  try {
    return readFileSync(source.config[option], 'utf8');
  } catch (error) {
    throw new Unfit(`${naming(source, option)} ${whyUnread(error)}`);
  }
}

function whyUnread(error: unknown): string {
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EISDIR') return 'is a folder; name the file';
  if (name === 'NotCapable') {
    return `may not be read: put it into the folder ${FOLDER}, or add it to --allow-read of the start task in deno.json`;
  }
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by the user that runs this server';
  return `can't be read: ${printable(message ?? String(error))}`;
}

interface Parsed<T> {
  readonly text: string;
  readonly parsed: T;
}

/** The certificates of the file, the server's own first. */
function readChain(source: Source): [Parsed<X509Certificate>, ...Parsed<X509Certificate>[]] {
  const file = naming(source, 'tlsCert');
  const blocks = blocksOf(read(source, 'tlsCert'));
  if (blocks.some(({ label }) => label === 'TRUSTED CERTIFICATE')) {
    throw new Unfit(`${file} has a certificate in OpenSSL's own form; rewrite it: openssl x509 -in CERT -out NEW`);
  }
  const [own, ...others] = blocks
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ text, whole }, index) => {
      try {
        if (whole) return { text, parsed: new X509Certificate(text) };
      } catch {
        // Said below.
      }
      throw new Unfit(`${file} has a certificate that is damaged or cut off, the ${nth(index + 1)} in it`);
    });
  if (own !== undefined) return [own, ...others];
  const instead = blocks.some(isKey) ? `; a private key is for ${nameOf('tlsKey', source.given)}` : '';
  throw new Unfit(`${file} has no certificate in PEM (-----BEGIN CERTIFICATE-----)${instead}`);
}

function nth(number: number): string {
  return ['1st', '2nd', '3rd'][number - 1] ?? `${number}th`;
}

function isKey({ label }: Block): boolean {
  return /^(?:.+ )?PRIVATE KEY$/.test(label);
}

function readKey(source: Source): Parsed<KeyObject> {
  const file = naming(source, 'tlsKey');
  const blocks = blocksOf(read(source, 'tlsKey'));
  const key = blocks.find(isKey);
  if (key === undefined) {
    const isCertificate = blocks.some(({ label }) => label === 'CERTIFICATE');
    const instead = isCertificate ? `; a certificate is for ${nameOf('tlsCert', source.given)}` : '';
    throw new Unfit(`${file} has no private key in PEM (-----BEGIN PRIVATE KEY-----)${instead}`);
  }
  const { text, whole, encrypted } = key;
  if (!whole) throw new Unfit(`${file} has a private key that is damaged or cut off`);
  if (encrypted) {
    throw new Unfit(`${file} is protected by a passphrase; write it without one: openssl pkey -in KEY -out NEW`);
  }
  try {
    return { text, parsed: createPrivateKey(text) };
  } catch {
    throw new Unfit(
      `${file} has a private key that is damaged, or of a kind that ${source.runtime.name} does not know`,
    );
  }
}

/** Checks that the key is that of the first certificate. */
function checkPair(
  source: Source,
  chain: readonly Parsed<X509Certificate>[],
  { parsed: key }: Parsed<KeyObject>,
): void {
  const [cert, file] = [naming(source, 'tlsCert'), naming(source, 'tlsKey')];
  let owner: number;
  try {
    owner = chain.findIndex(({ parsed }) => parsed.checkPrivateKey(key));
  } catch {
    throw new Unfit(`${file} or ${cert} is of a kind that ${source.runtime.name} does not know`);
  }
  if (owner === 0) return;
  if (owner === -1) throw new Unfit(`${file} is not the key of the certificate in ${cert}`);
  throw new Unfit(
    `${cert} has the server's own certificate, that of ${file}, as the ${nth(owner + 1)}; put it first, ` +
      'before those that lead to its root',
  );
}

/** The file with its option, such as `--tls-key 'key.pem'` or `TLS_KEY 'key.pem'`. */
function naming(source: Source, option: FileOption): string {
  return `${nameOf(option, source.given)} ${quote(source.config[option])}`;
}

function quote(path: string): string {
  return `'${printable(path)}'`;
}
