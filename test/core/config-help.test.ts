import { describe, expect, it } from 'vitest';
import { helpText } from '../../core/config-help.ts';
import { optionNames, schema } from '../../core/config-schema.ts';

describe('the help', () => {
  const help = helpText();

  it('is narrower than 100 columns, without spaces at the end of lines, and ends with one newline', () => {
    for (const line of help.split('\n')) {
      expect(line.length).toBeLessThan(100);
      expect(line).not.toMatch(/\s$/);
    }
    expect(help).toMatch(/[^\n]\n$/);
  });

  it('has every option with its variable and default', () => {
    for (const name of optionNames) {
      expect(help).toContain(`\n  ${schema[name].flag} `);
      expect(help).toContain(`[${schema[name].env[0]}; default `);
    }
    expect(help).toContain('\n  --port <number>  ');
    expect(help).toContain('[PORT; default 8080]');
    expect(help).toContain('[PING_INTERVAL; default 30]');
    expect(help).toContain('[MAX_MESSAGE_SIZE; default 16MiB]');
    expect(help).toContain('[ALLOWED_ORIGINS; default none]');
  });

  it('aligns all descriptions', () => {
    const rows = help.split('\n').filter((line) => /^ {2}-/.test(line));
    expect(rows).toHaveLength(optionNames.length + 2);
    for (const row of rows) expect(row.slice(35)).toMatch(/^ {2}\S/);
  });
});
