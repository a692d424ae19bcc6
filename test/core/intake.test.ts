import { describe, expect, it } from 'vitest';
import type { Message, MessageCallback } from '../../core/connection.ts';
import { Intake } from '../../core/intake.ts';
import { settle } from './support/clock.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A promise to be settled by hand. */
class Job {
  finish!: () => void;
  fail!: (error: unknown) => void;
  readonly done = new Promise<void>((resolve, reject) => {
    this.finish = resolve;
    this.fail = reject;
  });
}

/** An intake whose owner notes what it is told. */
function setUp() {
  const errors: unknown[] = [];
  const waits: number[] = [];
  const intake: Intake = new Intake({
    waitingChanged: () => waits.push(intake.waiting),
    broke(error) {
      errors.push(error);
      // As a connection does, whose end this is.
      intake.end();
    },
  });
  return { intake, errors, waits };
}

/** What became of a promise so far. */
async function fate(promise: Promise<unknown>): Promise<unknown> {
  await settle();
  return Promise.race([
    promise.then(
      () => 'resolved',
      (error: unknown) => error,
    ),
    settle().then(() => 'pending'),
  ]);
}

describe('taking messages by callback', () => {
  it('calls back at once for each message, as it came', async () => {
    const { intake, waits } = setUp();
    const seen: unknown[] = [];
    void intake.forEach((data, text) => {
      seen.push([data, text]);
    });
    waits.length = 0;
    const binary = new Uint8Array([1]);
    intake.take('a', true);
    intake.take(binary, false);
    expect(seen).toEqual([
      ['a', true],
      [binary, false],
    ]);
    expect((seen[1] as unknown[])[0]).toBe(binary);
    expect(waits).toEqual([]);
  });

  it('begins with what came before it, in order', () => {
    const { intake } = setUp();
    intake.take('a', true);
    intake.take('b', true);
    const seen: unknown[] = [];
    void intake.forEach((data) => {
      seen.push(data);
    });
    intake.take('c', true);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(intake.waiting).toBe(0);
  });

  it('waits for an asynchronous callback before the next message', async () => {
    const { intake } = setUp();
    const jobs: Job[] = [];
    const seen: unknown[] = [];
    intake.take('a', true);
    intake.take('b', true);
    void intake.forEach(async (data) => {
      seen.push(data);
      const job = new Job();
      jobs.push(job);
      await job.done;
    });
    intake.take('c', true);
    await settle();
    expect(seen).toEqual(['a']);
    jobs[0]?.finish();
    await settle();
    expect(seen).toEqual(['a', 'b']);
    jobs[1]?.finish();
    await settle();
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('says how much waits, each time that it changes', async () => {
    const { intake, waits } = setUp();
    const job = new Job();
    void intake.forEach(async () => {
      await job.done;
    });
    waits.length = 0;
    intake.take('now', true);
    intake.take('later', true);
    intake.take('later still', true);
    const [first, second] = waits as [number, number];
    expect(waits).toHaveLength(2);
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(first);
    job.finish();
    await settle();
    expect(waits.at(-1)).toBe(0);
  });

  it('is done when the connection is over', async () => {
    const { intake, errors } = setUp();
    const done = intake.forEach(() => {});
    expect(await fate(done)).toBe('pending');
    intake.end();
    expect(await fate(done)).toBe('resolved');
    expect(errors).toEqual([]);
  });

  it('is done only when every message was taken that came before the end', async () => {
    const { intake } = setUp();
    const jobs: Job[] = [];
    const done = intake.forEach(async () => {
      const job = new Job();
      jobs.push(job);
      await job.done;
    });
    intake.take('a', true);
    intake.take('b', true);
    intake.end();
    expect(await fate(done)).toBe('pending');
    jobs[0]?.finish();
    expect(await fate(done)).toBe('pending');
    expect(jobs).toHaveLength(2);
    jobs[1]?.finish();
    expect(await fate(done)).toBe('resolved');
  });

  it('is not done before that when a callback ends the connection while others wait', async () => {
    const { intake } = setUp();
    const job = new Job();
    intake.take('close', true);
    intake.take('a', true);
    const callback: MessageCallback = (data) => (data === 'close' ? intake.end() : job.done);
    const done = intake.forEach(callback);
    expect(await fate(done)).toBe('pending');
    job.finish();
    expect(await fate(done)).toBe('resolved');
  });

  it('still gives what came before the end to one who asks after it', async () => {
    const { intake } = setUp();
    intake.take('a', true);
    intake.end();
    const seen: unknown[] = [];
    expect(
      await fate(
        intake.forEach((data) => {
          seen.push(data);
        }),
      ),
    ).toBe('resolved');
    expect(seen).toEqual(['a']);
  });

  it('ends with what a callback threw, takes no more, and tells once', async () => {
    const { intake, errors } = setUp();
    const error = new Error('from the callback');
    const seen: unknown[] = [];
    intake.take('a', true);
    intake.take('b', true);
    const done = intake.forEach((data) => {
      seen.push(data);
      throw error;
    });
    expect(await fate(done)).toBe(error);
    expect(seen).toEqual(['a']);
    expect(errors).toEqual([error]);
    expect(intake.waiting).toBe(0);
  });

  it('ends with what the first message after it began was answered by', async () => {
    const { intake, errors } = setUp();
    const error = new Error('from the callback');
    const done = intake.forEach(() => {
      throw error;
    });
    intake.take('a', true);
    expect(await fate(done)).toBe(error);
    expect(errors).toEqual([error]);
  });

  it('ends with what an asynchronous callback rejected with, and drops what waits', async () => {
    const { intake, errors } = setUp();
    const job = new Job();
    const seen: unknown[] = [];
    const done = intake.forEach(async (data) => {
      seen.push(data);
      await job.done;
    });
    intake.take('a', true);
    intake.take('b', true);
    const error = new Error('from the callback');
    job.fail(error);
    expect(await fate(done)).toBe(error);
    expect(seen).toEqual(['a']);
    expect(errors).toEqual([error]);
    expect(intake.waiting).toBe(0);
  });

  it('leaves no unhandled rejection behind where nobody waits for it', async () => {
    const { intake, errors } = setUp();
    void intake.forEach(() => {
      throw new Error('from the callback');
    });
    intake.take('a', true);
    await settle();
    expect(errors).toHaveLength(1);
  });

  it('tells of a rejection even when the connection is over by then', async () => {
    const { intake, errors } = setUp();
    const job = new Job();
    const done = intake.forEach(async () => {
      await job.done;
    });
    intake.take('a', true);
    intake.end();
    job.fail('late');
    expect(await fate(done)).toBe('late');
    expect(errors).toEqual(['late']);
  });

  it('is for one taker only', async () => {
    const { intake } = setUp();
    void intake.forEach(() => {});
    expect(() => intake.forEach(() => {})).toThrow(
      new TypeError('the messages of this connection are being taken already'),
    );
    await expect(intake.iterate().next()).rejects.toThrow(TypeError);
  });
});

describe('taking messages by iteration', () => {
  it('gives text as strings and binary as bytes', async () => {
    const { intake } = setUp();
    intake.take('Grüße', true);
    intake.take(bytes('\ufeff日本語 🦉'), true);
    intake.take(new Uint8Array([0xff]), false);
    intake.end();
    const seen: Message[] = [];
    for await (const message of intake.iterate()) seen.push(message);
    expect(seen).toEqual(['Grüße', '\ufeff日本語 🦉', new Uint8Array([0xff])]);
  });

  it('waits for messages, in order, until the connection is over', async () => {
    const { intake } = setUp();
    const seen: Message[] = [];
    const loop = (async () => {
      for await (const message of intake.iterate()) seen.push(message);
    })();
    await settle();
    intake.take('a', true);
    intake.take('b', true);
    await settle();
    intake.take('c', true);
    expect(await fate(loop)).toBe('pending');
    expect(seen).toEqual(['a', 'b', 'c']);
    intake.end();
    expect(await fate(loop)).toBe('resolved');
  });

  it('keeps what comes while the loop body is at work, and says how much', async () => {
    const { intake, waits } = setUp();
    const messages = intake.iterate();
    intake.take('a', true);
    expect((await messages.next()).value).toBe('a');
    expect(waits.at(-1)).toBe(0);
    intake.take('b', true);
    intake.take('c', true);
    expect(waits.at(-1)).toBe(intake.waiting);
    expect(intake.waiting).toBeGreaterThan(0);
    expect((await messages.next()).value).toBe('b');
    expect((await messages.next()).value).toBe('c');
    expect(waits.at(-1)).toBe(0);
  });

  it('may be left and taken up again without losing a message', async () => {
    const { intake } = setUp();
    intake.take('a', true);
    intake.take('b', true);
    for await (const message of intake.iterate()) {
      expect(message).toBe('a');
      break;
    }
    intake.take('c', true);
    intake.end();
    const seen: Message[] = [];
    for await (const message of intake.iterate()) seen.push(message);
    expect(seen).toEqual(['b', 'c']);
  });

  it('is for one taker only, who is not disturbed by another', async () => {
    const { intake } = setUp();
    const first = intake.iterate();
    const next = first.next();
    await expect(intake.iterate().next()).rejects.toThrow('taken already');
    expect(() => intake.forEach(() => {})).toThrow('taken already');
    intake.take('a', true);
    expect((await next).value).toBe('a');
  });
});
