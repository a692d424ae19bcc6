/**
 * The server's certificate: read, and checked before anything listens with it.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Config, flagOf } from '../core/config.ts';
import type { Certificate, Engine } from '../core/engine.ts';
import { printable } from '../core/report.ts';
import type { Log } from './log.ts';

/** What is wrong with a file, in one line that says what would be right. */
class Unfit extends Error {}

/** Where another certificate comes from, and who is told. */
export interface Renewal {
  readonly config: Config;
  readonly runtime: { readonly name: string };
  readonly engine: Engine;
  readonly log: Log;
  reload(certificate: Certificate): Promise<void>;
}

type FileOption = 'tlsCert' | 'tlsKey';

/** The folder that Deno's start task may read, besides the server's own. */
const FOLDER = 'tls';

/** Reads what `--tls-cert` and `--tls-key` name. */
export function readCertificate(config: Config): Certificate | { readonly fault: string } {
  try {
    const [cert, key] = [read(config, 'tlsCert'), read(config, 'tlsKey')];
    const own = readChain(config, cert);
    if (!own.checkPrivateKey(readKey(config, key))) {
      throw new Unfit(`${naming(config, 'tlsKey')} is not the key of the certificate in ${naming(config, 'tlsCert')}`);
    }
    return { cert, key };
  } catch (error) {
    if (error instanceof Unfit) return { fault: error.message };
    throw error;
  }
}

/** Reads the certificate again. Whatever is wrong with the new one, the server goes on with the old. */
export async function renewCertificate({ config, runtime, engine, log, reload }: Renewal): Promise<void> {
  if (!engine.capabilities.reloadCertificates) {
    const reason = `${runtime.name}'s ${engine.name} engine can't take another; take --engine portable, or restart`;
    return log.certificate({ event: 'certificate', reloaded: false, reason });
  }
  const certificate = readCertificate(config);
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

function read(config: Config, option: FileOption): string {
  try {
    return readFileSync(config[option], 'utf8');
  } catch (error) {
    throw new Unfit(`${naming(config, option)} ${whyUnread(error)}`);
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

/** Checks every certificate of the file; answers the first, which is the server's own. */
function readChain(config: Config, text: string): X509Certificate {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    const instead = /PRIVATE KEY-----/.test(text) ? `; a private key is for ${flagOf('tlsKey')}` : '';
    throw new Unfit(`${naming(config, 'tlsCert')} has no certificate in PEM (-----BEGIN CERTIFICATE-----)${instead}`);
  }
  try {
    const [own] = blocks.map((block) => new X509Certificate(block));
    return own as X509Certificate;
  } catch {
    throw new Unfit(`${naming(config, 'tlsCert')} has a certificate that is damaged`);
  }
}

function readKey(config: Config, text: string): KeyObject {
  const file = naming(config, 'tlsKey');
  if (!/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(text)) {
    const instead = /BEGIN CERTIFICATE-----/.test(text) ? `; a certificate is for ${flagOf('tlsCert')}` : '';
    throw new Unfit(`${file} has no private key in PEM (-----BEGIN PRIVATE KEY-----)${instead}`);
  }
  if (/ENCRYPTED/.test(text)) {
    throw new Unfit(`${file} is protected by a passphrase; write it without one: openssl pkey -in KEY -out NEW`);
  }
  try {
    return createPrivateKey(text);
  } catch {
    throw new Unfit(`${file} has a private key that is damaged`);
  }
}

/** The file with its option, such as `--tls-key 'key.pem'`. */
function naming(config: Config, option: FileOption): string {
  return `${flagOf(option)} ${quote(config[option])}`;
}

function quote(path: string): string {
  return `'${printable(path)}'`;
}
