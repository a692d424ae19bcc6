import { describe, expect, it } from 'vitest';
import {
  type Config,
  defaultConfig,
  environmentNames,
  flagOf,
  helpText,
  parseConfig,
  resolveOptions,
} from '../../core/config.ts';

function parse(argv: string[], variables: Record<string, string> = {}) {
  return parseConfig({ argv, env: (name) => variables[name] });
}

/** The options that flags and variables set. */
function given(argv: string[], variables: Record<string, string> = {}): Partial<Config> {
  const parsed = parse(argv, variables);
  if (parsed.kind !== 'config') throw new Error(JSON.stringify(parsed));
  return Object.fromEntries([...parsed.given.keys()].map((name) => [name, parsed.config[name]]));
}

function message(argv: string[], variables: Record<string, string> = {}): string {
  const parsed = parse(argv, variables);
  if (parsed.kind !== 'error') throw new Error(`no error: ${parsed.kind}`);
  return parsed.message;
}

it('without flags and variables everything has its default', () => {
  const expected = {
    host: '127.0.0.1',
    port: 8080,
    path: '/ws',
    allowedOrigins: [],
    requireOrigin: false,
    pingInterval: 30_000,
    liveness: 'messages',
    keepAliveInterval: 120_000,
    keepAliveTimeout: 0,
    maxMessageSize: 16 * 1024 * 1024,
    maxBuffered: 1024 * 1024,
    maxConnections: 10_000,
    subprotocols: [],
    compression: false,
    compressionWindowBits: 15,
    compressionNoContextTakeover: false,
    shutdownTimeout: 10_000,
    tlsCert: '',
    tlsKey: '',
    http2: false,
    http2Cleartext: false,
    engine: 'auto',
    workers: 1,
    log: 'pretty',
  };
  expect(parse([])).toEqual({ kind: 'config', config: expected, given: new Map() });
  expect(defaultConfig()).toEqual(expected);
});

it('a configuration can not be changed', () => {
  for (const config of [defaultConfig(), (parse([]) as { config: Config }).config]) {
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.allowedOrigins)).toBe(true);
    expect(Object.isFrozen(config.subprotocols)).toBe(true);
  }
});

describe('flags', () => {
  it('have their value in the next argument or after =', () => {
    expect(given(['--port', '0', '--host=::1', '--ping-interval', '.5', '--max-message-size=64KiB'])).toEqual({
      port: 0,
      host: '::1',
      pingInterval: 500,
      maxMessageSize: 65536,
    });
  });

  it('may follow any number of --, which package managers pass on', () => {
    expect(given(['--', '--port', '1'])).toEqual({ port: 1 });
    expect(given(['--', '--'])).toEqual({});
  });

  it('that are a yes or no take no argument', () => {
    expect(given(['--require-origin', '--port', '1'])).toEqual({ requireOrigin: true, port: 1 });
    expect(given(['--no-require-origin'])).toEqual({ requireOrigin: false });
    expect(given(['--require-origin=false'])).toEqual({ requireOrigin: false });
    expect(given(['--require-origin=yes'])).toEqual({ requireOrigin: true });
    expect(message(['--require-origin', 'false'])).toBe(
      "unexpected argument 'false'; options are written --name value, and --help lists them",
    );
    expect(message(['--no-require-origin=true'])).toBe(
      '--no-require-origin takes no value; write --require-origin=true or --no-require-origin',
    );
    expect(message(['--require-origin='])).toBe("--require-origin '': expected true or false");
  });

  it('that are lists may be repeated and have commas', () => {
    expect(
      given(['--allowed-origin', 'https://a.com', '--subprotocol=v2,v1', '--allowed-origin=*', '--subprotocol', 'v0']),
    ).toEqual({ allowedOrigins: ['https://a.com', '*'], subprotocols: ['v2', 'v1', 'v0'] });
  });

  it('that are no lists may not be repeated', () => {
    expect(message(['--port', '1', '--port=1'])).toBe('--port is given twice; give it once');
    expect(message(['--require-origin', '--no-require-origin'])).toBe('--require-origin is given twice; give it once');
  });

  it('need their value', () => {
    expect(message(['--port'])).toBe('--port needs a value; write --port <number>');
    expect(message(['--port', '--host', 'x'])).toBe('--port needs a value; write --port <number>');
    expect(message(['--allowed-origin='])).toBe('--allowed-origin needs a value; write --allowed-origin <origin>');
    expect(message(['--port', ''])).toBe('--port needs a value; write --port <number>');
  });

  it('that are unknown are refused with the nearest name', () => {
    expect(message(['--prot', '1'])).toBe('unknown option --prot; did you mean --port?');
    expect(message(['--allowed-origins=*'])).toBe('unknown option --allowed-origins; did you mean --allowed-origin?');
    expect(message(['--pingInterval', '1'])).toBe('unknown option --pingInterval; did you mean --ping-interval?');
    expect(message(['--no-require-orign'])).toBe(
      'unknown option --no-require-orign; did you mean --no-require-origin?',
    );
    expect(message(['--no-port'])).toMatch(/^unknown option --no-port; /);
    expect(message(['--verbose'])).toBe('unknown option --verbose; --help lists all options');
    expect(message(['-p', '80'])).toBe('unknown option -p; --help lists all options');
    expect(message(['--hlep'])).toBe('unknown option --hlep; did you mean --help?');
    expect(message(['--a\u001b[2J\nb'])).toBe("unknown option '--a\\u{1b}[2J\\nb'; --help lists all options");
  });

  it.each(['x', '', '-', 'a\nb'])('are not %j', (argument) => {
    expect(message([argument])).toMatch(/^unexpected argument '[^\n]*'; options are written --name value/);
  });

  it('with a wrong value are refused by name', () => {
    expect(message(['--port', '99999'])).toBe("--port '99999': expected a whole number from 0 to 65535");
    expect(message(['--port', '-1'])).toBe("--port '-1': expected a whole number from 0 to 65535");
    expect(message(['--allowed-origin', 'https://a.com/'])).toBe(
      "--allowed-origin 'https://a.com/' can never match: an Origin has no path; write https://a.com",
    );
  });
});

describe('environment variables', () => {
  it('give what flags do not', () => {
    const variables = { PORT: '1', PING_INTERVAL: ' 2.5 ', REQUIRE_ORIGIN: '1', SOCKET_PATH: '/echo', LOG: 'json' };
    expect(given(['--port', '2', '--no-require-origin'], variables)).toEqual({
      port: 2,
      pingInterval: 2500,
      requireOrigin: false,
      path: '/echo',
      log: 'json',
    });
  });

  it('and flags are remembered by what gave them', () => {
    expect(parse(['--port=2'], { HTTP2_CLEARTEXT: 'yes', ALLOWED_ORIGIN: '*', PORT: '1' })).toMatchObject({
      given: new Map([
        ['port', '--port'],
        ['allowedOrigins', 'ALLOWED_ORIGIN'],
        ['http2Cleartext', 'HTTP2_CLEARTEXT'],
      ]),
    });
  });

  it('of lists have commas, and a plural or singular name', () => {
    expect(given([], { ALLOWED_ORIGINS: 'https://a.com, https://b.com', SUBPROTOCOL: 'chat' })).toEqual({
      allowedOrigins: ['https://a.com', 'https://b.com'],
      subprotocols: ['chat'],
    });
    expect(message([], { ALLOWED_ORIGINS: '*', ALLOWED_ORIGIN: '*' })).toBe(
      'ALLOWED_ORIGINS and ALLOWED_ORIGIN are both set; set ALLOWED_ORIGINS alone',
    );
  });

  it('of lists are replaced by flags, not added to', () => {
    expect(given(['--allowed-origin', 'https://a.com'], { ALLOWED_ORIGINS: '*' })).toEqual({
      allowedOrigins: ['https://a.com'],
    });
  });

  it('that are empty count as unset', () => {
    expect(given([], { PORT: '', HOST: '  ' })).toEqual({});
  });

  it('with a wrong value are named', () => {
    expect(message([], { PORT: 'tcp://10.0.0.1:80' })).toBe(
      "PORT 'tcp://10.0.0.1:80': expected a whole number from 0 to 65535",
    );
    expect(message([], { LIVENESS: 'a\u0007'.repeat(99) })).toMatch(
      /^LIVENESS '(?:a\\u\{7\}){30}…': expected messages, /,
    );
  });

  it('are asked for by their known names only', () => {
    const asked: string[] = [];
    parseConfig({
      argv: [],
      env(name) {
        asked.push(name);
        return undefined;
      },
    });
    expect(asked).toEqual(environmentNames);
    expect(environmentNames).toContain('SOCKET_PATH');
    expect(environmentNames).not.toContain('PATH');
  });
});

it('options that contradict each other are named as they were given', () => {
  expect(message(['--keep-alive-timeout', '5', '--keep-alive-interval', '0'])).toBe(
    '--keep-alive-timeout waits for the answer to a PING, and --keep-alive-interval 0 sends none; ' +
      'set --keep-alive-interval above 0',
  );
  expect(message(['--keep-alive-timeout', '5'], { KEEP_ALIVE_INTERVAL: '0' })).toBe(
    '--keep-alive-timeout waits for the answer to a PING, and KEEP_ALIVE_INTERVAL 0 sends none; ' +
      'set KEEP_ALIVE_INTERVAL above 0',
  );
});

describe('the help and the version', () => {
  it('win over everything else', () => {
    expect(parse(['--prot', '--help'])).toEqual({ kind: 'help', text: helpText() });
    expect(parse(['-h'], { PORT: 'x' })).toEqual({ kind: 'help', text: helpText() });
    expect(parse(['--version', '--prot'])).toEqual({ kind: 'version' });
    expect(parse(['--version', '--help'])).toMatchObject({ kind: 'help' });
  });
});

describe('a program', () => {
  it('gives some options, in milliseconds and bytes', () => {
    const config = resolveOptions({ pingInterval: 100, subprotocols: ['chat'], port: undefined });
    expect(config).toEqual({ ...defaultConfig(), pingInterval: 100, subprotocols: ['chat'] });
  });

  it('gets a TypeError for another type', () => {
    expect(() => resolveOptions({ port: '80' as unknown as number })).toThrow(
      new TypeError("port '80': expected a whole number from 0 to 65535"),
    );
    expect(() => resolveOptions({ host: null as unknown as string })).toThrow(
      new TypeError("host 'null': expected a string"),
    );
  });

  it('gets a TypeError for an unknown option', () => {
    expect(() => resolveOptions({ pingIntervall: 1 } as object)).toThrow(
      new TypeError("unknown option 'pingIntervall'; did you mean pingInterval?"),
    );
    expect(() => resolveOptions({ toString: 1 } as object)).toThrow(new TypeError("unknown option 'toString'"));
  });

  it('gets a RangeError for a value that is not allowed', () => {
    expect(() => resolveOptions({ pingInterval: 30 })).toThrow(
      new RangeError("pingInterval '30': expected 0 (off) or 50 to 86400000, a number of milliseconds"),
    );
    expect(() => resolveOptions({ allowedOrigins: ['a.com'] })).toThrow(
      new RangeError("allowedOrigins 'a.com' can never match: an Origin has a scheme; write https://a.com"),
    );
    expect(() => resolveOptions({ keepAliveInterval: 0, keepAliveTimeout: 100 })).toThrow(
      new RangeError(
        'keepAliveTimeout waits for the answer to a PING, and keepAliveInterval 0 sends none; ' +
          'set keepAliveInterval above 0',
      ),
    );
  });
});

it('an option is named in messages by its flag', () => {
  expect(flagOf('keepAliveInterval')).toBe('--keep-alive-interval');
});
