/**
 * HTTP/1.1: the page's requests, and upgrades to WebSocket (RFC 6455 section 4).
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { DirectAnswerer, ListenOptions, Peer, Upgrade } from '../../core/engine.ts';
import { headOf, proofOf, toRequest, writeResponse } from './http.ts';
import { peerOf } from './peer.ts';
import { open, SocketStream } from './stream.ts';

/** A server that answers; it need not be the one that listens, if it is told of each `connection`. */
export function createHttp1(options: ListenOptions): Server {
  const server = createServer();
  server.on(
    'request',
    getRequestListener(
      async (request, env) => {
        const { socket } = env.incoming as IncomingMessage;
        const answer = await options.answer(request, peerOf(socket));
        if (answer instanceof Response) return answer;
        // A request that node:http did not take for an upgrade has no socket to give.
        answer.abandon();
        return new Response(null, { status: 400 });
      },
      { overrideGlobalObjects: false, hostname: options.hostname },
    ),
  );
  const listen = (incoming: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    void upgrade(options, incoming, socket, head);
  };
  server.on('upgrade', listen);
  // No WebSocket can come of it: but without a listener its client would be left without an answer.
  server.on('connect', listen);
  return server;
}

/** The peer may break the connection at any time; 'close' follows and says all there is to say. */
function ignore(): void {}

async function upgrade(
  options: ListenOptions,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  socket.on('error', ignore);
  const peer = peerOf(incoming.socket);
  // Waits in any case: in Deno, what has come already is read before the microtasks of this very turn, one of which is to
  // run the handler.
  const answer = await (directly(options, incoming, peer) ??
    options.answer(toRequest(incoming, options.certificate === undefined ? 'http' : 'https'), peer));
  if (answer instanceof Response) {
    await writeResponse(socket, answer);
  } else if (socket.destroyed) {
    answer.abandon();
  } else {
    accept(options, answer, incoming.headers['sec-websocket-key'] ?? '', socket, head);
  }
}

/** What is asked for by a whole URL is the app's to judge, by that of the standard request. */
function directly(options: ListenOptions, incoming: IncomingMessage, peer: Peer): ReturnType<DirectAnswerer> {
  return incoming.url?.startsWith('/') === true ? options.direct?.(headOf(incoming), peer) : undefined;
}

function accept(options: ListenOptions, upgrade: Upgrade, key: string, socket: Duplex, head: Uint8Array): void {
  let response = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proofOf(key)}\r\n`;
  for (const [name, value] of upgrade.headers) response += `${name}: ${value}\r\n`;
  socket.write(`${response}\r\n`, 'latin1');
  open(new SocketStream(socket), options, upgrade, head);
}
