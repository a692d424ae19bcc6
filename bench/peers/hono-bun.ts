/** Hono's WebSocket helper on Bun. */
import { Hono } from 'hono';
import { upgradeWebSocket, websocket } from 'hono/bun';
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
ready(Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: app.fetch, websocket }).port);
