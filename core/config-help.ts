/**
 * What `--help` prints.
 *
 * @module
 */
import { type Option, optionNames, schema } from './config-schema.ts';

const WIDTH = 98;
/** Where descriptions begin. */
const INDENT = 37;

const USAGE = `Usage: npm start -- [options]             on Node
       bun run start:bun -- [options]     on Bun
       deno task start -- [options]       on Deno

A WebSocket echo server that checks Origins and notices when clients are gone.

Options (an option wins over its environment variable, which stands in brackets):
`;

/** The help text, under 100 columns wide and ended by a newline. */
export function helpText(): string {
  const rows = optionNames.map((name) => {
    const option = schema[name] as Option<unknown>;
    const value = option.placeholder === undefined ? '' : ` <${option.placeholder}>`;
    return row(`${option.flag}${value}`, [
      ...option.help.split(' '),
      `[${option.env[0]}; default ${option.kind.show(option.default)}]`,
    ]);
  });
  rows.push(row('-h, --help', ['Print this and exit.']), row('--version', ['Print the version and exit.']));
  return `${USAGE}${rows.join('')}`;
}

/** @param words - What a line may be broken between. */
function row(left: string, words: readonly string[]): string {
  let text = `  ${left}`.padEnd(INDENT - 1);
  let column = INDENT - 1;
  for (const word of words) {
    if (column + 1 + word.length > WIDTH) {
      text += `\n${' '.repeat(INDENT)}${word}`;
      column = INDENT + word.length;
    } else {
      text += ` ${word}`;
      column += 1 + word.length;
    }
  }
  return `${text}\n`;
}
