/**
 * WebSockets in a Hono app of one's own: a middleware that lets in who has a token, a page, and a room for all who are
 * connected to this process.
 *
 * Run it with `npx tsx examples/own-app.ts`, `bun examples/own-app.ts` or `deno run -A examples/own-app.ts`, and open
 * <http://127.0.0.1:8080/>. It takes all options of the echo server.
 */
import { Hono } from 'hono';
import { start } from '../adapters/start.ts';
import { type AppEnv, type Connection, webSocket } from '../core/index.ts';

const page = (path: string) => `<!doctype html>
<title>A room</title>
<input id="say" placeholder="Say something">
<ul id="said"></ul>
<script>
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '${path}?token=guest');
  socket.onmessage = ({ data }) => said.appendChild(document.createElement('li')).append(data);
  say.onchange = () => { socket.send(say.value); say.value = ''; };
</script>
`;

const present = new Set<Connection>();

/** Tells everybody what one says. */
async function room(connection: Connection): Promise<void> {
  present.add(connection);
  try {
    for await (const message of connection) {
      if (typeof message !== 'string') continue;
      for (const each of present) each.send(`${connection.id}: ${message}`);
    }
  } finally {
    present.delete(connection);
  }
}

await start({
  app(server, { path }) {
    const app = new Hono<AppEnv>();
    app.use(path, async (c, next) => {
      if (c.req.query('token') !== 'guest') return c.text('Who are you?\n', 401);
      c.header('x-room', 'lobby');
      return next();
    });
    app.get('/', (c) => c.html(page(path)));
    app.all(path, webSocket(server, room));
    return app;
  },
});
