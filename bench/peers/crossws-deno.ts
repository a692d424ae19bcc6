/** crossws on Deno, with its defaults. */
import crossws from 'crossws/adapters/deno';
import { ready } from './ready.ts';

const { handleUpgrade } = crossws({ hooks: { message: (peer, message) => void peer.send(message.rawData) } });
Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: ({ port }) => ready(port) }, (request, info) =>
  handleUpgrade(request, info),
);
