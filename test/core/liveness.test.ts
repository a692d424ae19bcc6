import { describe, expect, it } from 'vitest';
import { Liveness, type LivenessOptions, NEVER, type Verdict, Watched } from '../../core/liveness.ts';
import { randomFrom } from './support/random.ts';

const off: LivenessOptions = { idleTimeout: 0, keepAliveInterval: 0, keepAliveTimeout: 0, stallTimeout: 30_000 };

class Client extends Watched {
  /** How often the clock looked at the queue. */
  queueLooks = 0;
  onQueueLook: () => void = () => {};

  override lookAtQueue(): void {
    this.queueLooks++;
    this.onQueueLook();
  }
}

/** A clock, a thousand seconds after the epoch of its time, and what it said. */
class Watch {
  readonly liveness: Liveness<Client>;
  readonly verdicts: { at: number; client: Client; verdict: Verdict }[] = [];
  /** Called for each verdict, besides writing it down. */
  act: (client: Client, verdict: Verdict) => void = (client, verdict) => {
    if (verdict !== 'ping') this.liveness.remove(client);
  };

  constructor(options: Partial<LivenessOptions>) {
    this.liveness = new Liveness({ ...off, ...options }, 1_000_000);
  }

  add(client = new Client(), now = this.liveness.now): Client {
    this.liveness.add(client, now);
    return client;
  }

  advance(now: number): void {
    this.liveness.advance(now, (client, verdict) => {
      this.verdicts.push({ at: now, client, verdict });
      this.act(client, verdict);
    });
  }

  /** Lets time pass with a tick at each of the clock's intervals. */
  pass(milliseconds: number): void {
    const end = this.liveness.now + milliseconds;
    while (this.liveness.now < end) this.advance(Math.min(end, this.liveness.now + this.liveness.resolution));
  }

  /** What was said, and how long after the beginning. */
  get said(): [number, Verdict][] {
    return this.verdicts.map(({ at, verdict }) => [at - 1_000_000, verdict]);
  }
}

/** Counts how often the clock looks at a connection, which costs what the clock costs. */
function countLooks(client: Client): () => number {
  let reads = 0;
  Object.defineProperty(client, 'closeBy', {
    get() {
      reads++;
      return NEVER;
    },
  });
  // A look reads it twice: for what is due now, and for when to look again.
  return () => reads / 2;
}

/** How much later than 2·X an end may come. */
function tolerance(idleTimeout: number): number {
  return Math.max(50, idleTimeout * 0.05);
}

describe('the interval of the clock', () => {
  it.each([
    [1000, 5],
    [60, 5],
    [2000, 10],
    [2345, 11],
    [60_000, 100],
    [0, 50],
  ])('with an idle timeout of %i ms is %i ms', (idleTimeout, resolution) => {
    expect(new Watch({ idleTimeout }).liveness.resolution).toBe(resolution);
  });
});

describe('a silent connection', () => {
  it.each(
    [20, 100, 250, 999, 1000, 1001, 2500, 5000, 10_000, 30_000, 60_000, 600_000].map((idleTimeout) => ({
      idleTimeout,
    })),
  )(
    'is ended between 2·X = $idleTimeout ms and 5 % (at least 50 ms) more, wherever in a tick its message came',
    ({ idleTimeout }) => {
      for (let phase = 0; phase < 20; phase++) {
        const watch = new Watch({ idleTimeout });
        const { liveness } = watch;
        const client = watch.add();
        watch.pass(liveness.resolution * 2);
        const message = liveness.now + (phase / 20) * liveness.resolution;
        client.seen = liveness.now;
        watch.pass(idleTimeout + tolerance(idleTimeout));

        expect(watch.verdicts).toHaveLength(1);
        const [end] = watch.verdicts;
        expect(end?.verdict).toBe('idle-timeout');
        expect(end?.at).toBeGreaterThanOrEqual(message + idleTimeout);
        expect(end?.at).toBeLessThanOrEqual(message + idleTimeout + tolerance(idleTimeout));
      }
    },
  );

  it('that never sent a message is measured from when it was opened', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    watch.add();
    watch.pass(333);
    const late = watch.add();
    const opened = watch.liveness.now;
    watch.pass(1500);
    const end = watch.verdicts.find(({ client }) => client === late);
    expect(end?.verdict).toBe('idle-timeout');
    expect((end?.at ?? 0) - opened).toBeGreaterThanOrEqual(1000);
    expect((end?.at ?? 0) - opened).toBeLessThanOrEqual(1050);
  });

  it('is left alone where X is off', () => {
    const watch = new Watch({ idleTimeout: 0 });
    watch.add();
    watch.pass(3_600_000);
    expect(watch.verdicts).toEqual([]);
  });
});

describe('a loop that is blocked', () => {
  it('does not make a connection silent whose message came, unread, meanwhile', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    const client = watch.add();
    watch.pass(900);
    // A message arrives while something else keeps the event loop busy; the timer is what runs first afterwards.
    watch.advance(watch.liveness.now + 700);
    expect(watch.verdicts).toEqual([]);
    client.seen = watch.liveness.now;
    watch.pass(990);
    expect(watch.verdicts).toEqual([]);
    watch.pass(60);
    expect(watch.verdicts).toHaveLength(1);
  });

  it('does not make a message older that came just before the late tick', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    const client = watch.add();
    watch.pass(100);
    // Read at the very end of a long turn of the loop, when the clock has not moved for 600 ms.
    const message = watch.liveness.now + 600;
    client.seen = watch.liveness.now;
    watch.advance(message);
    watch.pass(995);
    expect(watch.verdicts).toEqual([]);
    watch.pass(60);
    expect(watch.verdicts[0]?.at).toBeGreaterThanOrEqual(message + 1000);
    expect(watch.verdicts[0]?.at).toBeLessThanOrEqual(message + 1050);
  });

  it('forgets late ticks that no longer matter', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    const silent = watch.add();
    watch.advance(watch.liveness.now + 300);
    for (let i = 0; i < 20; i++) {
      watch.advance(watch.liveness.now + 300);
      if (i < 10) silent.seen = watch.liveness.now;
    }
    const end = 1_000_000 + 300 * 11 + 300 + 1000;
    expect(watch.verdicts).toHaveLength(1);
    expect(watch.verdicts[0]?.at).toBeGreaterThanOrEqual(end);
    expect(watch.verdicts[0]?.at).toBeLessThanOrEqual(end + 600);
  });

  it('may sleep for days: each connection is looked at once, and ended by the next tick', () => {
    const watch = new Watch({ idleTimeout: 1000, keepAliveInterval: 400 });
    const clients = Array.from({ length: 100 }, () => watch.add());
    const counts = clients.map(countLooks);
    watch.pass(200);
    const before = counts.map((looks) => looks());
    watch.advance(watch.liveness.now + 20_000_000_000);
    expect(counts.map((looks, index) => looks() - (before[index] as number))).toEqual(clients.map(() => 1));
    expect(watch.verdicts.map(({ verdict }) => verdict)).toEqual(clients.map(() => 'ping'));
    watch.verdicts.length = 0;
    watch.pass(watch.liveness.resolution);
    expect(watch.verdicts.map(({ verdict }) => verdict)).toEqual(clients.map(() => 'idle-timeout'));
    expect(watch.liveness.size).toBe(0);
  });
});

describe('whatever the order of messages and late ticks', () => {
  /** One connection's life in a loop that is late by up to `lateness` at each tick, and now and then blocked. */
  function live(seed: number, idleTimeout: number, lateness: number, blocks: boolean) {
    const random = randomFrom(seed);
    const watch = new Watch({ idleTimeout });
    const { liveness } = watch;
    const client = watch.add();
    let tick = liveness.now;
    let latest = tick;
    // No two messages are further apart than 2·X.
    const messages: number[] = [];
    for (let i = 0; i < 12; i++) {
      latest += idleTimeout * (random() < 0.3 ? 0.99 + random() / 100 : random());
      messages.push(latest);
    }
    const gaps: number[] = [];
    let next = 0;
    while (watch.verdicts.length === 0 && tick < latest + 20 * idleTimeout) {
      const before = tick;
      const blocked = blocks && random() < 0.1;
      tick += liveness.resolution + lateness * random() + (blocked ? random() * idleTimeout * 1.5 : 0);
      // A loop that is not blocked reads each message when it comes; one that is, after the timer.
      const readUntil = blocked ? before + random() * (tick - before) : tick;
      if (tick >= latest) gaps.push(tick - before);
      for (; (messages[next] as number) <= readUntil; next++) client.seen = liveness.now;
      watch.advance(Math.ceil(tick));
      for (; (messages[next] as number) <= tick; next++) client.seen = liveness.now;
    }
    // The wait for the tick after the message, the one after that, which may have seen it unread, and the last two.
    const waits = [...gaps.slice(0, 2), ...gaps.slice(-2)].reduce((sum, gap) => sum + gap, 0);
    return { silence: tick - latest, waits, verdict: watch.verdicts[0]?.verdict };
  }

  const timeouts = [100, 333, 1000, 2222, 10_000, 60_000];

  it('no connection is ended before 2·X of silence, however late ticks are', () => {
    for (const idleTimeout of timeouts) {
      for (let seed = 0; seed < 200; seed++) {
        const { silence, verdict } = live(seed, idleTimeout, 30, true);
        expect(verdict).toBe('idle-timeout');
        expect(silence, `seed ${seed}, 2·X = ${idleTimeout}`).toBeGreaterThanOrEqual(idleTimeout);
      }
    }
  });

  it('it is ended in time where ticks come as late as timers usually do', () => {
    for (const idleTimeout of timeouts) {
      for (let seed = 0; seed < 200; seed++) {
        const { silence } = live(seed, idleTimeout, 4, false);
        expect(silence, `seed ${seed}, 2·X = ${idleTimeout}`).toBeGreaterThanOrEqual(idleTimeout);
        expect(silence, `seed ${seed}, 2·X = ${idleTimeout}`).toBeLessThanOrEqual(idleTimeout + tolerance(idleTimeout));
      }
    }
  });

  it('it is ended later only by as much as ticks are late', () => {
    for (const idleTimeout of timeouts) {
      for (let seed = 0; seed < 200; seed++) {
        const { silence, waits } = live(seed, idleTimeout, 30, true);
        const most = idleTimeout + waits + tolerance(idleTimeout);
        expect(silence, `seed ${seed}, 2·X = ${idleTimeout}`).toBeLessThanOrEqual(most);
      }
    }
  });
});

describe('a paused connection', () => {
  it('is not judged silent, and begins anew when it is resumed', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    const client = watch.add();
    client.paused = true;
    watch.liveness.update(client);
    const looks = countLooks(client);
    watch.pass(5000);
    expect(watch.verdicts).toEqual([]);
    expect(looks()).toBeLessThanOrEqual(2);
    client.paused = false;
    client.seen = watch.liveness.now;
    watch.liveness.update(client);
    watch.pass(1000);
    expect(watch.verdicts).toEqual([]);
    watch.pass(50);
    expect(watch.verdicts.map(({ verdict }) => verdict)).toEqual(['idle-timeout']);
  });

  it('is not blamed for a PONG that can not be read, but is still pinged', () => {
    const watch = new Watch({ keepAliveInterval: 1000, keepAliveTimeout: 200 });
    const client = watch.add();
    client.paused = true;
    watch.liveness.update(client);
    watch.pass(3500);
    expect(watch.said).toEqual([
      [1000, 'ping'],
      [2000, 'ping'],
      [3000, 'ping'],
    ]);
  });
});

describe('keep-alive', () => {
  it('pings at its interval, for as long as the connection lasts', () => {
    const watch = new Watch({ keepAliveInterval: 120_000 });
    watch.add();
    watch.pass(360_000);
    expect(watch.said).toEqual([
      [120_000, 'ping'],
      [240_000, 'ping'],
      [360_000, 'ping'],
    ]);
  });

  it('pings whether or not messages come', () => {
    const watch = new Watch({ idleTimeout: 2000, keepAliveInterval: 1000 });
    const client = watch.add();
    for (let i = 0; i < 30; i++) {
      watch.pass(100);
      client.seen = watch.liveness.now;
    }
    expect(watch.said.map(([, verdict]) => verdict)).toEqual(['ping', 'ping', 'ping']);
  });

  it('ends a connection whose PONG is overdue', () => {
    const watch = new Watch({ keepAliveInterval: 1000, keepAliveTimeout: 300 });
    watch.add();
    watch.pass(3000);
    expect(watch.said.map(([, verdict]) => verdict)).toEqual(['ping', 'keep-alive-timeout']);
    const [[pinged], [ended]] = watch.said as [[number, Verdict], [number, Verdict]];
    expect(ended - pinged).toBeGreaterThanOrEqual(300);
    expect(ended - pinged).toBeLessThanOrEqual(400);
  });

  it('spares one whose PONG came', () => {
    const watch = new Watch({ keepAliveInterval: 1000, keepAliveTimeout: 300 });
    watch.act = (client) => {
      client.unanswered = NEVER;
    };
    watch.add();
    watch.pass(5000);
    expect(watch.said.map(([, verdict]) => verdict)).toEqual(new Array(5).fill('ping'));
  });

  it('counts from the oldest PING that no PONG followed, when PINGs come faster than they time out', () => {
    const watch = new Watch({ keepAliveInterval: 100, keepAliveTimeout: 450 });
    watch.add();
    watch.pass(1000);
    expect(watch.said.slice(0, 5).every(([, verdict]) => verdict === 'ping')).toBe(true);
    const end = watch.said.at(-1);
    expect(end?.[1]).toBe('keep-alive-timeout');
    expect(end?.[0]).toBeGreaterThanOrEqual(550);
    expect(end?.[0]).toBeLessThanOrEqual(700);
  });

  it('does not blame the client for a PONG that waits unread while the loop is blocked', () => {
    const watch = new Watch({ keepAliveInterval: 1000, keepAliveTimeout: 300 });
    const client = watch.add();
    watch.pass(1000);
    watch.advance(watch.liveness.now + 900);
    expect(watch.said).toEqual([[1000, 'ping']]);
    client.unanswered = NEVER;
    watch.pass(50);
    expect(watch.said).toEqual([[1000, 'ping']]);
  });
});

describe('a queue that is over its limit', () => {
  const stallTimeout = 10_000;

  it('is looked at ten times per stall timeout, and only then', () => {
    const watch = new Watch({ stallTimeout });
    const client = watch.add();
    watch.pass(5000);
    expect(client.queueLooks).toBe(0);
    client.stalled = watch.liveness.now;
    watch.liveness.update(client);
    watch.pass(5000);
    expect(client.queueLooks).toBe(5);
  });

  it('ends its connection when it has stood still for too long, paused or not', () => {
    for (const paused of [false, true]) {
      const watch = new Watch({ stallTimeout });
      const client = watch.add();
      client.paused = paused;
      client.stalled = watch.liveness.now;
      watch.liveness.update(client);
      watch.pass(12_000);
      expect(watch.said.map(([, verdict]) => verdict)).toEqual(['slow-consumer']);
      expect(watch.said[0]?.[0]).toBeGreaterThanOrEqual(stallTimeout);
      expect(watch.said[0]?.[0]).toBeLessThanOrEqual(stallTimeout * 1.15);
    }
  });

  it('ends nobody while it moves', () => {
    const watch = new Watch({ stallTimeout });
    const client = watch.add();
    client.stalled = watch.liveness.now;
    client.onQueueLook = () => {
      client.stalled = watch.liveness.now;
    };
    watch.liveness.update(client);
    watch.pass(100_000);
    expect(watch.verdicts).toEqual([]);
  });

  it('is left alone again once it has drained', () => {
    const watch = new Watch({ stallTimeout });
    const client = watch.add();
    client.stalled = watch.liveness.now;
    client.onQueueLook = () => {
      client.stalled = NEVER;
      watch.liveness.update(client);
    };
    watch.liveness.update(client);
    watch.pass(100_000);
    expect(watch.verdicts).toEqual([]);
    expect(client.queueLooks).toBe(1);
  });

  it('may turn out, when looked at, to belong to a connection that is gone', () => {
    const watch = new Watch({ stallTimeout, keepAliveInterval: 1000 });
    const client = watch.add();
    const other = watch.add();
    client.stalled = watch.liveness.now;
    client.onQueueLook = () => watch.liveness.remove(client);
    watch.liveness.update(client);
    watch.pass(5000);
    expect(watch.liveness.size).toBe(1);
    expect(watch.verdicts.every((verdict) => verdict.client === other)).toBe(true);
    expect(client.queueLooks).toBe(1);
  });
});

describe('a closing handshake', () => {
  it('is cut off when its time is over, and nothing else is said meanwhile', () => {
    const watch = new Watch({ idleTimeout: 1000, keepAliveInterval: 200, keepAliveTimeout: 100 });
    const client = watch.add();
    client.stalled = watch.liveness.now;
    client.closeBy = watch.liveness.now + 1500;
    watch.liveness.update(client);
    watch.pass(3000);
    expect(watch.said.map(([, verdict]) => verdict)).toEqual(['terminate']);
    expect(watch.said[0]?.[0]).toBeGreaterThanOrEqual(1500);
    expect(watch.said[0]?.[0]).toBeLessThanOrEqual(1600);
    expect(client.queueLooks).toBe(0);
  });

  it('is not cut off in the first tick after a blocked loop: the answer may wait to be read', () => {
    const watch = new Watch({});
    const client = watch.add();
    client.closeBy = watch.liveness.now + 1500;
    watch.liveness.update(client);
    watch.advance(watch.liveness.now + 5000);
    expect(watch.verdicts).toEqual([]);
    watch.pass(watch.liveness.resolution);
    expect(watch.verdicts.map(({ verdict }) => verdict)).toEqual(['terminate']);
  });
});

describe('watching', () => {
  it('knows how many there are', () => {
    const { liveness } = new Watch({});
    const [first, second] = [new Client(), new Client()];
    liveness.add(first, 1_000_000);
    liveness.add(second, 1_000_000);
    expect(liveness.size).toBe(2);
    liveness.remove(first);
    liveness.remove(first);
    expect(liveness.size).toBe(1);
  });

  it('of none that was removed goes on, in whatever order they go', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    const clients = Array.from({ length: 5 }, () => watch.add());
    for (const index of [2, 4, 0]) watch.liveness.remove(clients[index] as Client);
    watch.liveness.update(clients[0] as Client);
    watch.pass(2000);
    expect(new Set(watch.verdicts.map(({ client }) => client))).toEqual(new Set([clients[1], clients[3]]));
  });

  it('may begin and end for others while verdicts are carried out', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    const clients = Array.from({ length: 4 }, () => watch.add());
    const newcomers: Client[] = [];
    watch.act = () => {
      for (const client of clients) watch.liveness.remove(client);
      newcomers.push(watch.add());
    };
    watch.pass(1500);
    expect(watch.verdicts).toHaveLength(1);
    expect(newcomers).toHaveLength(1);
    expect(watch.liveness.size).toBe(1);
    watch.pass(1000);
    expect(watch.verdicts[1]?.client).toBe(newcomers[0]);
  });

  it('takes the real time from the first that is added to an empty clock', () => {
    const watch = new Watch({ idleTimeout: 1000 });
    const hour = 3_600_000;
    watch.add(new Client(), 1_000_000 + hour);
    expect(watch.liveness.now).toBe(1_000_000 + hour);
    watch.pass(1000);
    expect(watch.verdicts).toEqual([]);
    watch.pass(50);
    expect(watch.said[0]?.[0]).toBeGreaterThanOrEqual(hour + 1000);
  });

  it('costs about one look for each connection and 2·X, also of 15,000', () => {
    const watch = new Watch({ idleTimeout: 60_000, keepAliveInterval: 120_000 });
    const counts: (() => number)[] = [];
    const clients = Array.from({ length: 15_000 }, (_, index) => {
      // They come over a minute.
      if (index % 25 === 0) watch.pass(100);
      const client = watch.add();
      counts.push(countLooks(client));
      return client;
    });
    const looksNow = () => counts.reduce((sum, looks) => sum + looks(), 0);

    for (const client of clients) client.seen = watch.liveness.now;
    const looksBefore = looksNow();
    let most = 0;
    let before = looksBefore;
    for (let tick = 0; tick < 600; tick++) {
      watch.pass(100);
      const after = looksNow();
      most = Math.max(most, after - before);
      before = after;
      // Everybody sends a message twice in 2·X.
      if (tick % 300 === 0) for (const client of clients) client.seen = watch.liveness.now;
    }
    expect(looksNow() - looksBefore).toBeLessThanOrEqual(1.1 * 15_000);
    expect(most).toBeLessThanOrEqual(60);
    expect(watch.verdicts).toEqual([]);
  });
});
