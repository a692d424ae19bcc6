/** The usual library of Node on Node's own HTTP server, with its defaults. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { ready } from './ready.ts';

const server = createServer();
new WebSocketServer({ server, path: '/ws' }).on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port));
