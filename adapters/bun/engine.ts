/**
 * Bun's native engine: `Bun.serve` and its ServerWebSocket.
 *
 * @module
 */
import process from 'node:process';
import type { Answer, Certificate, Engine, Listener, ListenOptions, Peer } from '../../core/engine.ts';
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
    // Its window can be bounded where it is a connection's own, not where all share one.
    compression: 'wide',
    http2: false,
    requestTimeout: true,
    reloadCertificates: true,
    // With SO_REUSEPORT; only Linux spreads connections evenly over those who listen so.
    sharesPort: process.platform === 'linux',
  },
  listen,
};

async function listen(options: ListenOptions): Promise<Listener> {
  let { certificate } = options;
  let server = serve(options, options.port, certificate);
  const port = server.port ?? options.port;
  const before: Bun.Server<BunTransport>[] = [];
  return {
    hostname: server.hostname ?? options.hostname,
    port,
    async reload(next) {
      // Bun's own reload() keeps the certificate. One that stops listening keeps its connections.
      before.push(server);
      void server.stop();
      try {
        server = serve(options, port, next);
        certificate = next;
      } catch (error) {
        server = serve(options, port, certificate);
        throw error;
      }
    },
    async close() {
      await Promise.all([...before, server].map((each) => each.stop(true)));
    },
  };
}

function serve(options: ListenOptions, port: number, certificate?: Certificate): Bun.Server<BunTransport> {
  return Bun.serve<BunTransport>({
    hostname: options.hostname,
    port,
    reusePort: options.sharesPort === true,
    ...(certificate === undefined ? {} : { tls: { ...certificate } }),
    // Bun's error page shows the server's source to whoever asks.
    development: false,
    fetch(request, server) {
      const peer = peerOf(server.requestIP(request));
      const answer = options.direct?.(request, peer) ?? options.answer(request, peer);
      return answer instanceof Promise
        ? answer.then((settled) => respond(server, request, settled))
        : respond(server, request, answer);
    },
    websocket: {
      maxPayloadLength: options.maxMessageSize,
      // Core watches for silence and pings; Bun's own clock would do so by other rules.
      idleTimeout: 0,
      sendPings: false,
      // Past its limit Bun drops messages, without an error. Core stops reading from a client long before this one.
      backpressureLimit: 0x7fff_ffff,
      closeOnBackpressureLimit: false,
      perMessageDeflate: options.compression && { compress: 'dedicated', decompress: 'dedicated' },
      open: (socket) => socket.data.open(socket),
      message: (socket, data) => socket.data.message(data),
      drain: (socket) => socket.data.receiver.drained(),
      ping: (socket) => socket.data.receiver.pingCame(),
      pong: (socket) => socket.data.receiver.pongCame(),
      close: (socket, code, reason) => socket.data.closed(code, reason),
    },
  });
}

function respond(server: Bun.Server<BunTransport>, request: Request, answer: Answer): Response | undefined {
  if (answer instanceof Response) return answer;
  const headers: [string, string][] = [];
  let agreed: string | undefined;
  for (const header of answer.headers) {
    if (header[0] === 'sec-websocket-extensions') agreed = header[1];
    else headers.push(header);
  }
  // An empty header is how Bun is kept from agreeing to the first subprotocol that is offered.
  if (answer.protocol === '' && request.headers.has('sec-websocket-protocol')) {
    headers.push(['sec-websocket-protocol', '']);
  }
  // Bun negotiates by itself, from the request as it finds it, and writes the answer. What core has agreed to reads
  // as an offer too: with that in place of the client's offers, Bun comes to the same.
  if (agreed !== undefined) request.headers.set('sec-websocket-extensions', agreed);
  else if (request.headers.has('sec-websocket-extensions')) request.headers.delete('sec-websocket-extensions');
  const data = new BunTransport(answer);
  if (server.upgrade(request, headers.length === 0 ? { data } : { headers, data })) return undefined;
  answer.abandon();
  return new Response(null, { status: 400 });
}

function peerOf(address: Bun.SocketAddress | null): Peer {
  if (address === null) return { address: 'unknown' };
  const { family, port } = address;
  return { address: family === 'IPv6' ? `[${address.address}]:${port}` : `${address.address}:${port}` };
}
