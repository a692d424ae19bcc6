import { describe, expect, it } from 'vitest';
import { elements, isToken, nearest, pathOf, quote } from '../../core/text.ts';

describe('a token', () => {
  it.each(['chat', 'v12.stomp', "!#$%&'*+-.^_`|~09azAZ"])('may be %s', (text) => {
    expect(isToken(text)).toBe(true);
  });

  it.each(['', 'a b', 'a/b', 'a,b', 'é', 'a\n', '"a"', 'a:b'])('is not %j', (text) => {
    expect(isToken(text)).toBe(false);
  });
});

describe('the elements of a header value', () => {
  it('are what stands between commas, without the spaces and tabs around', () => {
    expect(elements('a,b ,\t c\t ')).toEqual(['a', 'b', 'c']);
  });

  it('may be empty', () => {
    expect(elements('a,, ,')).toEqual(['a', '', '', '']);
    expect(elements('')).toEqual(['']);
  });

  it('keep spaces that HTTP does not know', () => {
    expect(elements('\u00a0a, b\v')).toEqual(['\u00a0a', 'b\v']);
  });
});

describe('the path', () => {
  it.each([
    ['http://a.test/ws?x=/y#z', '/ws'],
    ['https://a.test:8080/', '/'],
    ['/ws?http://b.test/x', '/ws'],
    ['http://a.test?/ws', '/'],
    ['http://a.test#/ws', '/'],
    ['/ws/x', '/ws/x'],
    ['x/ws', 'x/ws'],
    ['*', '*'],
  ])('of %s is %s', (url, path) => {
    expect(pathOf(url)).toBe(path);
  });
});

describe('a quoted value', () => {
  it('stands in single quotes', () => {
    expect(quote('a b')).toBe("'a b'");
    expect(quote('bücher 🦉')).toBe("'bücher 🦉'");
    expect(quote('')).toBe("''");
  });

  it('can neither end the quotes nor hide its own escapes', () => {
    expect(quote("it's \\n")).toBe("'it\\'s \\\\n'");
  });

  it('stays on one line and can not steer a terminal', () => {
    expect(quote('a\nb\tc\rd\u001b[31me\u0000\u007f')).toBe("'a\\nb\\tc\\u{d}d\\u{1b}[31me\\u{0}\\u{7f}'");
    expect(quote('\u0085\u2028\u2029\u202e\ud800')).toBe("'\\u{85}\\u{2028}\\u{2029}\\u{202e}\\u{d800}'");
  });

  it('is cut after 60 characters, never inside one', () => {
    expect(quote('x'.repeat(60))).toBe(`'${'x'.repeat(60)}'`);
    expect(quote('x'.repeat(61))).toBe(`'${'x'.repeat(60)}…'`);
    expect(quote('🦉'.repeat(60))).toBe(`'${'🦉'.repeat(60)}'`);
    expect(quote('🦉'.repeat(1000))).toBe(`'${'🦉'.repeat(60)}…'`);
  });
});

describe('the nearest name', () => {
  const known = ['--host', '--port', '--path', '--ping-interval', '--max-buffered', '--max-connections'];

  it.each([
    ['--prot', '--port'],
    ['--prt', '--port'],
    ['--Host', '--host'],
    ['--max-conections', '--max-connections'],
    ['--ping-intervall', '--ping-interval'],
  ])('for the slip %s is %s', (name, meant) => {
    expect(nearest(name, known)).toBe(meant);
  });

  it('is one that was begun', () => {
    expect(nearest('--ping', known)).toBe('--ping-interval');
  });

  it('is none when nothing is near', () => {
    expect(nearest('--verbose', known)).toBeUndefined();
    expect(nearest('-', ['-h', '-v', '--long-name'])).toBe('-h');
    expect(nearest('x', [])).toBeUndefined();
    expect(nearest('', ['--help'])).toBeUndefined();
    expect(nearest('x'.repeat(41), ['x'.repeat(41)])).toBeUndefined();
  });
});
