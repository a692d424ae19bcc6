/**
 * Certificates for tests, and servers that use them.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { root, type Target } from './target.ts';
import { within } from './wait.ts';

/** The folder of the certificates. */
export const folder = `${root}/test/fixtures/tls`;

/** A certificate with its key, as files and as texts. */
export interface Fixture {
  /** The common name of its subject. */
  readonly name: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

function fixture(name: string): Fixture {
  const [certFile, keyFile] = [`${folder}/${name}.cert.pem`, `${folder}/${name}.key.pem`];
  const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  return { name: `${name}.echoline.test`, certFile, keyFile, cert, key };
}

export const first = fixture('first');
export const second = fixture('second');

/** The flags for TLS with a certificate. */
export const tlsFlags = ({ certFile, keyFile }: Pick<Fixture, 'certFile' | 'keyFile'> = first): string[] => [
  '--tls-cert',
  certFile,
  '--tls-key',
  keyFile,
];

/** The same target, allowed to read the certificates too, and what else is named, where it needs to be. */
export function readingCertificates(target: Target, ...folders: readonly string[]): Target {
  if (target.runtime !== 'deno') return target;
  return { ...target, command: [...target.command, `--allow-read=${[folder, ...folders].join(',')}`] };
}

/** The name in the certificate that a server shows, and the protocol that it agrees on. */
export function shownBy(
  port: number,
  ALPNProtocols = ['http/1.1'],
): Promise<{ name: string; protocol: string | false }> {
  return within(
    5000,
    'a TLS handshake',
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols }, () => {
        resolve({ name: socket.getPeerCertificate().subject.CN, protocol: socket.alpnProtocol ?? false });
        socket.destroy();
      });
      socket.once('error', reject);
    }),
  );
}
