/**
 * The portable engine: core/protocol over the sockets of `node:http` and the streams of `node:http2`, which Node, Bun and
 * Deno all have.
 *
 * @module
 */
import type { AddressInfo } from 'node:net';
import type { Engine, Listener, ListenOptions } from '../../core/engine.ts';
import { plainFront, sharedFront } from './front.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import { sharing } from './sharing.ts';

/** Echoline's own WebSocket: the same wherever `node:http` is. */
export const engine: Engine = {
  name: 'portable',
  capabilities: {
    ping: true,
    pause: true,
    terminate: true,
    awaitsPeerClose: true,
    messageLimit: true,
    compression: true,
    http2: true,
    requestTimeout: true,
    reloadCertificates: true,
    sharesPort: sharing !== 'none',
  },
  listen,
};

async function listen(options: ListenOptions): Promise<Listener> {
  const { certificate, http2 } = options;
  const http1 = createHttp1(options);
  const reusePort = options.sharesPort === true && sharing === 'system';
  const front =
    // Bun's node:http does not share, but its node:net does.
    certificate === undefined && !http2 && !reusePort
      ? plainFront(http1)
      : sharedFront(http1, http2 ? createHttp2(options) : undefined, certificate);
  const { server } = front;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const address = { port: options.port, host: options.hostname, ...(reusePort ? { reusePort } : {}) };
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    hostname: address,
    port,
    reload: async (next) => front.reload(next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        front.drop();
      }),
  };
}
