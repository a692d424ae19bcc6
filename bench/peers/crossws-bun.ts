/** crossws on Bun, with its defaults. */
import crossws from 'crossws/adapters/bun';
import { ready } from './ready.ts';

const { handleUpgrade, websocket } = crossws({
  hooks: { message: (peer, message) => void peer.send(message.rawData) },
});
ready(Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: handleUpgrade, websocket }).port);
