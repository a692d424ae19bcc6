/** Bun's own WebSocket server, with its defaults. */
import { ready } from './ready.ts';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, self) {
    if (self.upgrade(request)) return undefined;
    return new Response('not a WebSocket request', { status: 400 });
  },
  websocket: {
    message(socket, message) {
      socket.send(message);
    },
  },
});
ready(server.port);
