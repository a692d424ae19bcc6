/**
 * PEM files (RFC 7468): blocks, and between them whatever tools leave there, such as `openssl pkcs12`'s bag attributes.
 *
 * @module
 */

/** A block, from `-----BEGIN` to `-----END`. */
export interface Block {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  /** The block alone, as every runtime reads it. */
  readonly text: string;
  /** Whether it has an end. */
  readonly whole: boolean;
  /** Whether a passphrase protects it. */
  readonly encrypted: boolean;
}

const BOUNDARY = /-----(BEGIN|END) ([A-Z0-9 ]+)-----/g;
/** What PEM before PKCS #8 says of a passphrase (RFC 1421 section 4.6.1.1). */
const PROTECTED = /^Proc-Type:.*\bENCRYPTED\b/m;

/** The blocks of a file, in its order. */
export function blocksOf(text: string): Block[] {
  const boundaries = [...text.matchAll(BOUNDARY)];
  return boundaries.flatMap(({ 0: line, 1: side, 2: label = '', index }, at) => {
    if (side !== 'BEGIN') return [];
    const next = boundaries[at + 1];
    const content = text
      .slice(index + line.length, next?.index)
      .trim()
      .replace(/\r\n?/g, '\n');
    return {
      label,
      text: `${line}\n${content}\n-----END ${label}-----\n`,
      whole: next?.[1] === 'END' && next[2] === label,
      encrypted: label.startsWith('ENCRYPTED ') || PROTECTED.test(content),
    };
  });
}
