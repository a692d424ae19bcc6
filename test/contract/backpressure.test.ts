/** Slow readers and floods: what is sent to a client that does not read costs little, and nothing of it is lost. */
import { describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { closePayload, frame, opcode, openRaw } from '../support/raw.ts';
import { currentTarget, startServer } from '../support/server.ts';
import { readingCertificates, tlsFlags } from '../support/tls.ts';
import { pass, within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A frame of so many bytes whose masked payload begins with its number. */
function numbered(size: number): (n: number) => Buffer {
  const template = frame(opcode.binary, Buffer.alloc(size), { mask: [0, 0, 0, 0] });
  const at = template.length - size;
  return (n) => {
    const copy = Buffer.from(template);
    copy.writeUInt32BE(n, at);
    return copy;
  };
}

describe('a client that sends 1 GiB and reads nothing', () => {
  const server = useServer(['--ping-interval', '1.5', '--keep-alive-interval', '0']);

  it('costs less than 64 MiB of memory, is ended as slow-consumer, and others are served meanwhile', async () => {
    // Buffers and compiled code that any load would bring are no cost of this client.
    const warm = await openRaw(server().port);
    for (let i = 0; i < 200; i++) {
      warm.send(frame(opcode.binary, Buffer.alloc(64 * KiB)));
      await warm.message();
    }
    const before = server().rss();
    let most = before;
    const watch = setInterval(() => {
      if (server().running) most = Math.max(most, server().rss());
    }, 20);
    try {
      const flooder = await openRaw(server().port);
      const remote = flooder.address;
      flooder.socket.pause();
      const block = Buffer.concat(Array.from({ length: 16 }, () => frame(opcode.binary, Buffer.alloc(64 * KiB, 1))));
      let over = false;
      flooder.socket.on('close', () => {
        over = true;
      });
      let sent = 0;
      const flood = (async () => {
        while (sent < 1024 * MiB && !over) {
          sent += block.length;
          await flooder.flush(block).catch(() => {
            over = true;
          });
        }
      })();
      // It stands still from some point on: nobody reads it any more.
      const ended = await server().report({ event: 'ended', remote }, { timeout: 20_000 });
      expect(ended).toMatchObject({ cause: 'slow-consumer' });
      const other = await openRaw(server().port);
      other.send(frame(opcode.text, 'served'));
      expect((await other.message()).data.toString()).toBe('served');
      // Then it is dropped; or, where that can't be, it may try to send more for a while.
      await (deviates('no-terminate') ? pass(3000) : within(8000, 'the end', flood));
      expect((most - before) / MiB).toBeLessThan(64);
      flooder.destroy();
      await flood;
    } finally {
      clearInterval(watch);
    }
  }, 60_000);
});

describe('a client that is merely slow', () => {
  const server = useServer(['--ping-interval', '2', '--max-buffered', '256KiB', '--keep-alive-interval', '0']);

  it('loses nothing of 32 MiB, and gets it in order', async () => {
    const socket = await openRaw(server().port);
    const size = 16 * KiB;
    const count = (32 * MiB) / size;
    const make = numbered(size);
    socket.socket.pause();
    const sending = (async () => {
      for (let n = 0; n < count; n += 16) {
        await socket.flush(Buffer.concat(Array.from({ length: 16 }, (_, i) => make(n + i))));
      }
    })().catch(() => {}); // What was not taken is missed below.
    if (deviates('no-pause')) {
      // More than --max-buffered and one largest message: it is ended instead.
      const ended = await server().report({ event: 'ended', remote: socket.address }, { timeout: 10_000 });
      expect(ended).toMatchObject({ cause: 'slow-consumer', code: 1013 });
      socket.destroy();
      await sending;
      return;
    }
    // Only when no more is taken does it begin to read: a little, a pause, and so on.
    await new Promise<void>((resolve) => {
      let last = -1;
      const look = setInterval(() => {
        const written = socket.socket.bytesWritten - socket.socket.writableLength;
        if (written === last) {
          clearInterval(look);
          resolve();
        }
        last = written;
      }, 200);
    });
    for (let n = 0; n < count; n++) {
      while (socket.available < size + 4) {
        socket.socket.resume();
        await new Promise((resolve) => setTimeout(resolve, n < 200 ? 5 : 0));
        socket.socket.pause();
        if (socket.socket.destroyed) throw new Error(`the connection ended at message ${n}`);
      }
      const { data } = await socket.message();
      if (data.readUInt32BE(0) !== n || data.length !== size) {
        expect({ number: data.readUInt32BE(0), size: data.length }).toEqual({ number: n, size });
      }
    }
    await sending;
    socket.socket.resume();
    socket.send(frame(opcode.text, 'and on it goes'));
    expect((await socket.message()).data.toString()).toBe('and on it goes');
  }, 60_000);

  it('loses none of many small messages', async () => {
    const socket = await openRaw(server().port);
    // Where reading can't be paused, more than about 40 000 that wait would end the connection.
    const count = deviates('no-pause') ? 20_000 : 100_000;
    const make = numbered(32);
    socket.socket.pause();
    const all = Buffer.concat(Array.from({ length: count }, (_, n) => make(n)));
    const sending = socket.flush(all);
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.socket.resume();
    const echoed = await socket.bytes(count * 34, 20_000);
    let wrong = 0;
    for (let n = 0; n < count; n++) if (echoed.readUInt32BE(n * 34 + 2) !== n) wrong++;
    expect(wrong).toBe(0);
    await sending;
  });
});

describe('a small --max-buffered', () => {
  // A server over HTTP/2 with TLS is another than the target's.
  const modes = currentTarget.http2 ? { 'HTTP/2': [] } : { TCP: [], TLS: tlsFlags() };

  it.each(Object.entries(modes))('keeps no client waiting that reads, over %s', async (_, flags) => {
    // What waits is looked at anew every 12 s too: by then this has failed.
    const more = ['--ping-interval', '60', '--max-buffered', '16KiB'];
    await using server = await startServer(readingCertificates(currentTarget), [...more, ...flags]);
    const client = await openClient(server.wsUrl, { rejectUnauthorized: false });
    const send = (count: number) => {
      for (let n = 0; n < count; n++) client.send(Buffer.alloc(5000, n));
    };
    const read = async (count: number) => {
      for (let n = 0; n < count; n++) expect((await client.message()).data[0]).toBe(n & 255);
    };
    send(600);
    await read(600);
    // Nor one that has not read for a while, so that the operating system took no more for it.
    client.ws.pause();
    send(2000);
    await pass(300);
    client.ws.resume();
    await read(2000);
  });
});

describe('a client that does not read at all', () => {
  const server = useServer(['--ping-interval', '0.5', '--max-buffered', '64KiB', '--keep-alive-interval', '0']);

  it('is ended as slow-consumer once its queue has not moved for 2·X', async () => {
    const socket = await openRaw(server().port);
    const remote = socket.address;
    socket.socket.pause();
    const opened = performance.now();
    const sending = socket.flush(Buffer.alloc(24 * MiB, frame(opcode.binary, Buffer.alloc(64 * KiB)))).catch(() => {});
    const ended = await server().report({ event: 'ended', remote }, { timeout: 10_000 });
    expect(ended).toMatchObject({ cause: 'slow-consumer', code: 1013 });
    if (!deviates('no-pause')) expect(performance.now() - opened).toBeGreaterThanOrEqual(1000);
    expect(performance.now() - opened).toBeLessThanOrEqual(4000);
    if (!deviates('no-terminate')) {
      // After the grace it is dropped, and our writes fail.
      await within(8000, 'the end', sending);
    }
  });
});

describe('a client that closes and then takes its time to read', () => {
  const server = useServer();

  it('still gets all that was sent to it before, and its Close', async () => {
    const socket = await openRaw(server().port);
    socket.socket.pause();
    const data = Buffer.alloc(12 * MiB, 7);
    socket.send(Buffer.concat([frame(opcode.binary, data), frame(opcode.close, closePayload(1000, 'bye'))]));
    // Longer than a server waits that takes a slow reader for a lost one: there is nothing to wait for but time.
    await pass(5000);
    socket.socket.resume();
    if (deviates('close-cuts-off-the-queue')) {
      expect((await socket.rest()).length).toBeLessThan(data.length);
    } else {
      expect((await socket.message(20_000)).data.equals(data)).toBe(true);
      expect(await socket.closeFrame()).toEqual({ code: 1000, reason: 'bye' });
    }
  });
});
