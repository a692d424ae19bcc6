/**
 * Configuration: from flags and environment variables for people, from an object for programs; both by one schema.
 *
 * @module
 */
import { helpText } from './config-help.ts';
import { Fault } from './config-kinds.ts';
import { conflict, type Option, type OptionName, optionNames, schema } from './config-schema.ts';
import type { Config } from './config-type.ts';
import { nearest, quote } from './text.ts';

export { helpText } from './config-help.ts';
export type { OptionName } from './config-schema.ts';
export type { Config } from './config-type.ts';

/** What a program is started with. */
export interface ConfigSource {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  /** Looks an environment variable up. Only {@link environmentNames} are asked for. */
  env(name: string): string | undefined;
}

/** What came of flags and environment variables. */
export type ParsedConfig =
  | {
      readonly kind: 'config';
      readonly config: Config;
      /** The options that were given, rather than left at their default, each with the flag or variable that gave it. */
      readonly given: ReadonlyMap<OptionName, string>;
    }
  /** The help was asked for: print it, exit 0. */
  | { readonly kind: 'help'; readonly text: string }
  /** The version was asked for: print it, exit 0. */
  | { readonly kind: 'version' }
  /** One line on what is wrong and what would be right: print it, exit 2. */
  | { readonly kind: 'error'; readonly message: string };

/** Every environment variable that is looked at. */
export const environmentNames: readonly string[] = optionNames.flatMap((name) => schema[name].env);

/** An option as a person gave it. */
interface Given {
  /** The flag or variable. */
  readonly as: string;
  readonly text: string;
}

/** The flag of an option, such as `--ping-interval`, for messages. */
export function flagOf(name: OptionName): string {
  return schema[name].flag;
}

/** What an option is called by the person who gave it, such as `TLS_KEY`; its flag where nobody did. */
export function nameOf(name: OptionName, given: ReadonlyMap<OptionName, string>): string {
  return given.get(name) ?? flagOf(name);
}

/** The configuration without any option given. */
export function defaultConfig(): Config {
  return resolveOptions({});
}

/**
 * Reads flags and environment variables. A flag wins over its variable, and a variable that is empty counts as unset.
 *
 * Flags are `--name value` or `--name=value`; one that is a yes or no is `--name`, `--no-name` or `--name=false`.
 * Lists are repeated flags, or commas.
 */
export function parseConfig({ argv, env }: ConfigSource): ParsedConfig {
  // Package managers differ in whether they pass on the `--` that ends their own options.
  const first = argv.findIndex((argument) => argument !== '--');
  const args = first === -1 ? [] : argv.slice(first);
  if (args.includes('--help') || args.includes('-h')) return { kind: 'help', text: helpText() };
  if (args.includes('--version')) return { kind: 'version' };

  const given = new Map<OptionName, Given>();
  const fault = readArguments(args, given) ?? readEnvironment(env, given);
  if (fault !== undefined) return { kind: 'error', message: fault };

  const values: Partial<Record<OptionName, unknown>> = {};
  const named: Partial<Record<OptionName, string>> = {};
  for (const name of optionNames) {
    const { flag, kind, default: value } = schema[name] as Option<unknown>;
    const source = given.get(name);
    const read = source === undefined ? kind.fromValue(value) : kind.fromText(source.text);
    named[name] = source === undefined ? flag : source.as;
    if (read instanceof Fault) return { kind: 'error', message: `${named[name]} ${read.message}` };
    values[name] = read;
  }
  const config = Object.freeze(values) as Config;
  const message = conflict(config, (name) => named[name] as string);
  if (message !== undefined) return { kind: 'error', message };
  return { kind: 'config', config, given: new Map([...given].map(([name, { as }]) => [name, as])) };
}

/**
 * The configuration of a program that gives some options; the others have their defaults. Times are milliseconds.
 *
 * @throws TypeError for an unknown option or a value of another type, RangeError for a value that is not allowed.
 */
export function resolveOptions(options: { readonly [Name in OptionName]?: Config[Name] | undefined }): Config {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(schema, name)) continue;
    const meant = nearest(name, optionNames);
    throw new TypeError(`unknown option ${quote(name)}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
  }
  const values: Partial<Record<OptionName, unknown>> = {};
  for (const name of optionNames) {
    const { kind, default: value } = schema[name] as Option<unknown>;
    const read = kind.fromValue(options[name] === undefined ? value : options[name]);
    if (read instanceof Fault) throw new (read.isType ? TypeError : RangeError)(`${name} ${read.message}`);
    values[name] = read;
  }
  const config = Object.freeze(values) as Config;
  const message = conflict(config, (name) => name);
  if (message !== undefined) throw new RangeError(message);
  return config;
}

/** Puts what flags give into `given`; answers what is wrong with them. */
function readArguments(args: readonly string[], given: Map<OptionName, Given>): string | undefined {
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] as string;
    if (!/^-./s.test(argument)) {
      return `unexpected argument ${quote(argument)}; options are written --name value, and --help lists them`;
    }
    const equals = argument.indexOf('=');
    const flag = equals === -1 ? argument : argument.slice(0, equals);
    let value = equals === -1 ? undefined : argument.slice(equals + 1);

    const negated = flag.startsWith('--no-');
    const sought = negated ? `--${flag.slice('--no-'.length)}` : flag;
    const name = optionNames.find((name) => schema[name].flag === sought);
    const option = name === undefined ? undefined : (schema[name] as Option<unknown>);
    if (name === undefined || option === undefined || (negated && option.placeholder !== undefined)) {
      return unknownFlag(flag);
    }
    if (option.placeholder === undefined) {
      if (negated && value !== undefined) return `${flag} takes no value; write ${sought}=true or ${flag}`;
      value ??= String(!negated);
    } else {
      if (value === undefined && args[index + 1]?.startsWith('--') === false) value = args[++index];
      if (value === undefined || value === '') return `${flag} needs a value; write ${flag} <${option.placeholder}>`;
    }

    const before = given.get(name);
    if (before !== undefined && option.repeatable === undefined) return `${sought} is given twice; give it once`;
    given.set(name, { as: flag, text: before === undefined ? value : `${before.text},${value}` });
  }
  return undefined;
}

function unknownFlag(flag: string): string {
  const known = optionNames.flatMap((name) => {
    const option = schema[name];
    return option.placeholder === undefined ? [option.flag, option.flag.replace('--', '--no-')] : [option.flag];
  });
  const meant = nearest(flag, [...known, '--help', '--version']);
  const shown = /^[\w-]{1,40}$/.test(flag) ? flag : quote(flag);
  return `unknown option ${shown}; ${meant === undefined ? '--help lists all options' : `did you mean ${meant}?`}`;
}

/** Puts what environment variables give, where flags give nothing, into `given`; answers what is wrong with them. */
function readEnvironment(env: ConfigSource['env'], given: Map<OptionName, Given>): string | undefined {
  for (const name of optionNames) {
    if (given.has(name)) continue;
    for (const variable of schema[name].env) {
      const text = env(variable)?.trim() ?? '';
      if (text === '') continue;
      const before = given.get(name);
      if (before !== undefined) return `${before.as} and ${variable} are both set; set ${before.as} alone`;
      given.set(name, { as: variable, text });
    }
  }
  return undefined;
}
