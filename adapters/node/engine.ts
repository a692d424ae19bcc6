/**
 * The portable engine: core/protocol over the sockets of `node:http`, which Node, Bun and Deno all have.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Engine, Listener, ListenOptions, Peer, Upgrade } from '../../core/engine.ts';
import { acceptInput } from '../../core/handshake.ts';
import { openWebSocket } from '../../core/protocol/socket.ts';
import { toRequest, writeResponse } from './http.ts';
import { SocketStream } from './stream.ts';

/** Echoline's own WebSocket: the same wherever `node:http` is. */
export const engine: Engine = {
  name: 'portable',
  capabilities: {
    ping: true,
    pause: true,
    terminate: true,
    awaitsPeerClose: true,
    messageLimit: true,
    compression: false,
    http2: false,
    requestTimeout: true,
  },
  listen,
};

async function listen(options: ListenOptions): Promise<Listener> {
  const server = createServer();
  server.on(
    'request',
    getRequestListener(
      async (request, { incoming }) => {
        const answer = await options.answer(request, peerOf(incoming as IncomingMessage));
        if (answer instanceof Response) return answer;
        // A request that node:http did not take for an upgrade has no socket to give.
        answer.abandon();
        return new Response(null, { status: 400 });
      },
      { overrideGlobalObjects: false, hostname: options.hostname },
    ),
  );
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    void upgrade(options, incoming, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.hostname, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    hostname: address,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function upgrade(
  options: ListenOptions,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  // The peer may break the connection at any time; 'close' follows and says all there is to say.
  socket.on('error', () => {});
  const answer = await options.answer(toRequest(incoming), peerOf(incoming));
  if (answer instanceof Response) {
    await writeResponse(socket, answer);
  } else if (socket.destroyed) {
    answer.abandon();
  } else {
    accept(options, answer, incoming.headers['sec-websocket-key'] ?? '', socket, head);
  }
}

function accept(options: ListenOptions, upgrade: Upgrade, key: string, socket: Duplex, head: Uint8Array): void {
  const proof = createHash('sha1').update(acceptInput(key)).digest('base64');
  let response = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proof}\r\n`;
  for (const [name, value] of upgrade.headers) response += `${name}: ${value}\r\n`;
  socket.write(`${response}\r\n`, 'latin1');
  const stream = new SocketStream(socket);
  const receiver = openWebSocket(stream, { maxMessageSize: options.maxMessageSize, isUtf8 }, upgrade.open);
  stream.feed(receiver, head);
}

function peerOf({ socket }: IncomingMessage): Peer {
  const { remoteAddress = '', remotePort } = socket;
  return {
    address: remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`,
  };
}
