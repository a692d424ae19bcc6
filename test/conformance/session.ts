/**
 * Runs one case on a connection of its own and says what came of it.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import { exchange, type Frame, frame, opcode, parseClose, RawSocket, upgradeRequest } from '../support/raw.ts';
import { type Case, type Compressed, close, gets, outcome, ping } from './case.ts';
import { Codec, readAgreement } from './codec.ts';

/** Milliseconds that a server may take for anything. An outcome with `hangs` says that they passed. */
const PATIENCE = 30_000;
/** The payload of the PING that asks whether the server still reads. */
const ALIVE = 'alive?';
const DONE = 'done';

/** How often a case is run whose connection broke, so that what came was not read. */
const TRIES = 5;

/** Runs a case against the server at a port. */
export async function run(test: Case, port: number): Promise<string> {
  for (let tries = 1; ; tries++) {
    const session = new Session(port);
    const items = await session.run(test);
    if (!session.broke || tries === TRIES) return outcome(...items);
  }
}

class Session {
  /**
   * Whether a write failed, or the server reset the connection, before a Close frame came: it may have sent one, and a
   * failed write or a reset throws away what was under way.
   */
  broke = false;
  readonly #port: number;
  readonly #items: string[] = [];
  #socket!: RawSocket;
  #codec: Codec | undefined;
  #ended = false;
  #reset = false;
  #closed = false;
  #reading: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};
  #asked = 0;
  #alive = 0;
  /** The message that came in part. */
  #message: { readonly text: boolean; readonly compressed: boolean; readonly parts: Buffer[] } | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async run(test: Case): Promise<string[]> {
    this.#socket = await RawSocket.connect(this.#port);
    try {
      if (!(await this.#shakeHands(test))) return this.#items;
      this.#reading = this.#read();
      for (const step of test.send) {
        if (this.#ended) break;
        await this.#step(step);
      }
      await this.#finish(test.last ?? 'close');
    } finally {
      this.#socket.destroy();
      await this.#reading;
      this.#codec?.end();
    }
    return this.#items;
  }

  async #shakeHands({ offer, negotiation }: Case): Promise<boolean> {
    const changes = offer === undefined ? {} : { 'Sec-WebSocket-Extensions': offer };
    this.#socket.send(upgradeRequest(`127.0.0.1:${this.#port}`, changes));
    const response = await this.#socket.response();
    if (response.status !== 101) {
      this.#items.push(`refused ${response.status}`);
      return false;
    }
    const answer = response.header('sec-websocket-extensions');
    if (answer !== undefined) {
      const [name, ...parameters] = answer.split(';').map((part) => part.trim());
      const agreed = readAgreement(answer);
      if (negotiation || agreed === undefined) this.#items.push([name, ...parameters.sort()].join('; '));
      if (agreed !== undefined) this.#codec = new Codec(agreed);
    } else if (offer !== undefined) this.#items.push('no extension');
    return true;
  }

  async #step(step: Case['send'][number]): Promise<void> {
    if (step === 'ping') await this.#barrier();
    else if (step === 'beside') await this.#beside();
    else if (step instanceof Uint8Array) await this.#write(step);
    else if (typeof step === 'function') await this.#write(step());
    else if ('compress' in step) await this.#writeCompressed(step);
    else {
      for (let at = 0; at < step.chop.length && !this.#ended; at += step.every) {
        await this.#write(step.chop.subarray(at, at + step.every));
      }
    }
  }

  async #write(data: Uint8Array): Promise<void> {
    // What came is read before more is written: a write that fails throws it away.
    await turn();
    if (this.#ended) return;
    try {
      await this.#socket.flush(data);
    } catch {
      this.broke = !this.#closed;
    }
  }

  async #writeCompressed(message: Compressed): Promise<void> {
    const plain = Buffer.from(message.compress);
    const code = (message.text ?? true) ? opcode.text : opcode.binary;
    const { final = false, reset = false, level = 6 } = message;
    // Where nothing was agreed on there is nothing to compress by.
    const data = (await this.#codec?.compress(plain, { final, reset, level })) ?? plain;
    const size = message.fragment ?? data.length;
    const parts: Uint8Array[] = [];
    for (let at = 0; at === 0 || at < data.length; at += size) {
      if (at > 0 && message.between !== undefined) parts.push(message.between);
      const fin = at + size >= data.length;
      const rsv = at === 0 && this.#codec !== undefined ? 4 : 0;
      parts.push(frame(at === 0 ? code : opcode.continuation, data.subarray(at, at + size), { fin, rsv }));
    }
    await this.#write(Buffer.concat(parts));
  }

  async #barrier(): Promise<void> {
    await this.#write(ping(ALIVE));
    this.#asked++;
    await this.#until(() => this.#alive >= this.#asked || this.#closed);
  }

  /** Waits until it is so, or the connection is over. */
  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (isSo() || this.#ended) resolve();
      };
      this.#wake();
    });
  }

  async #beside(): Promise<void> {
    // Twice, so that what the server read at the first is answered at the second.
    for (let round = 0; round < 2; round++) {
      await exchange(this.#port, 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    }
    if (!this.#ended && !this.#closed) this.#items.push('alive');
  }

  async #finish(how: NonNullable<Case['last']>): Promise<void> {
    if (how === 'close' && !this.#closed) await this.#write(close(1000, DONE));
    else if (how === 'answer') {
      await this.#until(() => this.#closed);
      await this.#write(close());
    } else if (how === 'fin') this.#socket.end();
    else if (how === 'reset') {
      this.#socket.reset();
      await this.#socket.ended;
      await exchange(this.#port, 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    }
    await this.#reading;
    if (how !== 'reset' && this.#reset && !this.#closed) this.broke = true;
    if (!this.#closed) this.#items.push('no close');
    else if (how === 'close' && this.#items.at(-1) === gets.close(1000, DONE)) this.#items.splice(-1, 1, 'clean');
  }

  async #read(): Promise<void> {
    const socket = this.#socket;
    void socket.ended.then((end) => {
      this.#ended = true;
      this.#reset = end === 'reset';
      this.#wake();
    });
    for (;;) {
      let next: Frame;
      try {
        next = await socket.frame(PATIENCE);
      } catch {
        if (!this.#ended) this.#items.push(this.#closed ? 'stays open' : 'hangs');
        else if (socket.available > 0) this.#items.push('half a frame');
        break;
      }
      await this.#take(next);
    }
    this.#ended = true;
    this.#wake();
  }

  async #take({ fin, rsv, opcode: code, masked, payload }: Frame): Promise<void> {
    if (masked) this.#items.push('masked');
    if (rsv !== 0 && !(rsv === 4 && this.#codec !== undefined && (code === 1 || code === 2))) {
      this.#items.push(`rsv ${rsv}`);
    }
    if (code === opcode.pong) {
      if (payload.toString() === ALIVE) {
        this.#alive++;
        this.#items.push('alive');
        this.#wake();
      } else this.#items.push(gets.pong(payload));
    } else if (code === opcode.close) {
      const { code: status, reason } = parseClose(payload);
      this.#items.push(payload.length === 0 ? gets.close() : gets.close(status, reason));
      this.#closed = true;
      this.#wake();
    } else if (code === opcode.ping) this.#items.push('ping');
    else if (code > 2) this.#items.push(`opcode ${code}`);
    else {
      if ((code === 0) === (this.#message === undefined)) this.#items.push('bad fragments');
      this.#message ??= { text: code === opcode.text, compressed: rsv === 4, parts: [] };
      this.#message.parts.push(payload);
      if (fin) await this.#whole();
    }
  }

  async #whole(): Promise<void> {
    const message = this.#message;
    this.#message = undefined;
    if (message === undefined) return;
    let data: Buffer = message.parts.length === 1 ? (message.parts[0] as Buffer) : Buffer.concat(message.parts);
    if (message.compressed && this.#codec !== undefined) {
      try {
        data = await this.#codec.inflate(data);
      } catch (error) {
        this.#items.push(`can't inflate: ${error instanceof Error ? error.message : error}`);
        return;
      }
    }
    this.#items.push(message.text ? gets.text(data) : gets.binary(data));
  }
}
