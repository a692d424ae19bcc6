/** Compressed messages that are small on the wire and huge in memory, many of them at a time. */
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { frame, opcode, openRaw } from '../support/raw.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

const MiB = 1024 * 1024;
const count = 15;
const offering = { headers: ['Sec-WebSocket-Extensions: permessage-deflate'] };
// A full flush refers to nothing before it, so that the same octets can follow one another.
const block = deflateRawSync(Buffer.alloc(MiB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });

/** A message of so many MiB of zeros, a thousandth of that on the wire. */
function zeros(size: number): Buffer {
  return frame(opcode.binary, Buffer.concat(Array.from({ length: size }, () => block)).subarray(0, -4), { rsv: 4 });
}

describe.runIf(!deviates('no-compression')).each([
  // Together they may cost a largest message each, and some garbage, of 3000 MiB.
  { limit: 1, most: 64 },
  { limit: 16, most: 256 },
])(`${count} clients that each send 200 MiB in 200 KB, of which $limit MiB are allowed`, ({ limit, most }) => {
  const server = useServer(['--compression', '--max-message-size', `${limit}MiB`]);

  it('are each ended with 1009 and cost little, and another is served meanwhile', async () => {
    const bomb = zeros(200);
    expect(bomb.length).toBeLessThan(210_000);
    // Buffers and compiled code that good messages bring too are no cost of these clients.
    const good = await openRaw(server().port, offering);
    for (let i = 0; i < 5; i++) {
      good.send(zeros(limit));
      expect((await good.frame(20_000)).opcode).toBe(opcode.binary);
    }
    const other = await openRaw(server().port);
    let echoes = 0;
    const echo = async () => {
      other.send(frame(opcode.text, `echo ${echoes}`));
      expect((await other.message()).data.toString()).toBe(`echo ${echoes++}`);
    };
    const before = server().rss();
    let peak = before;
    const look = () => {
      if (server().running) peak = Math.max(peak, server().rss());
    };
    const watch = setInterval(look, 5);
    try {
      const clients = await Promise.all(Array.from({ length: count }, () => openRaw(server().port, offering)));
      // All but the last octet of each, so that all of them are under way until that comes.
      await Promise.all(clients.map((client) => client.flush(bomb.subarray(0, -1))));
      for (let i = 0; i < 100; i++) await echo();
      let ended = 0;
      const ends = clients.map(async (client) => {
        client.send(bomb.subarray(-1));
        const { code } = await client.closeFrame(20_000);
        ended++;
        return code;
      });
      while (ended < count) await echo();
      expect(await Promise.all(ends)).toEqual(Array(count).fill(1009));
      for (const { address: remote } of clients) {
        expect(await server().report({ event: 'ended', remote })).toMatchObject({
          cause: 'message-too-big',
          code: 1009,
        });
      }
      await echo();
      look();
      expect((peak - before) / MiB).toBeLessThan(most);
    } finally {
      clearInterval(watch);
    }
  });
});
