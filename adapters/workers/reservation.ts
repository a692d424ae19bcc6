/**
 * Keeps a port until the first worker is about to listen on it.
 *
 * @module
 */
import { type AddressInfo, createServer } from 'node:net';
import type { Config } from '../../core/config.ts';
import { type Unserved, whyNotListening } from '../serve.ts';

/** A port that is ours. */
export interface Reservation {
  readonly port: number;
  /** Lets go of it, so that workers can listen. */
  release(): Promise<void>;
}

/** Takes the port, or a free one for 0, for this process alone. */
export function reserve(config: Config): Promise<Reservation | Unserved> {
  // Who comes before there is a server finds that there is none.
  const server = createServer((socket) => socket.destroy());
  let released: Promise<void> | undefined;
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(whyNotListening(error, config)));
    server.listen({ port: config.port, host: config.host }, () => {
      const { port } = server.address() as AddressInfo;
      const release = () => {
        released ??= new Promise((done) => server.close(() => done()));
        return released;
      };
      resolve({ port, release });
    });
  });
}
