/**
 * Bun's native engine: `Bun.serve` and its ServerWebSocket.
 *
 * @module
 */
import type { Engine, Listener, ListenOptions, Peer } from '../../core/engine.ts';
import { BunTransport } from './transport.ts';

/** Bun's own WebSocket. */
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
    // Bun's error page shows the server's source to whoever asks.
    development: false,
    async fetch(request, server) {
      const answer = await options.answer(request, peerOf(server.requestIP(request)));
      if (answer instanceof Response) return answer;
      // An empty header is how Bun is kept from agreeing to the first subprotocol that is offered.
      if (answer.protocol === '') answer.headers.set('sec-websocket-protocol', '');
      if (server.upgrade(request, { headers: answer.headers, data: new BunTransport(answer) })) return undefined;
      answer.abandon();
      return new Response(null, { status: 400 });
    },
    websocket: {
      maxPayloadLength: options.maxMessageSize,
      // Core watches for silence and pings; Bun's own clock would do so by other rules.
      idleTimeout: 0,
      sendPings: false,
      // Past its limit Bun drops messages, without an error. Core stops reading from a client long before this one.
      backpressureLimit: 0x7fff_ffff,
      closeOnBackpressureLimit: false,
      perMessageDeflate: false,
      open: (socket) => socket.data.open(socket),
      message: (socket, data) => socket.data.receiver.message(data, typeof data === 'string'),
      drain: (socket) => socket.data.receiver.drain(),
      ping: (socket) => socket.data.receiver.ping(),
      pong: (socket) => socket.data.receiver.pong(),
      close: (socket, code, reason) => socket.data.closed(code, reason),
    },
  });
  return {
    hostname: server.hostname ?? options.hostname,
    port: server.port ?? options.port,
    close: () => server.stop(true),
  };
}

function peerOf(address: Bun.SocketAddress | null): Peer {
  if (address === null) return { address: 'unknown' };
  const { family, port } = address;
  return { address: family === 'IPv6' ? `[${address.address}]:${port}` : `${address.address}:${port}` };
}
