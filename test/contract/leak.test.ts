/** Opening and closing leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { closePayload, frame, opcode, openRaw } from '../support/raw.ts';
import { currentTarget, type ServerProcess, startServer, type Target } from '../support/server.ts';
import { until } from '../support/wait.ts';
import { deviates } from './deviations.ts';

/** The target, with a garbage collector that can be called. */
function withCollector(target: Target): Target {
  const [program = '', ...args] = target.command;
  if (target.runtime === 'bun') return target;
  if (target.runtime === 'node') return { ...target, command: [program, '--expose-gc', ...args] };
  const collecting = args.map((arg) => (arg.startsWith('--v8-flags=') ? `${arg},--expose-gc` : arg));
  return { ...target, command: [program, ...collecting] };
}

describe('10,000 opens and closes in a row', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const entry = 'test/contract/fixtures/memory.ts';
    const flags = deviates('lost-connections-cost-memory') ? ['--keep-alive-interval', '0'] : [];
    server = await startServer(withCollector(currentTarget), ['--log', 'off', ...flags], { entry });
  });
  afterAll(async () => {
    await server.stop('SIGKILL');
  });

  const message = Buffer.concat([frame(opcode.text, 'hello'), frame(opcode.close, closePayload(1000, 'bye'))]);
  /** Every fifth client leaves without a word. */
  async function openAndClose(n: number): Promise<void> {
    const socket = await openRaw(server.port, { from: `127.0.0.${1 + (n % 4)}` });
    if (n % 5 === 4) return socket.reset();
    socket.send(message);
    await socket.closeFrame();
    socket.end();
    await socket.ended;
    socket.destroy();
  }

  it('leave no connection in the registry, and no growth in memory after the first thousand', async () => {
    let n = 0;
    /** Ten at a time; tells what the server's program uses then. */
    const openAndCloseUntil = async (end: number): Promise<number> => {
      const lane = async () => {
        while (n < end) await openAndClose(n++);
      };
      await Promise.all(Array.from({ length: 10 }, lane));
      await until(5000, 'the registry is empty', async () => {
        const health = await (await fetch(`${server.url}/health`)).json();
        return (health as { connections: number }).connections === 0;
      });
      const client = await openClient(server.wsUrl, { protocols: ['memory'] });
      const { data } = await client.message();
      await client.closed;
      return Number(data.toString());
    };
    const early = await openAndCloseUntil(1000);
    const late = await openAndCloseUntil(10_000);
    // What is compiled on the way counts too; the smallest leak of a connection would be several hundred bytes.
    expect((late - early) / 9000).toBeLessThan(120);
  }, 60_000);

  if (deviates('lost-connections-cost-memory')) {
    it('cost memory for a while with keep-alive, where clients leave without a word', async () => {
      const entry = 'test/contract/fixtures/memory.ts';
      await using other = await startServer(withCollector(currentTarget), ['--log', 'off'], { entry });
      const used = async () => {
        const client = await openClient(other.wsUrl, { protocols: ['memory'] });
        return Number((await client.message()).data.toString());
      };
      const lose = async (count: number) => {
        for (let i = 0; i < count; i++) (await openRaw(other.port)).reset();
      };
      await lose(200);
      const before = await used();
      await lose(500);
      expect(((await used()) - before) / 500).toBeGreaterThan(2000);
    });
  }
});
