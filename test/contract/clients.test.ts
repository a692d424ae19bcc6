/** Other people's clients, each a process of its own: what one asks of the server, all others must be able to. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentTarget, type ServerProcess, startServer, target } from '../support/server.ts';
import { root } from '../support/target.ts';
import { readingCertificates, tlsFlags } from '../support/tls.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

/** What a client is told; see fixtures/clients/web.mjs. */
interface Task {
  readonly url: string;
  readonly protocols?: readonly string[];
  readonly send: readonly (string | number)[];
  readonly close?: readonly [code: number, reason: string];
}

/** What a client saw. */
interface Seen {
  readonly messages: readonly string[];
  readonly protocol: string;
  readonly extensions: string;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** How many error events there were; none from Python. */
  readonly errors?: number;
  /** Of the answer to the handshake; from Node 26 alone. */
  readonly status?: number;
}

interface Foreign {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether it is the client of the package ws. */
  readonly ws?: true;
  /** Whether it offers compression, and whether it then tells the whole answer or the extension's name alone. */
  readonly offers: 'none' | 'tells the name' | 'tells all';
  /** Why it can't be run here. */
  readonly missing?: string | undefined;
  /** Whether that is a failure in CI, which installs it. */
  readonly required?: true;
}

type Found = Pick<Foreign, 'name' | 'command' | 'missing'>;

const scripts = `${root}/test/contract/fixtures/clients`;
const web = `${scripts}/web.mjs`;

/** Node 26 where there is one for this machine, else the Node at hand, if its WebSocket is a global. */
function node(): Found {
  const [node26 = ''] = target('node26').command;
  if (existsSync(node26)) return { name: 'Node 26', command: [node26, web] };
  const missing = 'WebSocket' in globalThis ? undefined : 'it has no global WebSocket';
  return { name: `Node ${process.versions.node}`, command: [process.execPath, web], missing };
}

/** Debian's, for which Debian has a package. */
function python(): Found {
  const program = '/usr/bin/python3';
  const { status } = spawnSync(program, ['-c', 'import websockets'], { stdio: 'ignore' });
  const missing = status === 0 ? undefined : 'it can not be imported; install python3-websockets';
  return { name: 'Python’s websockets', command: [program, `${scripts}/client.py`], missing };
}

const clients: readonly Foreign[] = [
  { ...node(), offers: 'tells all' },
  { name: 'Bun', command: [...target('bun-native').command, web], offers: 'tells the name' },
  {
    name: 'Deno',
    command: [...target('deno-native').command.slice(0, 1), 'run', '--no-prompt', '--allow-net', web],
    offers: 'none',
  },
  { name: 'the package ws', command: [process.execPath, web], ws: true, offers: 'tells the name' },
  { ...python(), offers: 'tells all', required: true },
];
// In CI the tests of one that ought to be there run all the same, and fail.
const skips = ({ missing, required }: Foreign) => missing !== undefined && !(required && process.env.CI);
for (const { name, missing } of clients.filter(skips)) console.warn(`The client ${name} is skipped: ${missing}.`);

/** Runs a client to its end. Nothing of this machine is to configure it. */
async function run(client: Foreign, task: Task, env: Readonly<Record<string, string>> = {}): Promise<Seen> {
  if (client.missing !== undefined) throw new Error(`${client.name}: ${client.missing}.`);
  const [program = '', ...args] = client.command;
  const { stdout } = await promisify(execFile)(
    program,
    [...args, JSON.stringify({ ...task, ...(client.ws ? { ws: true } : {}) })],
    { cwd: root, timeout: 20_000, env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...env } },
  );
  return JSON.parse(stdout);
}

/** What a client makes of so many octets that came back. */
function binary(size: number): string {
  const octets = Uint8Array.from({ length: size }, (_, i) => (i * i) >> 5);
  return `binary ${size} ${createHash('sha256').update(octets).digest('hex')}`;
}

const text = 'Grüße, 世界 🌍!';
const send = [text, '', 0, 3, 70_000, text.repeat(500)];
const messages = [`text ${text}`, 'text ', binary(0), binary(3), binary(70_000), `text ${text.repeat(500)}`];
const limit = ['--max-message-size', '128KiB', '--subprotocol', 'chat'];

/** What the client says was agreed on with a server that compresses. */
function agreed({ offers }: Foreign): string {
  if (offers === 'none') return '';
  const named = offers === 'tells all' && !deviates('client-window-unanswered');
  return named ? 'permessage-deflate; client_max_window_bits=15' : 'permessage-deflate';
}

const servers: [string, string[], (client: Foreign) => string][] = [['a server', [], () => '']];
if (!deviates('no-compression')) servers.push(['a server with --compression', ['--compression'], agreed]);

describe.each(servers)('%s', (_, flags, extensions) => {
  const server = useServer([...limit, ...flags], { concurrent: true });

  describe.each(clients.map((client) => [client.name, client] as const))('%s', (name, client) => {
    const options = { concurrent: true, skip: skips(client) };

    it('echoes text and binary, and closes with a code and a reason', options, async () => {
      const reason = `${name}: 世界`;
      const task: Task = { url: server().wsUrl, protocols: ['other', 'chat'], send, close: [4000, reason] };
      const { errors = 0, status, ...seen } = await run(client, task);
      expect(seen).toEqual({
        messages,
        protocol: 'chat',
        extensions: extensions(client),
        code: 4000,
        reason,
        wasClean: true,
      });
      expect(errors).toBe(0);
      const ended = await server().report({ event: 'ended', cause: 'client-close', reason });
      expect(ended).toMatchObject({ code: 4000, messagesIn: send.length, messagesOut: send.length });
    });

    it('is told of a message that is too big', options, async () => {
      const { errors = 0, status, ...seen } = await run(client, { url: server().wsUrl, send: [200_000] });
      expect(seen).toEqual({
        messages: [],
        protocol: '',
        extensions: extensions(client),
        code: 1009,
        reason: deviates('other-fault-reasons') ? 'Received too big message' : 'message too big',
        wasClean: true,
      });
      expect(errors).toBe(0);
    });
  });
});

// Over the bridge to a server without TLS, there is nothing to agree on.
const http2 = !deviates('no-http2') && !currentTarget.http2 && clients[0]?.name === 'Node 26';
describe.runIf(http2)('a server with --http2', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const flags = [...limit, '--compression', '--http2', ...tlsFlags()];
    server = await startServer(readingCertificates(currentTarget), flags);
  });
  afterAll(() => server.stop('SIGKILL'));

  it('is taken at its word by Node 26, which opens its WebSocket over HTTP/2', async () => {
    const task: Task = { url: server.wsUrl, protocols: ['other', 'chat'], send, close: [4000, 'über h2'] };
    const seen = await run(clients[0] as Foreign, task, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(seen).toEqual({
      status: 200,
      messages,
      protocol: 'chat',
      extensions: 'permessage-deflate; client_max_window_bits=15',
      code: 4000,
      reason: 'über h2',
      wasClean: true,
      errors: 0,
    });
  });
});
