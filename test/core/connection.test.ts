import { describe, expect, it } from 'vitest';
import type { Connection, Handler, MessageCallback } from '../../core/connection.ts';
import { settle } from './support/clock.ts';
import { TestServer } from './support/server.ts';

describe('a handler', () => {
  it('is an ordinary async function', async () => {
    const shout: Handler = async (connection) => {
      for await (const message of connection) {
        if (typeof message === 'string') connection.send(message.toUpperCase());
      }
    };
    const { transport, receiver } = new TestServer().open(shout);
    receiver.take('one', true);
    await settle();
    receiver.take(new TextEncoder().encode('two'), true);
    receiver.take(new Uint8Array([1]), false);
    await settle();
    expect(transport.sent).toEqual([
      ['ONE', true],
      ['TWO', true],
    ]);
  });

  it('knows its connection', async () => {
    const test = new TestServer();
    const connections: Connection[] = [];
    const handler: Handler = (connection) => {
      connections.push(connection);
      return connection.closed;
    };
    test.open(handler);
    test.open(handler);
    await settle();
    expect(connections).toMatchObject([
      { id: 1, remote: '192.0.2.7:50312', protocol: '', open: true, queued: 0 },
      { id: 2, remote: '192.0.2.7:50312', protocol: '', open: true, queued: 0 },
    ]);
  });

  it('that returns has its connection closed with 1000', async () => {
    for (const handler of [() => {}, async () => {}, () => 'anything']) {
      const test = new TestServer();
      const { transport, receiver } = test.open(handler);
      expect(transport.calls).toEqual([]);
      await settle();
      expect(transport.calls).toEqual(['close 1000 ']);
      expect(test.ends).toEqual([]);
      receiver.over(1000, '');
      expect(test.ends).toMatchObject([{ cause: 'server-close', code: 1000, reason: '' }]);
    }
  });

  const error = new Error('from the handler');
  const failing: [string, Handler][] = [
    [
      'throws',
      () => {
        throw error;
      },
    ],
    ['rejects', () => Promise.reject(error)],
    [
      'has a callback that throws',
      (connection) =>
        connection.forEach(() => {
          throw error;
        }),
    ],
    [
      'has a callback that rejects',
      (connection) => connection.forEach((() => Promise.reject(error)) as MessageCallback),
    ],
    [
      'leaves a callback behind that throws, and waits for something else',
      (connection) => {
        void connection.forEach(() => {
          throw error;
        });
        return connection.closed;
      },
    ],
    [
      'throws in its loop',
      async (connection) => {
        for await (const _ of connection) throw error;
      },
    ],
  ];

  it.each(failing)('that %s ends its own connection with 1011, and is told of once', async (_, handler) => {
    const test = new TestServer();
    const other = test.open();
    const { transport, receiver } = test.open(handler);
    receiver.take('a', true);
    receiver.take('b', true);
    await settle();
    expect(transport.calls).toEqual(['close 1011 internal error']);
    expect(test.of('handler-error')).toEqual([{ event: 'handler-error', connection: 2, error }]);
    expect(test.ends).toMatchObject([{ connection: 2, cause: 'handler-error', code: 1011 }]);
    receiver.over(1011, '');
    await settle();
    expect(test.ends).toHaveLength(1);
    expect(other.transport.calls).toEqual([]);
    expect(test.server.size).toBe(1);
  });

  it('that fails after the end is told of, too, and changes nothing about that', async () => {
    const test = new TestServer();
    const { receiver } = test.open(async (connection) => {
      await connection.closed;
      throw error;
    });
    await settle();
    receiver.over(1001, '');
    await settle();
    expect(test.of('handler-error')).toHaveLength(1);
    expect(test.ends).toMatchObject([{ cause: 'client-close', code: 1001 }]);
  });

  it('finds no messages, and an end, where its connection has ended before it asks', async () => {
    const seen: unknown[] = [];
    const { receiver } = new TestServer().open(async (connection) => {
      await connection.closed;
      await connection.forEach((data) => {
        seen.push(data);
      });
      seen.push('end');
    });
    await settle();
    receiver.over(1000, '');
    await settle();
    expect(seen).toEqual(['end']);
  });

  it('may end its connection at once, also where the engine tells the end inside close()', async () => {
    const test = new TestServer();
    const client = test.open((connection) => connection.terminate());
    client.transport.closeAtOnce(() => client.receiver);
    await settle();
    expect(test.ends).toMatchObject([{ cause: 'server-close', code: 1006 }]);
    expect(test.server.size).toBe(0);
  });
});
