/**
 * Deno's native engine: `Deno.serve` and `Deno.upgradeWebSocket`.
 *
 * @module
 */
import process from 'node:process';
import type { Answer, Engine, Listener, ListenOptions, Peer } from '../../core/engine.ts';
import { keepFreed } from './memory.ts';
import { DenoTransport } from './transport.ts';

/** Deno's own WebSocket. It can do less than the others: see its capabilities. */
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
    reloadCertificates: false,
    // With SO_REUSEPORT; only Linux spreads connections evenly over those who listen so.
    sharesPort: process.platform === 'linux',
  },
  listen,
};

async function listen(options: ListenOptions): Promise<Listener> {
  keepFreed();
  const stop = new AbortController();
  const server = Deno.serve(
    {
      hostname: options.hostname,
      port: options.port,
      // Deno wants --unstable-net for it, which workers are started with.
      ...(options.sharesPort ? { reusePort: true } : {}),
      signal: stop.signal,
      onListen() {},
      ...options.certificate,
    },
    (request, { remoteAddr }) => {
      const peer = peerOf(remoteAddr);
      const answer = options.direct?.(request, peer) ?? options.answer(request, peer);
      return answer instanceof Promise
        ? answer.then((settled) => respond(options, request, settled))
        : respond(options, request, answer);
    },
  );
  return {
    hostname: server.addr.hostname,
    port: server.addr.port,
    // Deno has no way to; the program asks `capabilities` first.
    reload: () => Promise.reject(new Error('Deno.serve takes no other certificate')),
    close() {
      stop.abort();
      return server.finished;
    },
  };
}

function respond(options: ListenOptions, request: Request, answer: Answer): Response {
  if (answer instanceof Response) return answer;
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    // Deno upgrades to the first protocol that is named, and an error that nobody can catch ends the process.
    answer.abandon();
    return new Response('Deno upgrades to websocket alone.\n', { status: 400 });
  }
  const { socket, response } = Deno.upgradeWebSocket(request, {
    // Seconds. Deno pings at half of it and hangs up at the whole, so that it stands for the keep-alive interval.
    idleTimeout: (2 * options.keepAliveInterval) / 1000,
  });
  // Deno's own `protocol` option throws where the one agreed on is not the first that was offered.
  for (const [name, value] of answer.headers) response.headers.append(name, value);
  new DenoTransport(socket, options.maxMessageSize).feed(answer);
  return response;
}

function peerOf({ hostname, port }: Deno.NetAddr): Peer {
  return { address: hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}` };
}
