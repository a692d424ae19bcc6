/** Thousands of silent connections: each ended on time, and the watch over them costs next to nothing. */
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Lag } from '../support/lag.ts';
import { closePayload, frame, opcode, upgradeRequest } from '../support/raw.ts';
import { currentTarget } from '../support/server.ts';
import { pass } from '../support/wait.ts';
import { useServer } from './use-server.ts';

/** Fewer over HTTP/2, where each takes two files of this process, as many as it may have. */
const crowd = currentTarget.http2 ? 6_000 : 15_000;
/** In milliseconds. */
const X = 6000;
const hello = frame(opcode.text, 'x');

/** A client with as little about it as can be: there are many. */
class Member {
  readonly socket: Socket;
  readonly opened: Promise<void>;
  readonly closed: Promise<void>;
  status = '';
  /** When it last spoke, and when it had the answer. */
  said = 0;
  heard = 0;
  /** When the Close frame came, and its code. */
  told = 0;
  code = 0;

  constructor(port: number, localAddress: string, request: string) {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    this.socket = socket;
    socket.on('connect', () => {
      this.said = performance.now();
      socket.write(request);
    });
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
    this.opened = new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        if (this.status !== '') return this.#frames(chunk);
        this.status = chunk.toString('latin1', 0, 12);
        this.heard = performance.now();
        resolve();
      });
    });
  }

  say(): void {
    this.said = performance.now();
    this.socket.write(hello);
  }

  #frames(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += 2 + (chunk[at + 1] ?? 0)) {
      if (chunk[at] !== 0x88) this.heard = performance.now();
      else {
        this.told = performance.now();
        this.code = chunk.readUInt16BE(at + 2);
        this.socket.end(frame(opcode.close, closePayload(this.code)));
      }
    }
  }
}

describe(`${crowd} connections that say nothing`, () => {
  const flags = [`--ping-interval=${X / 1000}`, '--keep-alive-interval=0', `--max-connections=${crowd + 10}`];
  const server = useServer(flags, {
    prefix: ['sh', '-c', 'ulimit -n "$(ulimit -H -n)"; exec "$@"', 'sh'],
    clientsPerSession: 100,
  });

  it('are all ended between 2·X and 5 % more, with under 2 % of a core spent on the watch', async () => {
    const { port } = server();
    const request = upgradeRequest(`127.0.0.1:${port}`);
    const members: Member[] = [];
    /** In the order in which they last spoke: they keep themselves alive until all are there. */
    let waiting: Member[] = [];
    while (members.length < crowd) {
      // From many addresses, and others each time: finding a free port takes long where most are used or were just now.
      const from = (i: number) => `127.1.${process.pid % 250}.${1 + (i % 20)}`;
      const batch = Array.from({ length: 100 }, (_, i) => new Member(port, from(i), request));
      // In 4.5 s at least: what is measured later is the watch, not how fast 15,000 can be ended at once.
      await Promise.all([pass(30), ...batch.map((member) => member.opened)]);
      members.push(...batch);
      const quiet = waiting.findIndex((member) => member.said > performance.now() - X);
      const talking = waiting.splice(0, quiet === -1 ? waiting.length : quiet);
      for (const member of talking) member.say();
      waiting = [...waiting, ...talking, ...batch];
    }
    expect(new Set(members.map((member) => member.status))).toEqual(new Set(['HTTP/1.1 101']));
    const lag = new Lag();

    // The watch alone: between the last message and the first end.
    await pass(500);
    const from = performance.now();
    const cpu = server().cpu();
    const firstEnd = Math.min(...members.map((member) => member.said)) + 2 * X;
    await pass(Math.max(1000, firstEnd - 300 - from));
    const share = (server().cpu() - cpu) / (performance.now() - from);
    expect(share).toBeLessThan(0.02);

    await Promise.all(members.map((member) => member.closed));
    lag.stop();
    expect(new Set(members.map((member) => member.code))).toEqual(new Set([3008]));
    const early = Math.min(...members.map(({ said, told }) => told - said));
    const late = Math.max(...members.map(({ heard, told }) => told - heard));
    expect(early).toBeGreaterThanOrEqual(2 * X - 2);
    expect(late).toBeLessThanOrEqual(2 * X * 1.05 + 2 * lag.most);

    const ends = () => server().reports.filter((report) => report.event === 'ended');
    // Counted once for each report that comes, not once for each that there is.
    await server().report((report) => report === server().reports.at(-1) && ends().length === crowd, {
      timeout: 20_000,
    });
    expect(new Set(ends().map((report) => report.cause))).toEqual(new Set(['idle-timeout']));
    expect(await (await fetch(`${server().url}/health`)).json()).toMatchObject({ connections: 0 });
  }, 120_000);
});
