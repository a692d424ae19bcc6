/** Hono's WebSocket helper on Deno. */
import { Hono } from 'hono';
import { upgradeWebSocket } from 'hono/deno';
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
Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: ({ port }) => ready(port) }, app.fetch);
