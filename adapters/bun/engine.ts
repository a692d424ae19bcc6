/**
 * Bun's native engine: `Bun.serve` and its ServerWebSocket.
 *
 * @module
 */
import type { Engine, Listener, ListenOptions, Upgrade } from '../../core/engine.ts';
import type { Fault, Receiver, Transport } from '../../core/transport.ts';

export const engine: Engine = {
  name: 'native',
  capabilities: {
    ping: true,
    pause: true,
    terminate: true,
    awaitsPeerClose: false,
    messageLimit: true,
    compression: false,
    http2: false,
    requestTimeout: true,
  },
  listen,
};

async function listen(options: ListenOptions): Promise<Listener> {
  const server = Bun.serve<BunTransport>({
    hostname: options.hostname,
    port: options.port,
    async fetch(request, server) {
      const peer = server.requestIP(request);
      const host = peer?.family === 'IPv6' ? `[${peer.address}]` : peer?.address;
      const answer = await options.answer(request, { address: `${host}:${peer?.port}` });
      if (answer instanceof Response) return answer;
      if (server.upgrade(request, { headers: answer.headers, data: new BunTransport(answer) })) return undefined;
      answer.abandon();
      return new Response(null, { status: 400 });
    },
    websocket: {
      maxPayloadLength: options.maxMessageSize,
      // Core watches for silence and pings; Bun's own clock would do so by other rules.
      idleTimeout: 0,
      sendPings: false,
      // Past its limit Bun drops messages. Core stops reading long before this one.
      backpressureLimit: 0x7fff_ffff,
      closeOnBackpressureLimit: false,
      perMessageDeflate: false,
      open(socket) {
        socket.data.open(socket);
      },
      message(socket, data) {
        socket.data.receiver.message(data, typeof data === 'string');
      },
      drain(socket) {
        socket.data.receiver.drain();
      },
      ping(socket) {
        socket.data.receiver.ping();
      },
      pong(socket) {
        socket.data.receiver.pong();
      },
      close(socket, code, reason) {
        socket.data.receiver.close(code, reason, faultOf(code, reason));
      },
    },
  });
  return {
    hostname: server.hostname ?? options.hostname,
    port: server.port ?? options.port,
    close: () => server.stop(true),
  };
}

function faultOf(_code: number, _reason: string): Fault | undefined {
  return undefined;
}

class BunTransport implements Transport {
  receiver!: Receiver;
  readonly #upgrade: Upgrade;
  #socket!: Bun.ServerWebSocket<BunTransport>;

  constructor(upgrade: Upgrade) {
    this.#upgrade = upgrade;
  }

  open(socket: Bun.ServerWebSocket<BunTransport>): void {
    this.#socket = socket;
    this.receiver = this.#upgrade.open(this);
  }

  get queued(): number {
    return this.#socket.getBufferedAmount();
  }

  send(data: string | Uint8Array, text: boolean): boolean {
    // 0 would mean dropped, but an empty payload that was sent is 0 as well.
    if (typeof data === 'string') return this.#socket.sendText(data) >= 0;
    return (text ? this.#socket.sendText(new TextDecoder().decode(data)) : this.#socket.sendBinary(data)) >= 0;
  }

  ping(): void {
    this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
