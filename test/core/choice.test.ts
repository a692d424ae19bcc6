import { describe, expect, it } from 'vitest';
import { chooseEngine, type Engines, isLoopback } from '../../core/choice.ts';
import { type Config, resolveOptions } from '../../core/config.ts';
import type { Capabilities } from '../../core/engine.ts';
import { everything } from './support/server.ts';

function runtime(name: string, lacks: (keyof Capabilities)[], differs: Partial<Capabilities> = {}): Engines {
  const capabilities = { ...everything };
  for (const capability of lacks) capabilities[capability] = false as true;
  return {
    runtime: name,
    native: { name: 'native', capabilities: { ...capabilities, ...differs } },
    portable: { name: 'portable', capabilities: everything },
  };
}

const bun = runtime('Bun', ['http2'], { compression: 'wide' });
const deno = runtime('Deno', ['ping', 'pause', 'terminate', 'messageLimit', 'compression', 'http2', 'requestTimeout']);
const one = { name: 'portable', capabilities: everything } as const;
const node: Engines = { runtime: 'Node', native: one, portable: one };

const configure = (options: Partial<Config>): Config => resolveOptions(options);
const reachable = { host: '0.0.0.0' };
const pongTimeout = { keepAliveTimeout: 5000 };
const frames = { liveness: 'frames' } as const;
const http2 = { http2: true, tlsCert: 'cert.pem', tlsKey: 'key.pem' };
const http2Cleartext = { http2Cleartext: true };
const compression = { compression: true };
const lone = { compressionNoContextTakeover: true };
const workers = { workers: 2 };
const bounded = { compressionWindowBits: 14 };

describe('the engine', () => {
  it.each([
    ['Node', node, {}, 'portable'],
    ['Node, native', node, { engine: 'native' }, 'portable'],
    ['Node, reachable', node, reachable, 'portable'],
    ['Node, HTTP/2', node, http2, 'portable'],
    ['Node, workers', node, workers, 'portable'],
    ['Bun', bun, {}, 'native'],
    ['Bun, workers', bun, workers, 'native'],
    ['Bun, a worker for each core', bun, { workers: 'auto' }, 'native'],
    ['Bun, native', bun, { engine: 'native' }, 'native'],
    ['Bun, portable', bun, { engine: 'portable' }, 'portable'],
    ['Bun, reachable', bun, reachable, 'native'],
    ['Bun, PONG timeout', bun, pongTimeout, 'native'],
    ['Bun, frames', bun, frames, 'native'],
    ['Bun, portable, HTTP/2', bun, { engine: 'portable', ...http2 }, 'portable'],
    ['Bun, compression', bun, compression, 'native'],
    ['Bun, compression with a bounded window', bun, { ...compression, ...bounded }, 'native'],
    ['Bun, compression of each message by itself', bun, { ...compression, ...lone }, 'native'],
    ['Deno', deno, {}, 'native'],
    ['Deno, native', deno, { engine: 'native' }, 'native'],
    ['Deno, portable', deno, { engine: 'portable' }, 'portable'],
    ['Deno, portable, reachable', deno, { engine: 'portable', ...reachable }, 'portable'],
    ['Deno, portable, PONG timeout', deno, { engine: 'portable', ...pongTimeout }, 'portable'],
    ['Deno, portable, compression', deno, { engine: 'portable', ...compression }, 'portable'],
    ['Deno, native, reachable', deno, { engine: 'native', ...reachable }, 'native'],
  ] as const)('of %s is taken without a word', (_, engines, options, engine) => {
    expect(chooseEngine(configure(options), engines)).toEqual({ engine });
  });

  const unmet = [
    [
      'a PONG timeout',
      deno,
      pongTimeout,
      "Deno's native engine does not tell of PONGs, which --keep-alive-timeout needs",
    ],
    ['PONGs that count', deno, frames, "Deno's native engine does not tell of PONGs, which --liveness needs"],
    ['HTTP/2', bun, http2, "Bun's native engine carries no WebSockets over HTTP/2, which --http2 needs"],
    [
      'HTTP/2 without TLS',
      bun,
      http2Cleartext,
      "Bun's native engine carries no WebSockets over HTTP/2, which --http2-cleartext needs",
    ],
    ['compression', deno, compression, "Deno's native engine has no permessage-deflate, which --compression needs"],
    [
      'compression of each message by itself with a bounded window',
      bun,
      { ...compression, ...lone, ...bounded },
      "Bun's native engine can't bound its window together with --compression-no-context-takeover, " +
        'which --compression-window-bits needs',
    ],
    [
      'several things',
      deno,
      { ...pongTimeout, ...frames, ...compression, ...http2, ...reachable },
      "Deno's native engine does not tell of PONGs, which --keep-alive-timeout and --liveness need, " +
        'and carries no WebSockets over HTTP/2, which --http2 needs, and has no permessage-deflate, which --compression needs',
    ],
  ] as const;

  it.each(unmet)('for %s is the portable one where the native one can’t', (_, engines, options, note) => {
    expect(chooseEngine(configure(options), engines)).toEqual({ engine: 'portable', note });
  });

  it.each(unmet)('for %s can’t be the native one where that can’t', (title, engines, options, what) => {
    const left = title === 'several things' ? 'options' : 'option';
    expect(chooseEngine(configure({ engine: 'native', ...options }), engines)).toEqual({
      fault: `${what}; take --engine portable, or leave the ${left} out`,
    });
  });

  it('is told of with the names that its options were given by', () => {
    const given = new Map([
      ['engine', 'ENGINE'],
      ['compressionWindowBits', '--compression-window-bits'],
      ['compressionNoContextTakeover', 'COMPRESSION_NO_CONTEXT_TAKEOVER'],
    ] as const);
    const config = configure({ engine: 'native', ...compression, ...lone, ...bounded });
    expect(chooseEngine(config, bun, given)).toEqual({
      fault:
        "Bun's native engine can't bound its window together with COMPRESSION_NO_CONTEXT_TAKEOVER, " +
        'which --compression-window-bits needs; take ENGINE portable, or leave the option out',
    });
  });

  it('is the portable one where others can reach a native one without limits', () => {
    expect(chooseEngine(configure(reachable), deno)).toEqual({
      engine: 'portable',
      note:
        "others can reach 0.0.0.0, and Deno's native engine can't bound a message before it is all in memory, " +
        'slow a sender down, drop a client that does not read, drop a client that never finishes its request',
    });
  });

  it.each(['pause', 'terminate', 'messageLimit', 'requestTimeout'] as const)(
    'is the portable one where others can reach a native one that only lacks %s',
    (capability) => {
      expect(chooseEngine(configure(reachable), runtime('Other', [capability]))).toMatchObject({ engine: 'portable' });
    },
  );
});

describe('only this machine can reach', () => {
  it.each(['127.0.0.1', '127.255.0.3', '::1', 'localhost', 'LocalHost', 'app.localhost'])('%s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
});

describe('others can reach', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', '127.0.0.1.example.com', '128.0.0.1', 'localhost.example.com', 'mylocalhost'])(
    '%s',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('what no engine of a runtime can do', () => {
  const { native } = runtime('Other', ['sharesPort', 'ping']);
  const other: Engines = { runtime: 'Other', native, portable: { ...native, name: 'portable' } };

  it.each(['auto', 'native', 'portable'] as const)('is an error with --engine %s', (engine) => {
    expect(chooseEngine(configure({ workers: 'auto', engine }), other)).toEqual({
      fault:
        "Other can't share a port among processes on this system, which --workers needs; run it with Node, or on Linux",
    });
  });

  it('is an error where both are one, too', () => {
    const choice = chooseEngine(configure(pongTimeout), { runtime: 'Other', native, portable: native });
    expect(choice).toEqual({
      fault: 'Other does not tell of PONGs, which --keep-alive-timeout needs; leave the option out',
    });
  });

  it('is none that nobody asks for', () => {
    expect(chooseEngine(configure({}), other)).toEqual({ engine: 'native' });
  });
});
