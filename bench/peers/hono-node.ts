/** Hono's WebSocket helper on Node, as its README shows it. */
import { serve, upgradeWebSocket, type WebSocketServerLike } from '@hono/node-server';
import { Hono } from 'hono';
import { WebSocketServer } from 'ws';
import { ready } from './ready.ts';

const app = new Hono();
app.get(
  '/ws',
  upgradeWebSocket(() => ({
    onMessage(event, socket) {
      socket.send(event.data as string | ArrayBuffer);
    },
  })),
);
// The helper's type of it is stricter than its README.
const websocket = { server: new WebSocketServer({ noServer: true }) as unknown as WebSocketServerLike };
serve({ fetch: app.fetch, websocket, hostname: '127.0.0.1', port: 0 }, ({ port }) => ready(port));
