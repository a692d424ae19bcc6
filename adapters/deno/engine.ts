/**
 * Deno's native engine: `Deno.serve` and `Deno.upgradeWebSocket`.
 *
 * @module
 */
import type { Engine, Listener, ListenOptions, Peer, Upgrade } from '../../core/engine.ts';
import type { Receiver, Transport } from '../../core/transport.ts';

export const engine: Engine = {
  name: 'native',
  capabilities: {
    ping: false,
    pause: false,
    terminate: false,
    awaitsPeerClose: true,
    messageLimit: false,
    compression: false,
    http2: false,
    requestTimeout: false,
  },
  listen,
};

async function listen(options: ListenOptions): Promise<Listener> {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: options.hostname, port: options.port, signal: stop.signal, onListen() {} },
    async (request, { remoteAddr }) => {
      const answer = await options.answer(request, peerOf(remoteAddr));
      return answer instanceof Response ? answer : upgrade(options, answer, request);
    },
  );
  return {
    hostname: server.addr.hostname,
    port: server.addr.port,
    close() {
      stop.abort();
      return server.finished;
    },
  };
}

function peerOf({ hostname, port }: Deno.NetAddr): Peer {
  return { address: hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}` };
}

function upgrade(options: ListenOptions, upgrade: Upgrade, request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    // Deno pings at half of this and hangs up at the whole of it, so it stands for the keep-alive interval.
    idleTimeout: (2 * options.keepAliveInterval) / 1000,
  });
  for (const [name, value] of upgrade.headers) response.headers.append(name, value);
  new DenoTransport(socket, upgrade);
  return response;
}

class DenoTransport implements Transport {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, upgrade: Upgrade) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    let receiver: Receiver | undefined;
    socket.onopen = () => {
      receiver = upgrade.open(this);
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const text = typeof data === 'string';
      receiver?.message(text ? data : new Uint8Array(data), text);
    };
    socket.onclose = ({ code, reason }) => {
      if (receiver === undefined) upgrade.abandon();
      // Deno says 0 where there was no Close frame.
      else receiver.close(code || 1006, reason);
    };
    socket.onerror = () => {};
  }

  get queued(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array, text: boolean): boolean {
    if (text && typeof data !== 'string') this.#socket.send(new TextDecoder('utf-8', { ignoreBOM: true }).decode(data));
    else this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
    return this.#socket.bufferedAmount === 0;
  }

  ping(): void {}

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.close();
  }

  pause(): void {}

  resume(): void {}
}
