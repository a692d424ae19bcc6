import { describe, expect, it } from 'vitest';
import { Liveness } from '../../core/liveness.ts';
import type { End } from '../../core/report.ts';
import { ServerConnection, type Surroundings } from '../../core/server-connection.ts';
import type { Receiver } from '../../core/transport.ts';
import { settle } from './support/clock.ts';
import { FakeTransport } from './support/transport.ts';

const SHORT_GRACE = 1500;
const LONG_GRACE = 30_000;

interface Settings {
  canPause?: boolean;
  framesCount?: boolean;
  messageLimit?: number;
  idleTimeout?: number;
}

/** A connection among surroundings that note what they are told. */
class Setting implements Surroundings {
  readonly liveness: Liveness<ServerConnection>;
  readonly maxBuffered = 500;
  readonly maxQueued = 1500;
  readonly framesCount: boolean;
  readonly messageLimit: number;
  readonly canPause: boolean;
  readonly transport = new FakeTransport();
  readonly ends: End[] = [];
  readonly errors: unknown[] = [];
  readonly order: string[] = [];
  readonly connection: ServerConnection;
  readonly receiver: Receiver;

  constructor({ canPause = true, framesCount = false, messageLimit = 1000, idleTimeout = 0 }: Settings = {}) {
    this.canPause = canPause;
    this.framesCount = framesCount;
    this.messageLimit = messageLimit;
    this.liveness = new Liveness(
      { idleTimeout, keepAliveInterval: 0, keepAliveTimeout: 0, stallTimeout: 10_000 },
      1_000_000,
    );
    this.connection = new ServerConnection(this, this.transport, {
      id: 7,
      remote: '192.0.2.7:50312',
      protocol: 'chat',
      now: 1_000_000,
    });
    this.liveness.add(this.connection, 1_000_000);
    this.receiver = this.connection;
  }

  byteLength(text: string): number {
    return new TextEncoder().encode(text).length;
  }

  ended(_: ServerConnection, end: End): void {
    this.ends.push(end);
    this.order.push('ended');
  }

  gone(connection: ServerConnection): void {
    this.liveness.remove(connection);
    this.order.push('gone');
  }

  failed(_: ServerConnection, error: unknown): void {
    this.errors.push(error);
    this.order.push('failed');
  }

  /** Lets time pass, and does as little with the clock's verdicts as a server would. */
  pass(milliseconds: number): string[] {
    const verdicts: string[] = [];
    const end = this.liveness.now + milliseconds;
    while (this.liveness.now < end) {
      this.liveness.advance(this.liveness.now + this.liveness.resolution, (connection, verdict) => {
        verdicts.push(verdict);
        if (verdict === 'terminate') connection.abandon();
        else if (verdict !== 'ping') connection.fail(verdict, 1013, verdict);
      });
    }
    return verdicts;
  }

  /** Sends so much that the queue is over its limit. */
  fallBehind(size = 501): void {
    this.transport.peerReads = false;
    this.connection.send(new Uint8Array(size));
  }
}

describe('a connection', () => {
  it('says who it is', () => {
    const { connection } = new Setting();
    expect(connection).toMatchObject({ id: 7, remote: '192.0.2.7:50312', protocol: 'chat', open: true, queued: 0 });
  });

  it('sends strings as text, bytes as binary, or as text where it is told so', () => {
    const { connection, transport } = new Setting();
    const bytes = new Uint8Array([0x68, 0x69]);
    connection.send('hi');
    connection.send(bytes);
    connection.send(bytes, true);
    expect(transport.sent).toEqual([
      ['hi', true],
      [bytes, false],
      [bytes, true],
    ]);
    expect(transport.sent[1]?.[0]).toBe(bytes);
  });

  it('lets what it sends be compressed unless it is told otherwise', () => {
    const { connection, transport } = new Setting();
    connection.send('a');
    connection.send('b', true, true);
    connection.send('secret', true, false);
    expect(transport.compressible).toEqual([true, true, false]);
  });

  it('counts messages and payload bytes both ways, text in UTF-8', () => {
    const { connection, receiver } = new Setting();
    connection.send('é');
    connection.send(new Uint8Array(3));
    receiver.take('🦉', true);
    receiver.take(new Uint8Array(10), false);
    receiver.take(new Uint8Array(1), true);
    expect(connection).toMatchObject({ messagesIn: 3, bytesIn: 15, messagesOut: 2, bytesOut: 5 });
  });

  it('tells a sender whether the reader keeps up', () => {
    const { connection, transport } = new Setting();
    expect(connection.send('a')).toBe(true);
    transport.peerReads = false;
    expect(connection.send('b')).toBe(false);
    expect(connection.queued).toBe(1);
  });

  it('sends nothing after its end', () => {
    const { connection, transport, receiver } = new Setting();
    receiver.over(1000, '');
    expect(connection.open).toBe(false);
    expect(connection.send('late')).toBe(false);
    expect(transport.sent).toEqual([]);
    expect(connection.messagesOut).toBe(0);
  });

  it('passes PINGs on to its transport', () => {
    const { connection, transport } = new Setting();
    connection.ping();
    expect(transport.calls).toEqual(['ping']);
  });

  it('gives its handler messages by callback or by iteration', async () => {
    const first = new Setting();
    const seen: unknown[] = [];
    const done = first.connection.forEach((data, text) => {
      seen.push([data, text]);
    });
    first.receiver.take('a', true);
    first.receiver.over(1000, '');
    await done;
    expect(seen).toEqual([['a', true]]);

    const second = new Setting();
    second.receiver.take(new TextEncoder().encode('b'), true);
    second.receiver.over(1000, '');
    for await (const message of second.connection) seen.push(message);
    expect(seen[1]).toBe('b');
  });
});

describe('an end by the client', () => {
  it('is reported once, with its code and reason', () => {
    const { receiver, ends, order } = new Setting();
    receiver.over(4999, 'bye');
    receiver.over(1006, '');
    expect(ends).toEqual([{ cause: 'client-close', code: 4999, reason: 'bye' }]);
    expect(order).toEqual(['ended', 'gone']);
  });

  it('without a code is still its wish', () => {
    const { receiver, ends } = new Setting();
    receiver.over(1005, '');
    expect(ends).toEqual([{ cause: 'client-close', code: 1005, reason: '' }]);
  });

  it('without a Close frame is a lost connection', () => {
    const { receiver, ends } = new Setting();
    receiver.over(1006, '');
    expect(ends).toEqual([{ cause: 'connection-lost', code: 1006, reason: '' }]);
  });

  it.each([
    ['protocol-error', 1002, 'reserved bit set'],
    ['message-too-big', 1009, 'message too big'],
  ] as const)('that the engine saw a fault in is %s', (fault, code, reason) => {
    const { receiver, ends } = new Setting();
    receiver.over(code, reason, fault);
    expect(ends).toEqual([{ cause: fault, code, reason }]);
  });

  it('is told to whoever waits for it, before and after', async () => {
    const { connection, receiver } = new Setting();
    const before = connection.closed;
    expect(connection.closed).toBe(before);
    receiver.over(1001, 'away');
    const end = { cause: 'client-close', code: 1001, reason: 'away' };
    expect(await before).toEqual(end);

    const other = new Setting();
    other.receiver.over(1001, 'away');
    expect(await other.connection.closed).toEqual(end);
  });
});

describe('a close by the handler', () => {
  it('is 1000 unless it says otherwise', () => {
    const { connection, transport } = new Setting();
    connection.close();
    expect(transport.calls).toEqual(['close 1000 ']);
  });

  it('is reported when the handshake is over, with our code and reason', async () => {
    const { connection, transport, receiver, ends } = new Setting();
    connection.close(3000, 'enough');
    expect(transport.calls).toEqual(['close 3000 enough']);
    expect(connection.open).toBe(false);
    expect(ends).toEqual([]);
    receiver.over(1000, 'the client’s own');
    expect(ends).toEqual([{ cause: 'server-close', code: 3000, reason: 'enough' }]);
    expect((await connection.closed).code).toBe(3000);
  });

  it('counts once', () => {
    const { connection, transport } = new Setting();
    connection.close(3000, 'first');
    connection.close(3001, 'second');
    connection.fail('idle-timeout', 3008, 'idle timeout');
    expect(transport.calls).toEqual(['close 3000 first']);
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, Number.NaN])('can’t have the code %s', (code) => {
    const { connection, transport } = new Setting();
    expect(() => connection.close(code)).toThrow(
      new RangeError(`a close code is 1000 to 1003, 1007 to 1014 or 3000 to 4999, not ${code}`),
    );
    expect(connection.open).toBe(true);
    expect(transport.calls).toEqual([]);
  });

  it('drops messages that come afterwards', () => {
    const { connection, receiver } = new Setting();
    const seen: unknown[] = [];
    void connection.forEach((data) => {
      seen.push(data);
    });
    connection.close();
    receiver.take('late', true);
    expect(seen).toEqual([]);
    expect(connection.messagesIn).toBe(0);
  });

  it('that the client does not answer is cut off after half a minute', () => {
    const setting = new Setting();
    setting.connection.close();
    expect(setting.pass(LONG_GRACE - 100)).toEqual([]);
    expect(setting.pass(300)).toEqual(['terminate']);
    expect(setting.transport.calls).toEqual(['close 1000 ', 'terminate']);
    expect(setting.ends).toEqual([{ cause: 'server-close', code: 1000, reason: '' }]);
    expect(setting.liveness.size).toBe(0);
  });
});

describe('a failure', () => {
  it('is reported at once, whatever the client answers, and only once', () => {
    const { connection, transport, receiver, ends, order } = new Setting();
    connection.fail('idle-timeout', 3008, 'idle timeout');
    expect(ends).toEqual([{ cause: 'idle-timeout', code: 3008, reason: 'idle timeout' }]);
    expect(transport.calls).toEqual(['close 3008 idle timeout']);
    receiver.over(3008, 'idle timeout');
    expect(order).toEqual(['ended', 'gone']);
  });

  it('ends what the handler waits for at once', async () => {
    const { connection } = new Setting();
    const done = connection.forEach(() => {});
    connection.fail('idle-timeout', 3008, 'idle timeout');
    await done;
    expect((await connection.closed).cause).toBe('idle-timeout');
  });

  it('is followed by the terminating of a client that does not answer', () => {
    const setting = new Setting();
    setting.connection.fail('idle-timeout', 3008, 'idle timeout');
    expect(setting.pass(SHORT_GRACE - 100)).toEqual([]);
    expect(setting.pass(300)).toEqual(['terminate']);
    expect(setting.transport.calls).toEqual(['close 3008 idle timeout', 'terminate']);
    expect(setting.order).toEqual(['ended', 'gone']);
  });
});

describe('a drop', () => {
  it('by the handler skips the closing handshake and is reported at once', () => {
    const { connection, transport, receiver, ends, order } = new Setting();
    connection.terminate();
    expect(transport.calls).toEqual(['terminate']);
    expect(ends).toEqual([{ cause: 'server-close', code: 1006, reason: '' }]);
    receiver.over(1006, '');
    expect(order).toEqual(['ended', 'gone']);
  });

  it('names its cause', () => {
    const { connection, ends } = new Setting();
    connection.drop('keep-alive-timeout');
    expect(ends).toEqual([{ cause: 'keep-alive-timeout', code: 1006, reason: '' }]);
  });

  it('during a closing handshake keeps the cause and code of that', () => {
    const { connection, transport, ends } = new Setting();
    connection.close(3000, 'enough');
    connection.terminate();
    expect(transport.calls).toEqual(['close 3000 enough', 'terminate']);
    expect(ends).toEqual([{ cause: 'server-close', code: 3000, reason: 'enough' }]);
  });

  it('that the engine never tells the end of is given up after a while', () => {
    const setting = new Setting();
    setting.connection.terminate();
    expect(setting.pass(SHORT_GRACE + 200)).toEqual(['terminate']);
    expect(setting.order).toEqual(['ended', 'gone']);
    setting.receiver.over(1006, '');
    expect(setting.order).toEqual(['ended', 'gone']);
  });
});

describe('an engine that tells the end inside close() and terminate()', () => {
  const endings: [string, (connection: ServerConnection) => void, End][] = [
    ['close', (connection) => connection.close(3000, 'x'), { cause: 'server-close', code: 3000, reason: 'x' }],
    ['terminate', (connection) => connection.terminate(), { cause: 'server-close', code: 1006, reason: '' }],
    [
      'fail',
      (connection) => connection.fail('slow-consumer', 1013, 'too slow'),
      { cause: 'slow-consumer', code: 1013, reason: 'too slow' },
    ],
  ];

  it.each(endings)('has one end reported after %s', (_, act, end) => {
    const setting = new Setting();
    setting.transport.closeAtOnce(() => setting.receiver);
    act(setting.connection);
    expect(setting.ends).toEqual([end]);
    expect(setting.order).toEqual(['ended', 'gone']);
    setting.receiver.over(1006, '');
    expect(setting.order).toEqual(['ended', 'gone']);
    expect(setting.pass(60_000)).toEqual([]);
  });

  it('is not asked to end what is gone', () => {
    const setting = new Setting();
    setting.receiver.over(1006, '');
    setting.connection.close();
    setting.connection.fail('idle-timeout', 3008, 'idle timeout');
    setting.connection.terminate();
    setting.connection.abandon();
    expect(setting.order).toEqual(['ended', 'gone']);
    expect(setting.pass(60_000)).toEqual([]);
  });

  it('may do so while it is resumed for the closing handshake', () => {
    const setting = new Setting();
    setting.fallBehind();
    setting.transport.onResume = () => setting.receiver.over(1006, '');
    setting.connection.close();
    expect(setting.order).toEqual(['ended', 'gone']);
    expect(setting.pass(60_000)).toEqual([]);
  });
});

describe('a callback that fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('from the callback');
      },
    ],
    ['rejects', () => Promise.reject(new Error('from the callback'))],
  ])('because it %s ends its connection with 1011, and is told once', async (_, callback: () => unknown) => {
    const { connection, transport, receiver, ends, errors, order } = new Setting();
    const done = connection.forEach(callback);
    receiver.take('a', true);
    receiver.take('b', true);
    await expect(done).rejects.toThrow('from the callback');
    // Its handler fails by that as well.
    connection.broke(new Error('the handler’s'));
    expect(errors).toEqual([new Error('from the callback')]);
    expect(ends).toEqual([{ cause: 'handler-error', code: 1011, reason: 'internal error' }]);
    expect(transport.calls).toEqual(['close 1011 internal error']);
    expect(order).toEqual(['failed', 'ended']);
  });
});

describe('signs of life', () => {
  it('are messages', () => {
    const { connection, receiver, liveness } = new Setting();
    const opened = liveness.now;
    liveness.advance(opened + 50, () => {});
    receiver.take('a', true);
    expect(connection.seen).toBe(opened + 50);
    expect(connection.lastMessage).toBe(opened + 50);
  });

  it('are not PINGs and PONGs', () => {
    const { connection, receiver, liveness } = new Setting();
    const opened = liveness.now;
    liveness.advance(opened + 50, () => {});
    receiver.pongCame();
    receiver.pingCame();
    expect(connection.seen).toBe(opened);
  });

  it.each([
    ['PING', 'pingCame'],
    ['PONG', 'pongCame'],
  ] as const)('are each %s too where frames count', (_, came) => {
    const { connection, receiver, liveness } = new Setting({ framesCount: true });
    const opened = liveness.now;
    liveness.advance(opened + 50, () => {});
    receiver[came]();
    expect(connection.seen).toBe(opened + 50);
    expect(connection.lastMessage).toBe(0);
  });

  it('by PONG settle every PING before it', () => {
    const { connection, receiver, liveness } = new Setting();
    connection.unanswered = liveness.now;
    receiver.pongCame();
    expect(connection.unanswered).toBe(-1);
  });
});

describe('a message over the limit', () => {
  it('ends the connection with 1009 where the engine has no limit of its own', () => {
    const { connection, receiver, transport, ends } = new Setting({ messageLimit: 10 });
    const seen: unknown[] = [];
    void connection.forEach((data) => {
      seen.push(data);
    });
    receiver.take('0123456789', true);
    receiver.take('012345678é', true);
    expect(seen).toEqual(['0123456789']);
    expect(ends).toEqual([{ cause: 'message-too-big', code: 1009, reason: 'message too big' }]);
    expect(transport.calls).toEqual(['close 1009 message too big']);
  });
});

describe('a reader that is slow', () => {
  it('is no longer read from while its queue is over the limit', () => {
    const { connection, transport } = new Setting();
    transport.peerReads = false;
    connection.send(new Uint8Array(500));
    expect(transport.calls).toEqual([]);
    connection.send('x');
    expect(transport.calls).toEqual(['pause']);
    connection.send('x');
    expect(transport.calls).toEqual(['pause']);
  });

  it('is read from again when half of its queue has left', () => {
    const setting = new Setting();
    const { transport, receiver } = setting;
    setting.fallBehind();
    transport.queued = 251;
    receiver.drained();
    expect(transport.calls).toEqual(['pause']);
    transport.queued = 250;
    receiver.drained();
    expect(transport.calls).toEqual(['pause', 'resume']);
    receiver.drained();
    expect(transport.calls).toEqual(['pause', 'resume']);
  });

  it('is read from again in time where the engine tells of no drain', () => {
    const setting = new Setting();
    setting.fallBehind();
    setting.transport.queued = 0;
    setting.pass(1100);
    expect(setting.transport.calls).toEqual(['pause', 'resume']);
  });

  it('is not taken for silent while nobody reads from it, and has all of 2·X afterwards', () => {
    const setting = new Setting({ idleTimeout: 2000 });
    setting.fallBehind(10_000);
    for (let i = 0; i < 5; i++) {
      expect(setting.pass(1500)).toEqual([]);
      setting.transport.queued -= 1000;
    }
    setting.transport.queued = 0;
    setting.receiver.drained();
    expect(setting.pass(2000)).toEqual([]);
    expect(setting.pass(100)).toEqual(['idle-timeout']);
  });

  it('has all of the time for a PONG that was asked for meanwhile', () => {
    const setting = new Setting();
    const { connection, liveness } = setting;
    connection.unanswered = liveness.now;
    setting.pass(500);
    setting.fallBehind();
    expect(connection.unanswered).toBe(liveness.now);
    setting.pass(500);
    setting.transport.queued = 0;
    setting.receiver.drained();
    expect(connection.unanswered).toBe(liveness.now);
  });

  it('is ended when its queue has stood still for the stall timeout', () => {
    const setting = new Setting();
    setting.fallBehind();
    expect(setting.pass(9900)).toEqual([]);
    expect(setting.pass(1500)).toEqual(['slow-consumer']);
    // It would only go on sending.
    expect(setting.transport.calls).toEqual(['pause', 'close 1013 slow-consumer']);
  });

  it('is never ended while its queue moves, however slowly', () => {
    const setting = new Setting();
    setting.fallBehind(100_000);
    for (let i = 0; i < 50; i++) {
      setting.transport.queued--;
      expect(setting.pass(8000)).toEqual([]);
    }
    expect(setting.connection.open).toBe(true);
  });

  it('moves also where the queue grows again by what is sent meanwhile', () => {
    const setting = new Setting();
    setting.fallBehind(10_000);
    for (let i = 0; i < 10; i++) {
      setting.transport.queued -= 100;
      setting.connection.send(new Uint8Array(100));
      expect(setting.pass(8000)).toEqual([]);
    }
  });

  it('moves also when it falls behind anew, with a queue that is mostly frame headers', () => {
    const setting = new Setting();
    const { connection, transport, receiver } = setting;
    transport.peerReads = false;
    const sendTiny = () => {
      connection.send('x');
      // The header, of which core knows nothing.
      transport.queued += 2;
    };
    for (let round = 0; round < 3; round++) {
      while (!connection.paused) sendTiny();
      for (; transport.queued > 250; transport.queued -= 20) {
        expect(setting.pass(8000)).toEqual([]);
      }
      receiver.drained();
      expect(connection.paused).toBe(false);
    }
  });

  it('moves also where more leaves its queue during a send than that adds', () => {
    const setting = new Setting();
    setting.fallBehind(10_000);
    setting.transport.wireSize = (size) => size - 200;
    for (let i = 0; i < 10; i++) {
      setting.connection.send(new Uint8Array(100));
      expect(setting.pass(8000)).toEqual([]);
    }
  });

  it('does not move by messages that compression queues less of than was sent', () => {
    const setting = new Setting();
    setting.fallBehind();
    setting.transport.wireSize = (size) => size / 100;
    const verdicts: string[] = [];
    for (let i = 0; i < 12; i++) {
      setting.connection.send(new Uint8Array(1000));
      verdicts.push(...setting.pass(1000));
    }
    expect(verdicts[0]).toBe('slow-consumer');
  });

  it('moves by what leaves its queue, however much compression saved', () => {
    const setting = new Setting();
    setting.fallBehind(10_000);
    setting.transport.wireSize = (size) => size / 100;
    for (let i = 0; i < 10; i++) {
      setting.connection.send(new Uint8Array(1000));
      setting.transport.queued -= 11;
      expect(setting.pass(8000)).toEqual([]);
    }
  });

  it('does not move by a control frame that is added to its queue', () => {
    const setting = new Setting();
    setting.fallBehind();
    const verdicts: string[] = [];
    for (let i = 0; i < 12; i++) {
      setting.transport.queued += 2;
      verdicts.push(...setting.pass(1000));
    }
    expect(verdicts[0]).toBe('slow-consumer');
  });

  it('of nothing that is queued after its end is waited for', () => {
    const setting = new Setting();
    setting.fallBehind();
    setting.connection.close();
    expect(setting.transport.calls).toEqual(['pause', 'resume', 'close 1000 ']);
    setting.receiver.drained();
    expect(setting.transport.calls).toEqual(['pause', 'resume', 'close 1000 ']);
  });
});

describe('a handler that is slow', () => {
  it('has its client read from no longer while more waits for it than the limit', async () => {
    const { connection, receiver, transport } = new Setting();
    receiver.take(new Uint8Array(300), false);
    expect(transport.calls).toEqual([]);
    receiver.take(new Uint8Array(300), false);
    expect(transport.calls).toEqual(['pause']);
    let count = 0;
    void connection.forEach(() => {
      count++;
    });
    expect(count).toBe(2);
    expect(transport.calls).toEqual(['pause', 'resume']);
  });

  it('is not waited for before a slow reader has caught up, nor the other way round', async () => {
    const setting = new Setting();
    const { connection, receiver, transport } = setting;
    receiver.take(new Uint8Array(501), false);
    setting.fallBehind();
    expect(transport.calls).toEqual(['pause']);
    const messages = connection[Symbol.asyncIterator]();
    await messages.next();
    expect(transport.calls).toEqual(['pause']);
    transport.queued = 0;
    receiver.drained();
    expect(transport.calls).toEqual(['pause', 'resume']);
  });

  it('can still take what came before the end', async () => {
    const { connection, receiver, transport } = new Setting();
    receiver.take(new Uint8Array(501), false);
    connection.fail('idle-timeout', 3008, 'idle timeout');
    const seen: unknown[] = [];
    for await (const message of connection) seen.push(message);
    expect(seen).toEqual([new Uint8Array(501)]);
    expect(transport.calls).toEqual(['pause', 'resume', 'close 3008 idle timeout']);
  });

  it('that asks for the first message after the end waits for none', async () => {
    const { connection, receiver } = new Setting();
    receiver.over(1000, '');
    await connection.forEach(() => {});
  });
});

describe('an engine that can’t pause', () => {
  it('is never asked to pause', () => {
    const setting = new Setting({ canPause: false });
    setting.fallBehind(1500);
    setting.receiver.take(new Uint8Array(501), false);
    setting.transport.queued = 0;
    setting.receiver.drained();
    expect(setting.transport.calls).toEqual([]);
    expect(setting.connection.open).toBe(true);
  });

  it('has a client ended that goes on sending when its queue is over the limit and one message', async () => {
    const { connection, receiver, transport, ends } = new Setting({ canPause: false });
    transport.peerReads = false;
    void connection.forEach((data) => {
      connection.send(data);
    });
    receiver.take(new Uint8Array(750), false);
    receiver.take(new Uint8Array(750), false);
    expect(ends).toEqual([]);
    receiver.take('x', true);
    expect(ends).toEqual([{ cause: 'slow-consumer', code: 1013, reason: 'too slow' }]);
    expect(transport.calls).toEqual(['close 1013 too slow']);
    await settle();
  });

  it('has a client ended whose messages its handler does not take', () => {
    const { receiver, ends } = new Setting({ canPause: false });
    receiver.take(new Uint8Array(1000), false);
    expect(ends).toEqual([]);
    receiver.take(new Uint8Array(400), false);
    expect(ends).toEqual([{ cause: 'slow-consumer', code: 1013, reason: 'too slow' }]);
  });

  it('has the same stall timeout', () => {
    const setting = new Setting({ canPause: false });
    setting.fallBehind();
    expect(setting.pass(11_500)).toEqual(['slow-consumer']);
  });
});
