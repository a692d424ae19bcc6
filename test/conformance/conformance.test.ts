/**
 * What a server does with every kind of frame, section by section of RFC 6455 and RFC 7692, and that it is what was
 * committed for its engine: no worse, and no better either.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { currentTarget, type ServerProcess, startServer } from '../support/server.ts';
import { fingerprint, type PlacedCase, type ServerName, servers } from './case.ts';
import { cases } from './cases/index.ts';
import { advice, expected, faults, UNSUPPORTED, unexcused, update } from './expected.ts';
import { run } from './session.ts';

const updating = process.env.UPDATE === '1';
const outcomes = new Map<string, string>();
const started = new Map<ServerName, Promise<ServerProcess | undefined>>();

/** The server with these flags, started when the first case asks for it; none where the engine refuses them. */
function serverFor(name: ServerName): Promise<ServerProcess | undefined> {
  let server = started.get(name);
  if (server === undefined) {
    server = startServer(currentTarget, ['--log', 'off', ...servers[name]]).catch((error) => {
      // Only a refused option is an outcome; a server that can't start at all is none.
      if (name !== 'plain' && /compression/.test(String(error))) return undefined;
      throw error;
    });
    started.set(name, server);
  }
  return server;
}

afterAll(async () => {
  for (const server of await Promise.all(started.values())) if (server?.running) await server.stop('SIGKILL');
  if (updating) update(cases, outcomes);
});

async function outcomeOf(test: PlacedCase): Promise<string> {
  const server = await serverFor(test.server ?? 'plain');
  if (server === undefined) return UNSUPPORTED;
  const outcome = await run(test, server.port);
  return server.running ? outcome : `${outcome} | the server died`;
}

describe.concurrent(`${currentTarget.engine} engine on ${currentTarget.runtime}`, () => {
  it.each(cases.map((test) => [`${test.number} ${test.title}`, test] as const))('%s', async (_, test) => {
    const outcome = await outcomeOf(test);
    outcomes.set(test.id, outcome);
    if (!updating) expect(outcome, `required: ${test.expect}; ${advice}`).toBe(expected(test));
  });
});

describe('the cases', () => {
  it('are as many as ever: none is left out by a mistake in what makes them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(1500);
  });

  it('each send something that no other does', () => {
    const known = new Map<string, string>();
    const repeats: string[] = [];
    for (const test of cases) {
      const print = fingerprint(test);
      const before = known.get(print);
      if (before === undefined) known.set(print, test.id);
      else repeats.push(`${test.id} is ${before}`);
    }
    expect(repeats).toEqual([]);
  });
});

describe('the committed outcomes', () => {
  it('belong to cases, and are graded as these say', () => {
    if (!updating) expect(faults(cases)).toEqual([]);
  });

  it('are strict, or have a reason; on the portable engine there is none', () => {
    if (!updating) expect(unexcused()).toEqual([]);
  });

  it('belong to cases that are told apart by section and title', () => {
    const ids = cases.map((test) => test.id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });
});
