/** TLS: how long a client may take to agree on it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { RawSocket } from '../support/raw.ts';
import { currentTarget, type ServerProcess, startServer } from '../support/server.ts';
import { readingCertificates, tlsFlags } from '../support/tls.ts';
import { pass, within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { dropsClients } from './use-server.ts';

/** How a ClientHello of 512 bytes begins. */
const HELLO = Buffer.from('1603010200010001fc0303', 'hex');

// An engine without a timeout for requests has none for this either, and that it never ends can't be waited for.
describe.runIf(!deviates('no-request-timeout')).concurrent('dropped within 15 seconds is a client that', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer(readingCertificates(currentTarget), tlsFlags());
  });
  afterAll(() => server.stop('SIGKILL'));
  dropsClients(true);

  const dropped = (client: RawSocket) => within(15_000, 'the end', client.ended);

  it('never begins with TLS', async () => {
    await dropped(await RawSocket.connect(server.port));
  });

  it('stops in its first message', async () => {
    const client = await RawSocket.connect(server.port);
    client.send(HELLO);
    await dropped(client);
  });

  it('sends its first message little by little', async () => {
    const client = await RawSocket.connect(server.port);
    client.send(HELLO);
    const trickle = setInterval(() => client.send('\0'), 1000);
    await dropped(client).finally(() => clearInterval(trickle));
  });

  it('but not one with which TLS is agreed on', async () => {
    const client = await openClient(server.wsUrl, { rejectUnauthorized: false });
    await pass(13_000);
    expect((await client.echo('still here')).data.toString()).toBe('still here');
  });
});
