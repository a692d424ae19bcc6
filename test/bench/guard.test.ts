/** The hot paths against the bare engine of the same runtime, in the same run: a ratio, never an absolute time. */
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeCores } from '../../bench/machine.ts';
import { peers } from '../../bench/peers.ts';
import type { PeerProcess } from '../../bench/process.ts';
import type { ShapeResult } from '../../bench/results.ts';
import { runShape } from '../../bench/run.ts';
import { shapes } from '../../bench/shapes.ts';
import { floors } from './floors.ts';

describe.skipIf(process.platform !== 'linux')('what echoes and connections cost, compared with the bare engine', () => {
  const guarded = peers.filter(({ id, kind, runtime }) => {
    const mine = floors.some((floor) => floor.peer === id);
    return mine || (kind === 'bare' && floors.some((floor) => floor.peer.startsWith(`ours-${runtime}`)));
  });
  const servers: Map<(typeof peers)[number], PeerProcess> = new Map();
  const results: ShapeResult[] = [];

  beforeAll(async () => {
    const plan = { cores: takeCores(), rounds: 3, seconds: 0.15, firstWarmUp: 0.25, progress: () => {}, servers };
    for (const shape of shapes) {
      if (floors.some((floor) => floor.shape === shape.id)) results.push(await runShape(shape, guarded, plan));
    }
  });
  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  });

  for (const { peer, shape, floor } of floors) {
    it(`${peer}, ${shape}: at least ${floor} times as much for the same CPU time`, () => {
      const result = results.find(({ id }) => id === shape)?.peers.find(({ id }) => id === peer);
      expect(result?.failure).toBeUndefined();
      const { median = 0, lowerQuartile, upperQuartile } = result?.ratio ?? {};
      expect(median, `${median} (${lowerQuartile} to ${upperQuartile})`).toBeGreaterThanOrEqual(floor);
    });
  }
});
