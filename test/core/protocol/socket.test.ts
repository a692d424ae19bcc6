import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openWebSocket } from '../../../core/protocol/socket.ts';
import type { Transport } from '../../../core/transport.ts';
import {
  bytes,
  close,
  concat,
  FakeStream,
  frame,
  type Harness,
  harness,
  isUtf8,
  Recorder,
  string,
  tick,
} from './support.ts';

const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];
const KiB = 1024;

let socket: Harness;
beforeEach(() => {
  socket = harness();
});

const sent = (): [number, string][] => socket.stream.sent.map(({ opcode, payload }) => [opcode, string(payload)]);
const texts = (): unknown[] => socket.recorder.messages.map(([data]) => data);
/** Fills the stream with more than the other end reads. */
async function fill(): Promise<void> {
  socket.stream.reading = false;
  socket.transport.send(new Uint8Array(100 * KiB), false);
  await tick();
}
/** Lets the other end read what is queued in the stream. */
function read(): void {
  socket.stream.queued = 0;
  socket.feed.drained();
}

describe('messages', () => {
  test('come as bytes, text as well', () => {
    socket.feed.data(concat(frame(TEXT, 'Grüße'), frame(BINARY, 'x')));
    expect(socket.recorder.messages).toEqual([
      ['Grüße', true],
      [bytes('x'), false],
    ]);
  });

  test('all that one chunk caused leaves in one write', () => {
    socket.recorder.onMessage = (data, text) => socket.transport.send(data, text);
    const chunk = concat(frame(TEXT, 'a'), frame(PING, 'p'), frame(BINARY, 'b'), frame(TEXT, 'c'));
    socket.feed.data(chunk);
    expect(sent()).toEqual([
      [TEXT, 'a'],
      [PONG, 'p'],
      [BINARY, 'b'],
      [TEXT, 'c'],
    ]);
    expect(socket.stream.writes.length).toBe(1);
  });

  test('what is sent at another time leaves in one write at the end of the task', async () => {
    socket.transport.send('a', true);
    socket.transport.send(bytes('c'), true);
    socket.transport.ping();
    expect(socket.stream.writes).toEqual([]);
    expect(socket.transport.queued).toBe(8);
    await tick();
    expect(sent()).toEqual([
      [TEXT, 'a'],
      [TEXT, 'c'],
      [PING, ''],
    ]);
    expect(socket.stream.writes.length).toBe(1);
    socket.transport.send('d', true);
    await tick();
    expect(sent().length).toBe(4);
  });

  test('an answer needs no microtask, and what goes to several connections needs one', () => {
    const microtasks = vi.spyOn(globalThis, 'queueMicrotask');
    try {
      socket.recorder.onMessage = (data, text) => socket.transport.send(data, text);
      socket.feed.data(concat(frame(TEXT, 'a'), frame(PING, 'b')));
      expect(microtasks).toHaveBeenCalledTimes(0);
      for (const { transport } of [socket, harness(), socket, harness()]) transport.send('c', true);
      expect(microtasks).toHaveBeenCalledTimes(1);
    } finally {
      microtasks.mockRestore();
    }
  });

  test('what goes to several connections leaves at the end of the task', async () => {
    const sockets = [harness(), harness(), harness()];
    for (const text of ['a', 'b']) {
      for (const { transport } of sockets) transport.send(text, true);
    }
    await tick();
    for (const { stream } of sockets) {
      expect(stream.sent.map(({ payload }) => string(payload))).toEqual(['a', 'b']);
    }
  });

  test('a PONG is told of', () => {
    socket.feed.data(frame(PONG, 'x'));
    expect(socket.recorder.pongs).toBe(1);
  });
});

describe('a slow reader', () => {
  test('send tells that something waits, and drain that it left', async () => {
    expect(socket.transport.send('a', true)).toBe(true);
    await fill();
    expect(socket.transport.send('b', true)).toBe(false);
    expect(socket.transport.queued).toBe(100 * KiB + 10 + 3 + 3);
    await tick();
    read();
    expect(socket.recorder.drains).toBe(1);
    while (socket.stream.queued > 0) read();
    expect(socket.transport.queued).toBe(0);
    expect(socket.transport.send('c', true)).toBe(true);
  });

  test('is seen within the task that sends too much', () => {
    socket.stream.reading = false;
    const payload = new Uint8Array(100 * KiB);
    const answers = Array.from({ length: 4 }, () => socket.transport.send(payload, false));
    expect(answers).toEqual([true, true, false, false]);
    expect(socket.stream.queued).toBe(192 * KiB);
  });

  test('each PING of a chunk is answered, in order', () => {
    socket.feed.data(concat(frame(PING, 'a'), frame(PING, ''), frame(PING, 'c')));
    expect(sent()).toEqual([
      [PONG, 'a'],
      [PONG, ''],
      [PONG, 'c'],
    ]);
    expect(socket.recorder.pings).toBe(3);
  });

  test('that floods with PINGs is answered the newest only, once it reads', async () => {
    await fill();
    const before = socket.transport.queued;
    for (let count = 0; count < 1000; count++) socket.feed.data(frame(PING, `number ${count}`));
    expect(socket.transport.queued).toBe(before);
    expect(socket.recorder.pings).toBe(1000);
    read();
    await tick();
    expect(sent().slice(1)).toEqual([[PONG, 'number 999']]);
    read();
    await tick();
    expect(sent().length).toBe(2);
  });

  test('a PING that can be answered takes the place of an older one that could not', async () => {
    await fill();
    socket.feed.data(frame(PING, 'old'));
    socket.stream.queued = 10;
    socket.feed.data(frame(PING, 'new'));
    read();
    await tick();
    expect(sent().slice(1)).toEqual([[PONG, 'new']]);
  });

  test.each([
    ['a Close', frame(CLOSE, close(1000)), close(1000)],
    ['what is wrong', frame(3), close(1002, 'unknown opcode')],
  ])('a PING that %s follows is answered before the end', async (_, next, payload) => {
    await fill();
    socket.feed.data(concat(frame(PING, 'old'), frame(PING, 'new'), next));
    expect(sent().slice(1)).toEqual([
      [PONG, 'new'],
      [CLOSE, string(payload)],
    ]);
  });

  test('an unanswered PING waits on while too much is queued', async () => {
    await fill();
    socket.transport.send(new Uint8Array(500 * KiB), false);
    socket.feed.data(frame(PING, 'old'));
    read();
    await tick();
    socket.feed.data(frame(PING, 'new'));
    while (socket.transport.queued > 0) {
      read();
      await tick();
    }
    expect(sent().slice(2)).toEqual([[PONG, 'new']]);
  });
});

describe("the client's Close", () => {
  test.each([
    ['code and reason', close(3000, 'bye'), [3000, 'bye']],
    ['a code', close(1000), [1000, '']],
    ['nothing', new Uint8Array(0), [1005, '']],
  ])('with %s is echoed and reported', (_, payload, report) => {
    socket.feed.data(frame(CLOSE, payload));
    expect(socket.stream.sent).toEqual([{ fin: true, compressed: false, opcode: CLOSE, payload }]);
    expect(socket.stream.calls).toEqual(['end']);
    expect(socket.recorder.closes).toEqual([report]);
  });

  test('comes behind the answers, and ends everything', async () => {
    socket.recorder.onMessage = (data, text) => socket.transport.send(data, text);
    socket.feed.data(concat(frame(TEXT, 'a'), frame(CLOSE, close(1000)), frame(TEXT, 'b'), frame(PING, '')));
    socket.feed.data(frame(TEXT, 'c'));
    expect(socket.transport.send('d', true)).toBe(true);
    socket.transport.ping();
    socket.transport.close(1000, '');
    socket.transport.pause();
    socket.transport.resume();
    socket.feed.drained();
    await tick();
    expect(texts()).toEqual(['a']);
    expect(sent()).toEqual([
      [TEXT, 'a'],
      [CLOSE, string(close(1000))],
    ]);
    socket.feed.gone();
    expect(socket.recorder.closes).toEqual([[1000, '']]);
    expect(socket.stream.calls).toEqual(['end']);
    expect(socket.recorder.drains).toBe(0);
  });

  test('hands over all that waits, so that the stream answers for a peer that stays', async () => {
    await fill();
    socket.transport.send(new Uint8Array(500 * KiB), false);
    socket.feed.data(frame(CLOSE, close(1000)));
    expect(socket.stream.queued).toBe(socket.transport.queued);
    expect(sent().length).toBe(3);
    expect(socket.stream.calls).toEqual(['end']);
  });

  test.each([
    ['a code that must not be sent', close(1005), 1002, 'invalid close code'],
    ['a reason that is not UTF-8', close(1000, new Uint8Array([0xc3])), 1007, 'invalid UTF-8'],
  ])('with %s is a fault', (_, payload, code, reason) => {
    socket.feed.data(frame(CLOSE, payload));
    expect(sent()).toEqual([[CLOSE, string(close(code, reason))]]);
    expect(socket.recorder.closes).toEqual([[code, reason, 'protocol-error']]);
  });
});

describe('our close', () => {
  test("waits for the peer's Close, and reports its code", async () => {
    socket.transport.send('last', true);
    socket.transport.close(1001, 'going');
    socket.transport.close(1000, 'again');
    socket.transport.send('dropped', true);
    await tick();
    expect(sent()).toEqual([
      [TEXT, 'last'],
      [CLOSE, string(close(1001, 'going'))],
    ]);
    expect([socket.stream.calls, socket.recorder.closes]).toEqual([[], []]);
    socket.feed.data(concat(frame(TEXT, 'late'), frame(PING, 'late'), frame(PONG), frame(CLOSE, close(4000, 'ok'))));
    expect(socket.recorder.messages).toEqual([]);
    expect(socket.recorder.pongs).toBe(1);
    expect(socket.stream.sent.length).toBe(2);
    expect([socket.stream.calls, socket.recorder.closes]).toEqual([['end'], [[4000, 'ok']]]);
  });

  test('a fault meanwhile is reported, without a second Close frame', async () => {
    socket.transport.close(1000, '');
    await tick();
    socket.feed.data(frame(3));
    expect(sent().length).toBe(1);
    expect(socket.recorder.closes).toEqual([[1002, 'unknown opcode', 'protocol-error']]);
    expect(socket.stream.calls).toEqual(['end']);
  });

  test('a code that must not be sent is a RangeError, at any time', () => {
    expect(() => socket.transport.close(1005, '')).toThrow(RangeError);
    socket.transport.terminate();
    expect(() => socket.transport.close(999, '')).toThrow('999 is no close code');
  });

  test('a long reason is cut between two characters', async () => {
    socket.transport.close(1000, '€'.repeat(50));
    await tick();
    expect(sent()).toEqual([[CLOSE, string(close(1000, '€'.repeat(41)))]]);
  });

  test('stays paused until it is resumed, and can not be paused any more', async () => {
    socket.transport.pause();
    socket.feed.data(concat(frame(TEXT, 'held'), frame(CLOSE, close(1000, 'ok'))));
    socket.transport.close(1001, '');
    await tick();
    expect([socket.stream.calls, socket.recorder.closes]).toEqual([['pause'], []]);
    socket.transport.resume();
    socket.transport.pause();
    await tick();
    expect(socket.stream.calls).toEqual(['pause', 'resume', 'end']);
    expect(socket.recorder.messages).toEqual([]);
    expect(socket.recorder.closes).toEqual([[1000, 'ok']]);
  });

  test('follows the answer to the newest PING that had none', async () => {
    await fill();
    socket.feed.data(frame(PING, 'p'));
    socket.transport.close(1000, '');
    while (socket.transport.queued > 0) {
      await tick();
      read();
    }
    expect(sent().slice(1)).toEqual([
      [PONG, 'p'],
      [CLOSE, string(close(1000))],
    ]);
  });
});

describe('faults', () => {
  test.each([
    ['a broken frame', frame(TEXT, 'a', { masked: false }), 1002, 'frame not masked', 'protocol-error'],
    ['bad text', frame(TEXT, new Uint8Array([0xff])), 1007, 'invalid UTF-8', 'protocol-error'],
    ['too big a message', frame(BINARY, '', { announced: 2 ** 25 }), 1009, 'message too big', 'message-too-big'],
  ])('%s: a Close frame, a report, the end', (_, data, code, reason, fault) => {
    socket.feed.data(concat(frame(TEXT, 'good'), data, frame(TEXT, 'never read')));
    socket.feed.data(frame(TEXT, 'nor this'));
    socket.feed.gone();
    expect(texts()).toEqual(['good']);
    expect(sent()).toEqual([[CLOSE, string(close(code, reason))]]);
    expect(socket.stream.calls).toEqual(['end']);
    expect(socket.recorder.closes).toEqual([[code, reason, fault]]);
  });

  test('the limit is the one that was given', () => {
    socket = harness({ maxMessageSize: 3 });
    socket.feed.data(concat(frame(TEXT, 'abc'), frame(TEXT, 'abcd')));
    expect(texts()).toEqual(['abc']);
    expect(socket.recorder.closes).toEqual([[1009, 'message too big', 'message-too-big']]);
  });
});

describe('a stream that goes away', () => {
  test('is reported as 1006, once', async () => {
    socket.transport.send('never', true);
    socket.feed.gone();
    socket.feed.gone();
    socket.transport.terminate();
    await tick();
    expect(socket.recorder.closes).toEqual([[1006, '']]);
    expect([socket.stream.writes, socket.transport.queued]).toEqual([[], 0]);
  });

  test('while our Close is on its way, too', () => {
    socket.transport.close(1000, '');
    socket.feed.gone();
    expect(socket.recorder.closes).toEqual([[1006, '']]);
  });
});

describe('terminating', () => {
  test('destroys the stream, drops what waits and reports 1006', async () => {
    socket.transport.send('never', true);
    socket.transport.terminate();
    expect(socket.transport.queued).toBe(0);
    socket.transport.terminate();
    socket.feed.gone();
    socket.feed.data(frame(TEXT, 'late'));
    await tick();
    expect(socket.stream.calls).toEqual(['destroy', 'destroy']);
    expect(socket.stream.writes).toEqual([]);
    expect(socket.recorder.messages).toEqual([]);
    expect(socket.recorder.closes).toEqual([[1006, '']]);
  });

  test('after the closing handshake still drops a stream that will not end', () => {
    socket.feed.data(frame(CLOSE, close(1000)));
    socket.transport.terminate();
    expect(socket.stream.calls).toEqual(['end', 'destroy']);
    expect(socket.recorder.closes).toEqual([[1000, '']]);
  });

  test('a stream that tells of its end at once is reported once', () => {
    socket.stream.destroy = () => socket.feed.gone();
    socket.transport.terminate();
    expect(socket.recorder.closes).toEqual([[1006, '']]);
  });

  test('before the receiver is known is reported to it afterwards', () => {
    const recorder = new Recorder();
    openWebSocket(new FakeStream(), { maxMessageSize: 1, isUtf8 }, (transport) => {
      transport.terminate();
      return recorder;
    });
    expect(recorder.closes).toEqual([[1006, '']]);
  });
});

describe('sending before the first message', () => {
  test('works from within open', async () => {
    const stream = new FakeStream();
    openWebSocket(stream, { maxMessageSize: 1, isUtf8 }, (transport) => {
      transport.send('welcome', true);
      return new Recorder();
    });
    await tick();
    expect(stream.sent.map(({ payload }) => string(payload))).toEqual(['welcome']);
  });
});

describe('pausing', () => {
  /** Pauses at each message. */
  function pauseEach(transport: Transport): void {
    socket.recorder.onMessage = () => transport.pause();
  }

  test('in the middle of a chunk holds its remaining messages', async () => {
    pauseEach(socket.transport);
    socket.feed.data(concat(frame(TEXT, 'a'), frame(TEXT, 'b'), frame(TEXT, 'c'), frame(TEXT, 'cut').slice(0, 4)));
    expect([texts(), socket.stream.calls]).toEqual([['a'], ['pause']]);
    // The stream may have had one more on its way.
    socket.feed.data(concat(frame(TEXT, 'cut').slice(4), frame(TEXT, 'd')));
    await tick();
    expect(texts()).toEqual(['a']);
    for (const expected of [
      ['a', 'b'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c', 'cut'],
      ['a', 'b', 'c', 'cut', 'd'],
    ]) {
      socket.transport.resume();
      await tick();
      expect(texts()).toEqual(expected);
    }
    socket.transport.resume();
    await tick();
    socket.feed.data(frame(TEXT, 'e'));
    expect(texts().at(-1)).toBe('e');
  });

  test('after the last message of a chunk holds nothing', async () => {
    pauseEach(socket.transport);
    socket.feed.data(frame(TEXT, 'a'));
    socket.transport.resume();
    socket.feed.data(frame(TEXT, 'b'));
    expect(texts()).toEqual(['a', 'b']);
  });

  test('what comes after resuming waits for what was held', async () => {
    pauseEach(socket.transport);
    socket.feed.data(concat(frame(TEXT, 'a'), frame(TEXT, 'b')));
    socket.recorder.onMessage = () => {};
    socket.transport.resume();
    socket.feed.data(frame(TEXT, 'c'));
    expect(texts()).toEqual(['a']);
    await tick();
    expect(texts()).toEqual(['a', 'b', 'c']);
  });

  test('and resuming within one message changes nothing', () => {
    socket.recorder.onMessage = () => {
      socket.transport.pause();
      socket.transport.pause();
      socket.transport.resume();
      socket.transport.resume();
    };
    socket.feed.data(concat(frame(TEXT, 'a'), frame(TEXT, 'b')));
    expect(texts()).toEqual(['a', 'b']);
    expect(socket.stream.calls).toEqual(['pause', 'resume', 'pause', 'resume']);
  });

  test('what was held is answered when it is read', async () => {
    socket.transport.pause();
    socket.feed.data(frame(PING, 'p'));
    expect(socket.stream.writes).toEqual([]);
    socket.transport.resume();
    await tick();
    expect(sent()).toEqual([[PONG, 'p']]);
  });

  test('a Close or a fault that was held ends the connection, and what follows is not read', async () => {
    for (const data of [frame(CLOSE, close(1000)), frame(3)]) {
      socket = harness();
      socket.transport.pause();
      socket.feed.data(concat(data, frame(TEXT, 'late')));
      socket.feed.data(frame(TEXT, 'later'));
      expect(socket.recorder.closes).toEqual([]);
      socket.transport.resume();
      await tick();
      expect(socket.recorder.closes.length).toBe(1);
      expect(socket.recorder.messages).toEqual([]);
    }
  });

  test('a small remainder does not hold on to its chunk, even where slices are views', async () => {
    class Pooled extends Uint8Array {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return this.subarray(start, end) as Uint8Array<ArrayBuffer>;
      }
    }
    const held = async (remainder: number): Promise<boolean> => {
      socket = harness();
      const seen: Uint8Array[] = [];
      socket.recorder.onMessage = (data) => {
        seen.push(data);
        socket.transport.pause();
      };
      const data = concat(frame(BINARY, new Uint8Array(10)), frame(BINARY, new Uint8Array(remainder)));
      const chunk = new Pooled(64 * KiB);
      chunk.set(data);
      socket.feed.data(chunk.subarray(0, data.length));
      socket.transport.resume();
      await tick();
      return seen[1]?.buffer === chunk.buffer;
    };
    expect([await held(1000), await held(32 * KiB)]).toEqual([false, true]);
  });

  test('a PING that is kept does not depend on its chunk', async () => {
    await fill();
    const chunk = frame(PING, 'kept');
    socket.feed.data(chunk);
    chunk.fill(0);
    read();
    await tick();
    expect(sent().at(-1)).toEqual([PONG, 'kept']);
  });
});

describe('a receiver that acts within message', () => {
  const chunk = (): Uint8Array => concat(frame(TEXT, 'a'), frame(TEXT, 'b'), frame(CLOSE, close(1000, 'ok')));

  test('by closing gets no further message', () => {
    socket.recorder.onMessage = () => socket.transport.close(4001, 'enough');
    socket.feed.data(chunk());
    expect(texts()).toEqual(['a']);
    expect(sent()).toEqual([[CLOSE, string(close(4001, 'enough'))]]);
    expect(socket.recorder.closes).toEqual([[1000, 'ok']]);
  });

  test('by terminating gets nothing more at all', () => {
    socket.recorder.onMessage = () => socket.transport.terminate();
    socket.feed.data(chunk());
    expect(texts()).toEqual(['a']);
    expect(socket.recorder.closes).toEqual([[1006, '']]);
    expect(socket.stream.writes).toEqual([]);
  });

  test('while the stream hands in more gets it in order', () => {
    socket.recorder.onMessage = (data) => {
      if (string(data) === 'a') socket.feed.data(frame(TEXT, 'later'));
    };
    socket.feed.data(concat(frame(TEXT, 'a'), frame(TEXT, 'b')));
    expect(texts()).toEqual(['a', 'b', 'later']);
  });

  test('while the stream hands in more, and pauses, gets it in order', async () => {
    socket.recorder.onMessage = (data) => {
      if (string(data) !== 'a') return;
      socket.feed.data(frame(TEXT, 'later'));
      socket.transport.pause();
    };
    socket.feed.data(concat(frame(TEXT, 'a'), frame(TEXT, 'b')));
    expect(texts()).toEqual(['a']);
    socket.transport.resume();
    await tick();
    expect(texts()).toEqual(['a', 'b', 'later']);
  });

  test('by terminating among held messages gets nothing more', async () => {
    socket.transport.pause();
    socket.feed.data(chunk());
    socket.feed.data(frame(TEXT, 'c'));
    socket.recorder.onMessage = () => socket.transport.terminate();
    socket.transport.resume();
    await tick();
    expect(texts()).toEqual(['a']);
  });
});
