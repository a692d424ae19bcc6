/** Starting: the ready line, the help, and what is said of a mistake. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { currentTarget, runServer, startServer } from '../support/server.ts';
import { within } from '../support/wait.ts';
import { deviates } from './deviations.ts';

/** Runs it to its end. */
async function run(flags: readonly string[], env: Record<string, string> = {}) {
  await using server = runServer(currentTarget, flags, { env });
  const exit = await within(15_000, 'the end of a start that fails', server.exited);
  return { ...exit, lines: server.lines, errors: server.errors };
}

describe.concurrent('the ready line', () => {
  it('names address, path, runtime, version and engine', async () => {
    await using server = await startServer(currentTarget, ['--log', 'pretty', '--path', '/socket']);
    expect(server.lines.length).toBe(1);
    expect(server.lines[0]).toMatch(
      new RegExp(
        `^.*http://127\\.0\\.0\\.1:${server.port}\\b.*/socket.*\\b${currentTarget.runtime} ?v?\\d+\\.\\d+\\.\\d+.*\\b${currentTarget.engine}\\b`,
        'i',
      ),
    );
  });

  it('is JSON with --log json', async () => {
    await using server = await startServer(currentTarget);
    expect(server.reports[0]).toMatchObject({
      event: 'listening',
      url: server.url,
      runtime: expect.stringMatching(new RegExp(currentTarget.runtime, 'i')),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      engine: currentTarget.engine,
    });
  });

  it('takes its options from the environment too, and flags go before it', async () => {
    await using server = await startServer(currentTarget, ['--ping-interval', '7'], {
      env: { PING_INTERVAL: '9', SUBPROTOCOL: 'a,b' },
    });
    const info = await (await fetch(`${server.url}/info`)).json();
    expect(info).toMatchObject({ pingInterval: 7, subprotocols: ['a', 'b'] });
  });
});

describe.concurrent('--help', () => {
  it('prints every flag to standard output and exits 0', async () => {
    const { code, lines, errors } = await run(['--help']);
    expect(code).toBe(0);
    expect(errors).toEqual([]);
    const flags = [
      'host',
      'port',
      'path',
      'allowed-origin',
      'require-origin',
      'ping-interval',
      'liveness',
      'keep-alive-interval',
      'keep-alive-timeout',
      'max-message-size',
      'max-buffered',
      'max-connections',
      'subprotocol',
      'shutdown-timeout',
      'engine',
      'log',
    ];
    for (const flag of flags) expect(lines.join('\n')).toMatch(new RegExp(`--${flag}\\b`));
  });
});

describe.concurrent('one line says what is wrong, and the exit status is 2, for', () => {
  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['an unknown flag', ['--pingInterval', '3'], {}, /pingInterval/],
    ['a flag that is nearly right', ['--ping-intervall', '3'], {}, /--ping-interval\b/],
    ['a word that is no flag', ['extra'], {}, /extra/],
    ['a flag without its value', ['--port'], {}, /--port/],
    ['a port out of range', ['--port', '65536'], {}, /port.*65535/i],
    ['a port that is no number', ['--port', 'http'], {}, /port/i],
    ['a negative interval', ['--ping-interval=-1'], {}, /ping-interval/],
    ['an interval that is no number', ['--ping-interval', 'soon'], {}, /ping-interval/],
    ['a size with an unknown unit', ['--max-message-size', '16MB'], {}, /max-message-size.*MiB/],
    ['an engine that there is not', ['--engine', 'fast'], {}, /engine.*native.*portable|engine.*portable.*native/],
    ['a path without a slash', ['--path', 'ws'], {}, /path.*\//],
    ['an Origin with a path', ['--allowed-origin', 'https://client.com/page'], {}, /https:\/\/client\.com/],
    ['an Origin with a trailing slash', ['--allowed-origin', 'https://client.com/'], {}, /https:\/\/client\.com/],
    ['an Origin without a scheme', ['--allowed-origin', 'client.com'], {}, /https:\/\/client\.com/],
    ['a bad value in the environment', [], { PING_INTERVAL: 'soon' }, /PING_INTERVAL/],
    ['a bad Origin in the environment', [], { ALLOWED_ORIGINS: 'https://a.example,b.example' }, /b\.example/],
  ])('%s', async (_, flags, env, says) => {
    const { code, lines, errors } = await run(flags, env);
    expect(errors.length).toBe(1);
    expect(errors[0]).toMatch(says);
    expect(code).toBe(2);
    expect(lines).toEqual([]);
  });

  if (deviates('no-keep-alive-timeout')) {
    it('an option that the native engine cannot honour', async () => {
      const { code, errors } = await run(['--port', '0', '--engine', 'native', '--keep-alive-timeout', '5']);
      expect(errors.length).toBe(1);
      expect(errors[0]).toMatch(/portable/);
      expect(code).toBe(2);
    });
  }
});

describe('a port that is taken', () => {
  it('is told in one line, with exit status 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      const address = other.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const { code, lines, errors } = await run(['--port', String(port), '--engine', currentTarget.engine]);
      expect(errors.length).toBe(1);
      expect(errors[0]).toContain(String(port));
      expect(code).toBe(1);
      expect(lines).toEqual([]);
    } finally {
      other.close();
    }
  });
});

describe.concurrent('--engine auto', () => {
  it('takes the native engine', async () => {
    await using server = await startServer(currentTarget, ['--engine', 'auto']);
    expect(server.reports[0]?.engine).toBe(currentTarget.runtime === 'node' ? 'portable' : 'native');
  });

  if (deviates('no-keep-alive-timeout')) {
    it('takes the portable one for an option that the native one lacks, and says why', async () => {
      const flags = ['--engine=auto', '--log=pretty', '--keep-alive-timeout=5'];
      await using server = await startServer(currentTarget, flags);
      expect(server.lines[0]).toMatch(/portable.*keep-alive-timeout/);
    });
  }

  if (deviates('no-request-timeout')) {
    it('takes the portable one where others can reach it, and says why', async () => {
      await using server = await startServer(currentTarget, ['--engine=auto', '--log=pretty', '--host=0.0.0.0']);
      expect(server.lines[0]).toMatch(/portable.*0\.0\.0\.0|0\.0\.0\.0.*portable/);
    });
  }
});
