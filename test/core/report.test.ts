import { describe, expect, it } from 'vitest';
import { printable } from '../../core/report.ts';

describe('a client’s text in a report', () => {
  it('stays as it is where all of it can be printed', () => {
    for (const text of ['', 'https://example.com:8443', 'a "quoted" \\ path', 'Grüße 日本語 🦉', 'é e\u0301']) {
      expect(printable(text)).toBe(text);
    }
  });

  it.each([
    ['a second line', 'ok\r\n2026-01-01 forged', 'ok\\u{d}\\u{a}2026-01-01 forged'],
    ['a tab or NUL', 'a\tb\0c', 'a\\u{9}b\\u{0}c'],
    ['a terminal’s escape sequence', '\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
    ['DEL and C1 controls', '\u007f\u009b31m\u0085', '\\u{7f}\\u{9b}31m\\u{85}'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
    [
      'bidirectional formatting',
      '\u202eevil\u202c\u2066x\u2069\u200f',
      '\\u{202e}evil\\u{202c}\\u{2066}x\\u{2069}\\u{200f}',
    ],
    ['what can not be seen', 'a\u200bb\ufeff\u{e0041}', 'a\\u{200b}b\\u{feff}\\u{e0041}'],
    ['lone surrogates', '\ud800a\udc00', '\\u{d800}a\\u{dc00}'],
    ['private and unassigned characters', '\ue000\uffff', '\\u{e000}\\u{ffff}'],
  ])('can not hold %s', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('is cut after 256 characters', () => {
    expect(printable('x'.repeat(256))).toBe('x'.repeat(256));
    expect(printable('x'.repeat(257))).toBe(`${'x'.repeat(256)}…`);
    expect(printable('x'.repeat(1_000_000))).toHaveLength(257);
  });

  it('shows that a character was cut in two', () => {
    expect(printable(`${'x'.repeat(255)}🦉`)).toBe(`${'x'.repeat(255)}\\u{d83e}…`);
  });
});
