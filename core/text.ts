/**
 * Small judgements on text that several parts share.
 *
 * @module
 */

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Whether a string is a `token` (RFC 9110 section 5.6.2), such as a subprotocol's name. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * The elements of a comma-separated header value (RFC 9110 section 5.6.1) without the spaces and tabs around them;
 * empty elements are kept, so that the caller can refuse them.
 */
export function elements(value: string): string[] {
  return value.split(',').map(trimBlanks);
}

/** A text without the spaces and tabs around it. */
export function trimBlanks(text: string): string {
  // Not trim(), which takes other spaces too; not a regular expression, which is quadratic on runs of spaces.
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The path of a URL, or of a path and query alone. */
export function pathOf(url: string): string {
  const whole = before(before(url, '?'), '#');
  const scheme = whole.startsWith('/') ? -1 : whole.indexOf('://');
  if (scheme === -1) return whole;
  const start = whole.indexOf('/', scheme + 3);
  return start === -1 ? '/' : whole.slice(start);
}

function before(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at === -1 ? text : text.slice(0, at);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The most characters of a value that {@link quote} shows. */
const QUOTED = 60;

/**
 * A value for an error message: in single quotes, on one line, cut after 60 characters, with everything that a
 * terminal might act on (control and format characters, line separators, lone surrogates) escaped.
 */
export function quote(value: string): string {
  const characters = Array.from(value.slice(0, 2 * QUOTED + 2));
  const cut = characters.length > QUOTED;
  const shown = characters
    .slice(0, QUOTED)
    .join('')
    .replace(/[\p{C}\p{Zl}\p{Zp}\\']/gu, escaped);
  return `'${shown}${cut ? '…' : ''}'`;
}

function escaped(character: string): string {
  if (character === '\\' || character === "'") return `\\${character}`;
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}

/**
 * The known name that a mistyped one most likely stands for: one that it is the beginning of, or else the nearest
 * by edit distance. `undefined` when none is near.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 40) return undefined;
  const completed = name.length > 1 ? known.find((candidate) => candidate.startsWith(name)) : undefined;
  if (completed !== undefined) return completed;
  let best: string | undefined;
  let least = Math.min(3, 1 + Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein's distance, row by row. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const letter of from) {
    const above = row;
    row = [(above[0] as number) + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (above[column - 1] as number) + (letter === to[column - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[column] as number) + 1, (row[column - 1] as number) + 1));
    }
  }
  return row[to.length] as number;
}
