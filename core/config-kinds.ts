/**
 * The kinds of values that options have: how each is read from text (a flag, an environment variable), checked when
 * it comes from a program, and shown.
 *
 * @module
 */
import { quote } from './text.ts';

/** Why a value can't be taken: what follows the option's name in an error message. */
export class Fault {
  readonly message: string;
  /** Whether a program gave a value of another type, rather than one out of range. */
  readonly isType: boolean;

  constructor(message: string, isType = false) {
    this.message = message;
    this.isType = isType;
  }
}

/** A kind of value. */
export interface Kind<T> {
  /** Reads what a person wrote. */
  fromText(text: string): T | Fault;
  /** Checks what a program gave. */
  fromValue(value: unknown): T | Fault;
  /** The value as a person writes it. */
  show(value: T): string;
}

/** The limits of a number, both included. */
export interface Limits {
  readonly min: number;
  readonly max: number;
}

/** What tells the numeric kinds apart. */
interface Notation {
  /** Whether 0, outside the limits, stands for off. */
  readonly off: boolean;
  readonly whole: boolean;
  /** `NaN` for what can't be read. */
  read(text: string): number;
  show(value: number): string;
  /** What is expected of a text, what of a program's value. */
  readonly text: string;
  readonly value: string;
}

function numeric({ min, max }: Limits, notation: Notation): Kind<number> {
  const within = (value: number) =>
    (value >= min && value <= max && !(notation.whole && !Number.isInteger(value))) || (notation.off && value === 0);
  return {
    fromText(text) {
      const value = notation.read(text);
      return within(value) ? value : new Fault(`${quote(text)}: expected ${notation.text}`);
    },
    fromValue(value) {
      if (typeof value === 'number' && within(value)) return value;
      return new Fault(`${quote(String(value))}: expected ${notation.value}`, typeof value !== 'number');
    },
    show: notation.show,
  };
}

/** A whole number. */
export function whole(limits: Limits): Kind<number> {
  const expected = `a whole number from ${limits.min} to ${limits.max}`;
  return numeric(limits, {
    off: false,
    whole: true,
    read: (text) => (/^[0-9]+$/.test(text) ? Number(text) : Number.NaN),
    show: String,
    text: expected,
    value: expected,
  });
}

/** What a kind reads, or a word that stands for itself. */
export function orWord<T, W extends string>(word: W, kind: Kind<T>): Kind<T | W> {
  const expecting = (read: T | Fault) =>
    read instanceof Fault ? new Fault(read.message.replace('expected ', `expected ${word} or `), read.isType) : read;
  return {
    fromText: (text) => (text === word ? word : expecting(kind.fromText(text))),
    fromValue: (value) => (value === word ? word : expecting(kind.fromValue(value))),
    show: (value) => (value === word ? word : kind.show(value as T)),
  };
}

/** A time: written in seconds with fractions, kept in milliseconds. The limits are milliseconds. */
export function seconds(limits: Limits & { readonly off: boolean }): Kind<number> {
  const off = limits.off ? '0 (off) or ' : '';
  return numeric(limits, {
    off: limits.off,
    whole: false,
    read: (text) => (/^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/.test(text) ? Math.round(Number(text) * 1000) : Number.NaN),
    show: (value) => String(value / 1000),
    text: `${off}${limits.min / 1000} to ${limits.max / 1000} seconds`,
    value: `${off}${limits.min} to ${limits.max}, a number of milliseconds`,
  });
}

const UNITS: readonly (readonly [unit: string, bytes: number])[] = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

/** A size: written as bytes or with the unit KiB, MiB or GiB, in any case; kept in bytes. */
export function size(limits: Limits): Kind<number> {
  const show = (value: number) => {
    const [unit, bytes] = UNITS.find(([, bytes]) => value % bytes === 0) ?? ['', 1];
    return `${value / bytes}${unit}`;
  };
  return numeric(limits, {
    off: false,
    whole: true,
    read(text) {
      const match = /^([0-9]+)(?: ?([kmg]ib))?$/i.exec(text);
      if (match === null) return Number.NaN;
      const [, bytes] = UNITS.find(([unit]) => unit.toLowerCase() === match[2]?.toLowerCase()) ?? ['', 1];
      return Number(match[1]) * bytes;
    },
    show,
    text: `${show(limits.min)} to ${show(limits.max)}, in bytes or with KiB, MiB or GiB, such as 64KiB`,
    value: `a whole number of bytes from ${limits.min} to ${limits.max}`,
  });
}

/** Yes or no. */
export const boolean: Kind<boolean> = {
  fromText(text) {
    if (/^(?:true|yes|on|1)$/i.test(text)) return true;
    if (/^(?:false|no|off|0)$/i.test(text)) return false;
    return new Fault(`${quote(text)}: expected true or false`);
  },
  fromValue(value) {
    return typeof value === 'boolean' ? value : new Fault(`${quote(String(value))}: expected true or false`, true);
  },
  show: String,
};

/** One of a few words. */
export function choice<T extends string>(...words: readonly [T, ...T[]]): Kind<T> {
  const expected = words.join(', ').replace(/, ([^,]*)$/, ' or $1');
  const read = (value: unknown) =>
    words.find((word) => word === value) ??
    new Fault(`${quote(String(value))}: expected ${expected}`, typeof value !== 'string');
  return { fromText: read, fromValue: read, show: String };
}

/** Text. `check` answers what is wrong with it, after its quotation. */
export function text(check: (text: string) => string | undefined): Kind<string> {
  const read = (value: unknown) => {
    if (typeof value !== 'string') return new Fault(`${quote(String(value))}: expected a string`, true);
    const fault = check(value);
    return fault === undefined ? value : new Fault(`${quote(value)}: ${fault}`);
  };
  return { fromText: read, fromValue: read, show: String };
}

/** Several texts without commas. `check` answers what is wrong with one; `repeats` says whether one may come twice. */
export function list(check: (item: string) => Fault | undefined, repeats: boolean): Kind<readonly string[]> {
  const read = (items: readonly string[]) => {
    for (const [index, item] of items.entries()) {
      const fault = check(item);
      if (fault !== undefined) return fault;
      if (!repeats && items.indexOf(item) < index) return new Fault(`${quote(item)} is given twice; give it once`);
    }
    return Object.freeze([...items]);
  };
  return {
    fromText(text) {
      const items = text.split(',').map((item) => item.trim());
      return read(items.filter((item) => item !== ''));
    },
    fromValue(value) {
      if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return read(value);
      return new Fault(`${quote(String(value))}: expected an array of strings`, true);
    },
    show: (items) => (items.length === 0 ? 'none' : items.join(',')),
  };
}
