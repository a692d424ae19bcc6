/** Compression (RFC 7692) between real programs; test/conformance has what the RFC says, parameter by parameter. */
import { describe, expect, it } from 'vitest';
import { type Agreement, Codec, readAgreement } from '../conformance/codec.ts';
import { openClient } from '../support/client.ts';
import { closePayload, exchange, frame, opcode, openRaw, type RawSocket, upgradeRequest } from '../support/raw.ts';
import { currentTarget, runServer } from '../support/server.ts';
import { within } from '../support/wait.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

const compresses = !deviates('no-compression');
const offering = { perMessageDeflate: { threshold: 0 } };
const resets = 'server_no_context_takeover; client_no_context_takeover';
/** Text with characters of one to four octets. */
const long = 'Grüße, 世界 🌍! '.repeat(20_000);

/** What the server answers to an offer. */
async function answerTo(port: number, offer: string): Promise<string | undefined> {
  const request = upgradeRequest(`127.0.0.1:${port}`, { 'Sec-WebSocket-Extensions': offer });
  const response = await exchange(port, request, { head: true });
  expect(response.status).toBe(101);
  return response.header('sec-websocket-extensions');
}

/** The payload of the echo, which must be a compressed text. */
async function compressedEcho(socket: RawSocket, text: string): Promise<Buffer> {
  socket.send(frame(opcode.text, text));
  const echo = await socket.frame();
  expect(echo).toMatchObject({ fin: true, rsv: 4, opcode: opcode.text, masked: false });
  return echo.payload;
}

describe('without --compression', () => {
  const server = useServer();

  it('a client that offers it is served without', async () => {
    const client = await openClient(server().wsUrl, offering);
    expect(client.ws.extensions).toBe('');
    expect((await client.echo('plain')).data.toString()).toBe('plain');
  });
});

describe.runIf(compresses).each([
  ['--compression alone', [], ''],
  ['a small window', ['--compression-window-bits', '9'], 'server_max_window_bits=9'],
  ['no context takeover', ['--compression-no-context-takeover'], resets],
])('with %s', (_, flags, named) => {
  const server = useServer(['--compression', ...flags]);

  it('echoes text and binary, small and large, and closes with the client’s code', async () => {
    const client = await openClient(server().wsUrl, offering);
    expect(client.ws.extensions).toBe('permessage-deflate');
    for (const message of ['', 'a', 'again', 'again', long, long]) {
      const { data, text } = await client.echo(message);
      expect([text, data.toString() === message]).toEqual([true, true]);
    }
    for (const size of [0, 1, 1000, 1024 * 1024]) {
      const message = Buffer.from(Array.from({ length: size }, (_, i) => (i * i) >> 5));
      const { data, text } = await client.echo(message);
      expect([text, data.equals(message)]).toEqual([false, true]);
    }
    expect(await client.close(4321, 'bye')).toEqual({ code: 4321, reason: 'bye' });
  });

  it('names what was asked for', async () => {
    const offered = await answerTo(server().port, 'permessage-deflate');
    expect(offered?.split('; ').sort()).toEqual(`permessage-deflate; ${named}`.split('; ').filter(Boolean).sort());
  });

  it('a client that does not offer it is served without', async () => {
    const client = await openClient(server().wsUrl);
    expect(client.ws.extensions).toBe('');
    expect((await client.echo('plain')).data.toString()).toBe('plain');
  });
});

describe.runIf(compresses)('an offer', () => {
  const server = useServer(['--compression']);

  it.each([
    ['client_max_window_bits', 'client_max_window_bits=15'],
    ['client_max_window_bits=15', 'client_max_window_bits=15'],
    ['client_max_window_bits=10; client_no_context_takeover', 'client_max_window_bits=10'],
  ])('of %s is answered with its window', async (offer, answer) => {
    const answered = await answerTo(server().port, `permessage-deflate; ${offer}`);
    expect(answered).toContain('permessage-deflate');
    if (deviates('client-window-unanswered')) expect(answered).not.toContain('client_max_window_bits');
    else expect(answered).toContain(answer);
  });

  it('of a client’s window under 15 is answered with that', async () => {
    const answered = await answerTo(server().port, 'permessage-deflate; client_max_window_bits=10');
    expect(answered).toContain('client_max_window_bits=10');
  });

  it('of a small window of the server’s, each message by itself, is accepted', async () => {
    const offer = 'permessage-deflate; server_no_context_takeover; server_max_window_bits=10';
    const answered = await answerTo(server().port, offer);
    if (deviates('small-window-without-takeover')) expect(answered).toBeUndefined();
    else expect(answered).toContain('server_max_window_bits=10');
  });
});

describe.runIf(compresses)('what is sent', () => {
  const server = useServer(['--compression']);
  const message = JSON.stringify({
    title: 'Compression',
    words: 'the quick brown fox jumps over a lazy dog'.split(' '),
  });

  it('is smaller than the message, and smaller still when it was sent before', async () => {
    const socket = await openRaw(server().port, { headers: ['Sec-WebSocket-Extensions: permessage-deflate'] });
    const first = await compressedEcho(socket, message);
    const second = await compressedEcho(socket, message);
    expect(first.length).toBeLessThan(message.length);
    if (deviates('never-refers-back')) expect(second).toEqual(first);
    else expect(second.length).toBeLessThan(first.length / 2);
  });
});

describe.runIf(compresses)('a handler that sends some messages as they are', () => {
  const server = useServer(['--compression'], { entry: 'test/contract/fixtures/handlers.ts' });
  const protocol = 'chooses-what-to-compress';

  it.each([
    ['permessage-deflate', 'text', opcode.text],
    ['permessage-deflate', 'binary', opcode.binary],
    [`permessage-deflate; ${resets}`, 'text', opcode.text],
    [`permessage-deflate; ${resets}`, 'binary', opcode.binary],
  ])('has only the others compressed: %s, %s', async (offer, _, code) => {
    const socket = await openRaw(server().port, { protocol, headers: [`Sec-WebSocket-Extensions: ${offer}`] });
    const codec = new Codec(readAgreement(offer) as Agreement);
    const sent = [
      { rsv: 0, opcode: code },
      { rsv: 4, opcode: code },
      { rsv: 0, opcode: opcode.text },
      { rsv: 4, opcode: code },
    ];
    // The last refers to what was compressed before, and to nothing that was not.
    for (const times of [30, 5000, 30]) {
      const message = Buffer.from('Grüße, 世界 🌍! '.repeat(times));
      socket.send(frame(code, message));
      for (const expected of sent) {
        const { payload, ...head } = await socket.frame();
        expect(head).toEqual({ fin: true, masked: false, ...expected });
        expect((expected.rsv === 4 ? await codec.inflate(payload) : payload).equals(message)).toBe(true);
      }
    }
    codec.end();
  });
});

describe.runIf(compresses)('compressed and plain clients side by side', () => {
  const server = useServer(['--compression']);

  it('each get their own echoes, compressed for those alone that agreed to it', async () => {
    const offers = [undefined, 'permessage-deflate', undefined, `permessage-deflate; ${resets}`];
    const clients = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const offer = offers[n % offers.length];
        const headers = offer === undefined ? [] : [`Sec-WebSocket-Extensions: ${offer}`];
        const socket = await openRaw(server().port, { headers });
        const agreed = offer === undefined ? undefined : readAgreement(offer);
        return { n, socket, codec: agreed && new Codec(agreed) };
      }),
    );
    const rounds = 40;
    /** Every tenth is larger than 64 KiB. */
    const made = (n: number, round: number): [code: number, payload: Buffer] => {
      const code = round % 2 === 0 ? opcode.text : opcode.binary;
      return [code, Buffer.from(`${round} to client ${n}: Grüße, 世界 🌍! `.repeat(round % 10 === 9 ? 2500 : 30))];
    };
    // All at a time: the next is sent before the last three have come back.
    for (let round = 0; round < rounds + 3; round++) {
      for (const { n, socket, codec } of clients) {
        if (round < rounds) {
          const [code, payload] = made(n, round);
          const data = (await codec?.compress(payload, { final: false, reset: false, level: 6 })) ?? payload;
          socket.send(frame(code, data, { rsv: codec ? 4 : 0 }));
        }
        if (round >= 3) {
          const [code, payload] = made(n, round - 3);
          const { payload: data, ...head } = await socket.frame();
          expect(head).toEqual({ fin: true, rsv: codec ? 4 : 0, opcode: code, masked: false });
          expect(((await codec?.inflate(data)) ?? data).equals(payload)).toBe(true);
        }
      }
    }
    for (const { socket, codec } of clients) {
      socket.send(frame(opcode.close, closePayload(4000, 'done')));
      expect(await socket.closeFrame()).toEqual({ code: 4000, reason: 'done' });
      codec?.end();
    }
  });
});

/** Runs a server that refuses its options. */
async function refused(flags: readonly string[], says: RegExp): Promise<void> {
  await using server = runServer(currentTarget, ['--port', '0', '--engine', 'native', '--compression', ...flags]);
  expect(await within(15_000, 'the end', server.exited)).toEqual({ code: 2, signal: null });
  expect(server.errors).toEqual([expect.stringMatching(says)]);
}

it.runIf(deviates('no-compression'))('an engine that has none refuses --compression', () =>
  refused([], /permessage-deflate.*--engine portable/),
);

it.runIf(deviates('small-window-without-takeover'))('the options for that are refused together', () =>
  refused(
    ['--compression-window-bits=10', '--compression-no-context-takeover'],
    /window.*--compression-no-context-takeover.*--engine portable/,
  ),
);
