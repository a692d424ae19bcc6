/** crossws on Node, with its defaults. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import crossws from 'crossws/adapters/node';
import { ready } from './ready.ts';

const { handleUpgrade } = crossws({ hooks: { message: (peer, message) => void peer.send(message.rawData) } });
const server = createServer();
server.on('upgrade', handleUpgrade);
server.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port));
