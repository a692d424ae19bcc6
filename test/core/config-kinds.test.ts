import { describe, expect, it } from 'vitest';
import { boolean, choice, Fault, list, orWord, seconds, size, text, whole } from '../../core/config-kinds.ts';

/** What a kind makes of a text or value, a fault as its message. */
function outcome<T>(read: T | Fault): T | string {
  return read instanceof Fault ? read.message : read;
}

describe('a whole number', () => {
  const port = whole({ min: 0, max: 65535 });

  it.each([
    ['0', 0],
    ['65535', 65535],
    ['0080', 80],
  ])('%s is read', (written, value) => {
    expect(port.fromText(written)).toBe(value);
  });

  it.each(['65536', '-1', '1.5', '1e3', '0x10', '+1', '', ' 1', '٣', '9'.repeat(400)])('%j is refused', (written) => {
    expect(port.fromText(written)).toBeInstanceOf(Fault);
  });

  it('says what is expected', () => {
    expect(outcome(port.fromText('x'))).toBe("'x': expected a whole number from 0 to 65535");
    expect(outcome(port.fromValue(1.5))).toBe("'1.5': expected a whole number from 0 to 65535");
  });

  it('may come as a number only', () => {
    expect(port.fromValue(80)).toBe(80);
    expect(port.fromValue(80.5)).toMatchObject({ isType: false });
    expect(port.fromValue(Number.NaN)).toMatchObject({ isType: false });
    expect(port.fromValue('80')).toMatchObject({ isType: true });
    expect(port.fromValue(null)).toMatchObject({ isType: true });
  });

  it('is shown in digits', () => {
    expect(port.show(8080)).toBe('8080');
  });
});

describe('a word or a whole number', () => {
  const workers = orWord('auto', whole({ min: 1, max: 256 }));

  it('is read as either', () => {
    expect(workers.fromText('auto')).toBe('auto');
    expect(workers.fromText('4')).toBe(4);
    expect(workers.fromValue('auto')).toBe('auto');
    expect(workers.fromValue(4)).toBe(4);
  });

  it('says what is expected', () => {
    expect(outcome(workers.fromText('0'))).toBe("'0': expected auto or a whole number from 1 to 256");
    expect(outcome(workers.fromText('Auto'))).toBe("'Auto': expected auto or a whole number from 1 to 256");
    expect(workers.fromValue('4')).toMatchObject({ isType: true });
    expect(workers.fromValue(257)).toMatchObject({ isType: false });
  });

  it('is shown as it is written', () => {
    expect(workers.show('auto')).toBe('auto');
    expect(workers.show(4)).toBe('4');
  });
});

describe('a time', () => {
  const interval = seconds({ min: 50, max: 86_400_000, off: true });
  const patience = seconds({ min: 0, max: 1000, off: false });

  it.each([
    ['30', 30_000],
    ['0.05', 50],
    ['.5', 500],
    ['1.', 1000],
    ['1.1', 1100],
    ['86400', 86_400_000],
    ['0', 0],
    ['0.0', 0],
  ])('of %s seconds is %i milliseconds', (written, value) => {
    expect(interval.fromText(written)).toBe(value);
  });

  it.each(['0.049', '86400.001', '-1', '1e3', 'Infinity', 'NaN', '30s', '1,5', '.', ''])('%j is refused', (written) => {
    expect(outcome(interval.fromText(written))).toBe(`'${written}': expected 0 (off) or 0.05 to 86400 seconds`);
  });

  it('comes from programs in milliseconds', () => {
    expect(interval.fromValue(62.5)).toBe(62.5);
    expect(interval.fromValue(0)).toBe(0);
    expect(outcome(interval.fromValue(30))).toBe("'30': expected 0 (off) or 50 to 86400000, a number of milliseconds");
    expect(interval.fromValue(Number.POSITIVE_INFINITY)).toBeInstanceOf(Fault);
  });

  it('of 0 is not off where it means at once', () => {
    expect(patience.fromText('0')).toBe(0);
    expect(outcome(patience.fromText('2'))).toBe("'2': expected 0 to 1 seconds");
  });

  it('is shown in seconds', () => {
    expect(interval.show(1500)).toBe('1.5');
  });
});

describe('a size', () => {
  const limit = size({ min: 1, max: 2 ** 30 });

  it.each([
    ['1', 1],
    ['65536', 65536],
    ['64KiB', 65536],
    ['16MiB', 16 * 1024 * 1024],
    ['1GiB', 2 ** 30],
    ['16 mib', 16 * 1024 * 1024],
  ])('of %s is %i bytes', (written, value) => {
    expect(limit.fromText(written)).toBe(value);
  });

  it.each(['0', '0KiB', '1025MiB', '2GiB', '16M', '16MB', '1.5MiB', '-1', '', 'MiB', '16TiB'])(
    '%j is refused',
    (written) => {
      expect(outcome(limit.fromText(written))).toBe(
        `'${written}': expected 1 to 1GiB, in bytes or with KiB, MiB or GiB, such as 64KiB`,
      );
    },
  );

  it('comes from programs in bytes', () => {
    expect(limit.fromValue(1)).toBe(1);
    expect(outcome(limit.fromValue(0.5))).toBe("'0.5': expected a whole number of bytes from 1 to 1073741824");
    expect(limit.fromValue('16MiB')).toMatchObject({ isType: true });
  });

  it.each([
    [1, '1'],
    [1024, '1KiB'],
    [1536, '1536'],
    [16 * 2 ** 20, '16MiB'],
    [2 ** 30, '1GiB'],
  ])('of %i bytes is shown as %s', (value, shown) => {
    expect(limit.show(value)).toBe(shown);
  });
});

describe('yes or no', () => {
  it.each(['true', 'TRUE', 'yes', 'on', '1'])('%s is yes', (written) => {
    expect(boolean.fromText(written)).toBe(true);
  });

  it.each(['false', 'False', 'no', 'off', '0'])('%s is no', (written) => {
    expect(boolean.fromText(written)).toBe(false);
  });

  it('is nothing else', () => {
    expect(outcome(boolean.fromText('maybe'))).toBe("'maybe': expected true or false");
    expect(boolean.fromValue(false)).toBe(false);
    expect(boolean.fromValue('false')).toMatchObject({ message: "'false': expected true or false", isType: true });
    expect(boolean.show(true)).toBe('true');
  });
});

describe('a choice', () => {
  const log = choice('pretty', 'json', 'off');

  it('is one of its words', () => {
    expect(log.fromText('json')).toBe('json');
    expect(log.fromValue('off')).toBe('off');
    expect(log.show('pretty')).toBe('pretty');
  });

  it('names them all otherwise', () => {
    expect(log.fromText('JSON')).toMatchObject({ message: "'JSON': expected pretty, json or off", isType: false });
    expect(log.fromValue(false)).toMatchObject({ message: "'false': expected pretty, json or off", isType: true });
  });
});

describe('a text', () => {
  const word = text((value) => (value === 'good' ? undefined : 'expected good'));

  it('is what its check lets pass', () => {
    expect(word.fromText('good')).toBe('good');
    expect(outcome(word.fromText('bad\n'))).toBe("'bad\\n': expected good");
    expect(word.show('good')).toBe('good');
  });

  it('comes from programs as a string', () => {
    expect(word.fromValue('good')).toBe('good');
    expect(word.fromValue('bad')).toMatchObject({ isType: false });
    expect(word.fromValue(1)).toMatchObject({ message: "'1': expected a string", isType: true });
  });
});

describe('a list', () => {
  const check = (item: string) => (item.length === 1 ? undefined : new Fault(`'${item}': expected a letter`));
  const letters = list(check, true);
  const distinct = list(check, false);

  it('is written with commas, spaces around its items', () => {
    expect(letters.fromText('a, b ,c,')).toEqual(['a', 'b', 'c']);
    expect(letters.fromText('a')).toEqual(['a']);
    expect(letters.fromText(' ,')).toEqual([]);
  });

  it('is refused for any item that is', () => {
    expect(outcome(letters.fromText('a,bc'))).toBe("'bc': expected a letter");
    expect(letters.fromValue(['bc'])).toMatchObject({ message: "'bc': expected a letter", isType: false });
  });

  it('has each item once, where that matters', () => {
    expect(letters.fromText('a,b,a')).toEqual(['a', 'b', 'a']);
    expect(outcome(distinct.fromText('a,b,a'))).toBe("'a' is given twice; give it once");
    expect(distinct.fromText('a,b')).toEqual(['a', 'b']);
  });

  it('comes from programs as an array, of which it is a frozen copy', () => {
    const given = ['a'];
    const read = letters.fromValue(given);
    given.push('b');
    expect(read).toEqual(['a']);
    expect(Object.isFrozen(read)).toBe(true);
    expect(letters.fromValue('a')).toMatchObject({ message: "'a': expected an array of strings", isType: true });
    expect(letters.fromValue([1])).toMatchObject({ message: "'1': expected an array of strings", isType: true });
  });

  it('is shown with commas', () => {
    expect(letters.show(['a', 'b'])).toBe('a,b');
    expect(letters.show([])).toBe('none');
  });
});
