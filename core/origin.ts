/**
 * May this Origin connect? Browsers don't apply CORS to WebSockets but do send Origin (RFC 6455 section 10.2);
 * checking it stops cross-site WebSocket hijacking. Outside a browser it can be forged: it is never authentication.
 *
 * Origins are compared as RFC 6454 origins: scheme, host, port.
 *
 * @module
 */
import { quote } from './text.ts';

/** What {@link createOriginPolicy} makes a policy from. */
export interface OriginOptions {
  /**
   * The Origins that may connect. Empty (the default of the server) allows those whose host and port are the
   * request's own. An entry is one of
   * - an origin: `https://example.com`, `http://[::1]:8080`, `chrome-extension://id`; Unicode host names are fine;
   * - a pattern: `https://*.example.com` for one or more labels under it, not for `https://example.com` itself;
   * - `*` for every origin, save those that must be named:
   * - `null` (sandboxed frames and the like, anyone can make one) and `file://` (local pages in some browsers).
   */
  readonly allowed: readonly string[];
  /** Whether a request without Origin, which no browser sends, is refused. */
  readonly required: boolean;
}

/** Judges the Origin of requests. */
export interface OriginPolicy {
  /**
   * @param origin - The value of the Origin header, `null` without one. Several headers come joined by commas.
   * @param host - The value of the Host header, `null` without one.
   * @returns `undefined` when allowed, else why not: one fixed line that repeats nothing of what the client sent.
   */
  judge(origin: string | null, host: string | null): string | undefined;
}

const MISSING = 'An Origin header is required here.';
const MALFORMED = 'The Origin header is not one serialized origin such as https://example.com.';
const OPAQUE = 'An Origin of null or file:// is not allowed; the server must allow it by name.';
const OTHER_HOST = 'This Origin is not the host that was asked; the server must list it as allowed.';
const NOT_LISTED = 'This Origin is not in the list that the server allows.';

/** Origins that say nothing of where a page comes from, so that `*` does not include them. */
const OPAQUE_ORIGINS = ['null', 'file://'];
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
]);
/** Schemes that a server's address has, and the scheme of the page's Origin that was meant. */
const PAGE_SCHEMES: ReadonlyMap<string, string> = new Map([
  ['ws', 'http'],
  ['wss', 'https'],
]);

/** Without the `u` flag, so that `i` folds ASCII alone (the Kelvin sign is no `k`). No repetition here is ambiguous. */
const SERIALIZED =
  /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(0|[1-9][0-9]{0,4}))?$/i;

/**
 * Makes a policy.
 *
 * With an empty list the host that a browser asked is trusted to be this server's own. Where the server can be
 * reached under names that others control (DNS rebinding), list the Origins.
 *
 * @throws TypeError for an entry that can never match, with one line on what would be right.
 */
export function createOriginPolicy({ allowed, required }: OriginOptions): OriginPolicy {
  const exact = new Set<string>();
  const patterns: { readonly head: string; readonly tail: string }[] = [];
  for (const entry of allowed) {
    const read = readAllowedOrigin(entry);
    if ('fault' in read) throw new TypeError(read.fault);
    const star = read.origin.indexOf('*.');
    if (star === -1) exact.add(read.origin);
    else patterns.push({ head: read.origin.slice(0, star), tail: read.origin.slice(star + 1) });
  }
  const all = exact.has('*');
  const sameHost = allowed.length === 0;
  // Most requests come from the pages of one site.
  let lastOrigin: string | undefined;
  let lastHost: string | null = null;

  const judge = (origin: string, host: string | null): string | undefined => {
    // A header of `*` is no origin, though the list may have one.
    if (origin !== '*' && exact.has(origin)) return undefined;
    if (OPAQUE_ORIGINS.includes(origin)) return OPAQUE;
    const canonical = canonicalOrigin(origin);
    if (canonical === undefined) return MALFORMED;
    if (all) return undefined;
    if (sameHost) return isSameHost(canonical, host) ? undefined : OTHER_HOST;
    if (exact.has(canonical)) return undefined;
    // A canonical origin has no empty label, so what is between head and tail is one label at least.
    const listed = patterns.some(({ head, tail }) => canonical.startsWith(head) && canonical.endsWith(tail));
    return listed ? undefined : NOT_LISTED;
  };
  return {
    judge(origin, host) {
      if (origin === null) return required ? MISSING : undefined;
      if (origin === lastOrigin && host === lastHost) return undefined;
      const fault = judge(origin, host);
      if (fault === undefined) {
        lastOrigin = origin;
        lastHost = host;
      }
      return fault;
    },
  };
}

/** Lower case, without a default port, IPv6 in its shortest form; `undefined` for what is not one serialized origin. */
function canonicalOrigin(origin: string): string | undefined {
  const match = SERIALIZED.exec(origin);
  if (match === null) return undefined;
  const scheme = (match[1] as string).toLowerCase();
  const written = (match[2] as string).toLowerCase();
  const host = written.startsWith('[') ? urlHost(written) : written;
  const port = match[3];
  if (host === undefined || Number(port) > 65535) return undefined;
  return serialized(scheme, host, port);
}

function serialized(scheme: string, host: string, port: string | undefined): string {
  const shown = port === undefined || port === DEFAULT_PORTS.get(scheme) ? '' : `:${port}`;
  return `${scheme}://${host}${shown}`;
}

/** Schemes are not compared, as TLS may end at a proxy; but only web pages have a host that Host can name. */
function isSameHost(canonical: string, host: string | null): boolean {
  const scheme = canonical.slice(0, canonical.indexOf(':'));
  if (host === null || !DEFAULT_PORTS.has(scheme)) return false;
  return canonicalOrigin(`${scheme}://${host}`) === canonical;
}

/** The host as browsers write it (punycode, canonical IP addresses), `undefined` when it is none. */
function urlHost(host: string): string | undefined {
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return undefined;
  }
}

type Entry = { readonly origin: string } | { readonly why: string; readonly instead?: string | undefined };

/**
 * Reads an entry of the list of allowed Origins.
 *
 * @returns The entry in canonical form, or one line on why it can never match and what would be right.
 */
export function readAllowedOrigin(entry: string): { readonly origin: string } | { readonly fault: string } {
  const read = readEntry(entry);
  if ('origin' in read) return read;
  return { fault: `${quote(entry)} can never match: ${read.why}; write ${suggestion(read.instead)}` };
}

/** What to write instead: each step of mending may bring another fault to light. */
function suggestion(instead: string | undefined): string {
  let candidate = instead;
  for (let step = 0; step < 5 && candidate !== undefined && candidate.length <= 100; step++) {
    const read = readEntry(candidate);
    if ('origin' in read) return read.origin;
    candidate = read.instead;
  }
  return 'it like https://example.com';
}

function readEntry(entry: string): Entry {
  if (entry === '*' || OPAQUE_ORIGINS.includes(entry)) return { origin: entry };
  if (/\s/.test(entry)) return { why: 'an Origin has no spaces', instead: entry.trim().split(/\s/)[0] };
  if (entry.includes(',')) return { why: 'an Origin has no comma', instead: entry.slice(0, entry.indexOf(',')) };

  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)(.?)/i.exec(entry);
  if (parts === null) return { why: 'an Origin has a scheme', instead: `https://${entry.replace(/^[/:]+/, '')}` };
  const scheme = (parts[1] as string).toLowerCase();
  const authority = parts[2] as string;
  const rest = parts[3] as string;
  if (scheme === 'file') return { why: 'the Origin of local files is file:// or null', instead: 'file://' };
  const pageScheme = PAGE_SCHEMES.get(scheme);
  if (pageScheme !== undefined) {
    return { why: "an Origin has the page's scheme", instead: `${pageScheme}://${authority}` };
  }
  if (rest !== '') {
    const what = rest === '?' ? 'query' : rest === '#' ? 'fragment' : 'path';
    return { why: `an Origin has no ${what}`, instead: `${scheme}://${authority}` };
  }
  const at = authority.lastIndexOf('@');
  if (at !== -1) return { why: 'an Origin has no user info', instead: `${scheme}://${authority.slice(at + 1)}` };
  if (/^[^[]*:.*:/.test(authority)) {
    return { why: 'an IPv6 address stands in brackets', instead: `${scheme}://[${authority}]` };
  }
  const colon = authority.search(/:[^:\]]*$/);
  if (colon === -1) return readHost(scheme, authority, undefined);
  const host = authority.slice(0, colon);
  const port = authority.slice(colon + 1);
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    return { why: 'a port is a number from 1 to 65535', instead: `${scheme}://${host}` };
  }
  return readHost(scheme, host, String(Number(port)));
}

function readHost(scheme: string, written: string, port: string | undefined): Entry {
  if (written === '') return { why: 'an Origin has a host' };
  if (written.endsWith('.')) {
    return { why: 'an Origin has no trailing dot', instead: serialized(scheme, written.slice(0, -1), port) };
  }
  const pattern = written.startsWith('*.');
  const name = pattern ? written.slice(2) : written;
  if (name.includes('*')) {
    const known = name.slice(name.lastIndexOf('*') + 1).replace(/^[^.]*\./, '');
    // Nothing as wide as `*.com` is proposed.
    const instead = known.includes('.') ? serialized(scheme, `*.${known}`, port) : undefined;
    return { why: 'a wildcard stands only for the first labels', instead };
  }
  // Browsers rewrite the host names of web pages; other schemes' hosts are opaque, apart from their case.
  const web = DEFAULT_PORTS.has(scheme) || name.startsWith('[');
  const host = web ? urlHost(name) : name.toLowerCase();
  if (host === undefined || canonicalOrigin(`${scheme}://${host}`) === undefined) {
    return { why: 'its host is not valid' };
  }
  if (!pattern) return { origin: serialized(scheme, host, port) };
  if (/^\[|\.[0-9]+$/.test(host)) {
    return { why: 'an IP address has no subdomains', instead: serialized(scheme, host, port) };
  }
  return { origin: serialized(scheme, `*.${host}`, port) };
}
