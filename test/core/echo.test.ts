import { describe, expect, it } from 'vitest';
import type { Connection, MessageCallback } from '../../core/connection.ts';
import { echo } from '../../core/echo.ts';
import { settle } from './support/clock.ts';
import { TestServer } from './support/server.ts';
import { FakeTransport } from './support/transport.ts';

describe('the echo loop', () => {
  it('sends every message back as it came: same type, same bytes, same order', async () => {
    const { transport, receiver } = new TestServer().open(echo);
    const text = new TextEncoder().encode('Grüße');
    const binary = new Uint8Array([0, 255]);
    receiver.take('before the handler ran', true);
    await settle();
    receiver.take('', true);
    receiver.take(text, true);
    receiver.take(binary, false);
    expect(transport.sent).toEqual([
      ['before the handler ran', true],
      ['', true],
      [text, true],
      [binary, false],
    ]);
    expect(transport.sent[2]?.[0]).toBe(text);
    expect(transport.sent[3]?.[0]).toBe(binary);
  });

  it('lasts for as long as its connection, and leaves the closing to the client', async () => {
    const test = new TestServer();
    const { transport, receiver } = test.open(echo);
    await settle();
    expect(test.ends).toEqual([]);
    receiver.over(4000, 'done');
    await settle();
    expect(transport.calls).toEqual([]);
    expect(test.ends).toMatchObject([{ cause: 'client-close', code: 4000, reason: 'done' }]);
    expect(test.of('handler-error')).toEqual([]);
  });

  it('slows a client down that sends and does not read, and loses nothing', async () => {
    const test = new TestServer({ maxBuffered: 100 });
    const { transport, receiver } = test.open(echo, Object.assign(new FakeTransport(), { peerReads: false }));
    await settle();
    for (let i = 0; i < 30; i++) receiver.take('0123456789', true);
    expect(transport.calls).toEqual(['pause']);
    expect(transport.sent).toHaveLength(30);
    transport.queued = 0;
    receiver.drained();
    expect(transport.calls).toEqual(['pause', 'resume']);
  });

  it('lets the transport send back by itself, and counts what it tells of', async () => {
    const test = new TestServer();
    const { transport, receiver } = test.open(echo);
    expect(receiver.echoing).toBe(false);
    await settle();
    expect(receiver.echoing).toBe(true);
    receiver.echoed(3, 500, true);
    receiver.take('one more', true);
    receiver.over(1000, '');
    expect(receiver.echoing).toBe(false);
    expect(transport.sent).toEqual([['one more', true]]);
    expect(test.ends).toMatchObject([{ messagesIn: 4, messagesOut: 4, bytesIn: 508, bytesOut: 508, lastMessageMs: 0 }]);
  });

  it('sees to a reader that is behind by itself, until that has caught up', async () => {
    const { transport, receiver } = new TestServer({ maxBuffered: 100 }).open(echo);
    await settle();
    transport.queued = 100;
    receiver.echoed(1, 100, false);
    expect(receiver.echoing).toBe(true);
    transport.queued = 101;
    receiver.echoed(1, 1, false);
    expect([receiver.echoing, ...transport.calls]).toEqual([false, 'pause']);
    transport.queued = 0;
    receiver.drained();
    expect([receiver.echoing, ...transport.calls]).toEqual([true, 'pause', 'resume']);
  });

  it('can be a part of a handler, which goes on when the connection is over', async () => {
    const seen: string[] = [];
    const { transport, receiver } = new TestServer().open(async (connection) => {
      seen.push('hello');
      await echo(connection);
      seen.push('bye');
    });
    await settle();
    receiver.take('one', true);
    expect([seen, transport.sent]).toEqual([['hello'], [['one', true]]]);
    receiver.over(1000, '');
    await settle();
    expect(seen).toEqual(['hello', 'bye']);
  });

  it('takes all messages: nobody else can', async () => {
    const refused: unknown[] = [];
    const attempt = (take: () => unknown) => {
      try {
        take();
      } catch (error) {
        refused.push(error);
      }
    };
    const { transport, receiver } = new TestServer().open(async (connection) => {
      const over = echo(connection);
      attempt(() => echo(connection));
      attempt(() => connection.forEach(() => {}));
      await over;
    });
    await settle();
    expect(refused).toEqual(
      Array.from({ length: 2 }, () => new TypeError('the messages of this connection are being taken already')),
    );
    receiver.take('one', true);
    expect(transport.sent).toEqual([['one', true]]);
  });

  it('runs over a connection of anybody', async () => {
    const sent: unknown[] = [];
    const connection = {
      send: (...message: unknown[]) => sent.push(message),
      forEach: async (callback: MessageCallback) => callback('hello', true),
    };
    await echo(connection as unknown as Connection);
    expect(sent).toEqual([['hello', true]]);
  });
});
