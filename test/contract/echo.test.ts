/** The echo loop: what a client sends comes back, whole, in order and of the same type. */
import { describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { closePayload, frame, opcode, openRaw } from '../support/raw.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

const MiB = 1024 * 1024;

/** Bytes that no two places in a message share by accident. */
function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = 0x2545f491;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Text of exactly so many bytes with UTF-8 sequences of all four widths. */
function wideText(size: number): string {
  const unit = 'aé€😀'; // 1 + 2 + 3 + 4 bytes
  return unit.repeat(Math.floor(size / 10)) + 'z'.repeat(size % 10);
}

describe('an echo', () => {
  const server = useServer(['--max-buffered', '32MiB']);

  const sizes = [0, 1, 125, 126, 127, 65535, 65536, 16 * MiB];
  it.each(sizes)('of %d bytes, binary', async (size) => {
    const client = await openClient(server().wsUrl);
    const data = pattern(size);
    const { data: echoed, text } = await client.echo(data, 20_000);
    expect(text).toBe(false);
    expect(echoed.length).toBe(size);
    expect(echoed.equals(data)).toBe(true);
  });

  it.each(sizes)('of %d bytes, text', async (size) => {
    const client = await openClient(server().wsUrl);
    const sent = wideText(size);
    const { data, text } = await client.echo(sent, 20_000);
    expect(text).toBe(true);
    expect(data.length).toBe(size);
    expect(data.equals(Buffer.from(sent))).toBe(true);
  });

  it.each([
    ['U+0000', '\u0000'],
    ['U+007F', '\u007f'],
    ['U+0080', '\u0080'],
    ['U+07FF', '\u07ff'],
    ['U+0800', '\u0800'],
    ['U+D7FF', '\ud7ff'],
    ['U+E000', '\ue000'],
    ['U+FEFF, a byte order mark', '\ufeffx'],
    ['U+FFFD', '\ufffd'],
    ['U+FFFF', '\uffff'],
    ['U+10000', '\u{10000}'],
    ['U+10FFFF', '\u{10ffff}'],
  ])('of %s', async (_, text) => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.text, text));
    expect(await socket.message()).toEqual({ text: true, data: Buffer.from(text) });
  });

  it('keeps type and order of many messages at once', async () => {
    const client = await openClient(server().wsUrl);
    const sent = Array.from({ length: 2000 }, (_, i) =>
      i % 3 === 0 ? { text: true, data: Buffer.from(`message ${i} €`) } : { text: false, data: pattern(i % 700) },
    );
    for (const { text, data } of sent) client.send(data, { binary: !text });
    const echoed: typeof sent = [];
    for (let i = 0; i < sent.length; i++) echoed.push(await client.message());
    expect(echoed).toEqual(sent);
  });

  it('of fragments with PINGs between them, as one message, each PING answered', async () => {
    const socket = await openRaw(server().port);
    const text = 'fragments in four parts: é€😀';
    const bytes = Buffer.from(text);
    const cut = [0, 5, 20, bytes.length - 2, bytes.length]; // the last cut is inside the last character
    const parts = cut.slice(1).map((end, i) => bytes.subarray(cut[i], end));
    parts.forEach((part, i) => {
      socket.send(frame(i === 0 ? opcode.text : opcode.continuation, part, { fin: i === parts.length - 1 }));
      if (i < parts.length - 1) socket.send(frame(opcode.ping, `ping ${i}`));
    });
    for (let i = 0; i < parts.length - 1; i++) {
      const pong = await socket.frame();
      expect([pong.opcode, pong.payload.toString()]).toEqual([opcode.pong, `ping ${i}`]);
    }
    expect(await socket.message()).toEqual({ text: true, data: bytes });
  });

  it('of 4 MiB in 64-byte fragments', async () => {
    const socket = await openRaw(server().port);
    const data = pattern(4 * MiB);
    const frames: Buffer[] = [];
    for (let at = 0; at < data.length; at += 64) {
      const code = at === 0 ? opcode.binary : opcode.continuation;
      frames.push(frame(code, data.subarray(at, at + 64), { fin: at + 64 >= data.length }));
    }
    socket.send(Buffer.concat(frames));
    const message = await socket.message(20_000);
    expect(message.text).toBe(false);
    expect(message.data.equals(data)).toBe(true);
  });

  it('of empty fragments around a byte', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.binary, '', { fin: false }));
    socket.send(frame(opcode.continuation, 'x', { fin: false }));
    socket.send(frame(opcode.continuation, '', { fin: false }));
    socket.send(frame(opcode.continuation, ''));
    expect(await socket.message()).toEqual({ text: false, data: Buffer.from('x') });
  });

  it('of a message whose bytes come one at a time', async () => {
    const socket = await openRaw(server().port);
    for (const byte of frame(opcode.text, 'slow é€😀 typing', { lengthBytes: 0 })) await socket.flush(Buffer.of(byte));
    expect((await socket.message()).data.toString()).toBe('slow é€😀 typing');
  });

  it('reports what went each way', async () => {
    const client = await openClient(server().wsUrl);
    await client.echo('é€');
    await client.echo(pattern(1000));
    await client.close(1000);
    expect(await server().report({ event: 'ended', remote: client.address })).toMatchObject({
      cause: 'client-close',
      messagesIn: 2,
      messagesOut: 2,
      bytesIn: 1005,
      bytesOut: 1005,
    });
  });
});

describe('a close', () => {
  const server = useServer();

  it.each([
    [1000, 'done'],
    [1000, ''],
    [1001, 'going away'],
    [1003, 'unsupported'],
    [1011, 'trouble'],
    [3000, 'é€😀'],
    [4999, 'x'.repeat(123)],
  ])('with %d and "%s" is answered with the same, and reported', async (code, reason) => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.close, closePayload(code, reason)));
    const answer = await socket.frame();
    expect(answer.opcode).toBe(opcode.close);
    expect(answer.payload).toEqual(closePayload(code, reason));
    expect(await socket.ended).toBe('fin');
    expect(await server().report({ event: 'ended', remote: socket.address })).toMatchObject({
      cause: 'client-close',
      code,
      reason,
    });
  });

  it('with 1014 is answered with the same', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.close, closePayload(1014, 'bad gateway')));
    const code = deviates('close-1014-refused') ? 1002 : 1014;
    expect(await socket.closeFrame()).toEqual({ code, reason: 'bad gateway' });
  });

  it('without a code is answered without a code, and reported as 1005', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.close));
    expect((await socket.frame()).payload.length).toBe(0);
    expect(await server().report({ event: 'ended', remote: socket.address })).toMatchObject({
      cause: 'client-close',
      code: 1005,
      reason: '',
    });
  });

  it('behind a message lets the echo go first', async () => {
    const socket = await openRaw(server().port);
    socket.send(Buffer.concat([frame(opcode.text, 'last words'), frame(opcode.close, closePayload(1000))]));
    expect((await socket.message()).data.toString()).toBe('last words');
    expect((await socket.closeFrame()).code).toBe(1000);
  });

  it('ends the connection: what comes after it is not echoed', async () => {
    const socket = await openRaw(server().port);
    socket.send(Buffer.concat([frame(opcode.close, closePayload(1000)), frame(opcode.text, 'too late')]));
    expect((await socket.closeFrame()).code).toBe(1000);
    expect((await socket.rest()).length).toBe(0);
  });
});

describe('a message over --max-message-size', () => {
  const server = useServer(['--max-message-size', '1000']);

  it('by no byte is echoed', async () => {
    const client = await openClient(server().wsUrl);
    expect((await client.echo(pattern(1000))).data.length).toBe(1000);
  });

  it('by one byte is closed with 1009 and reported, and the server goes on', async () => {
    const witness = await openClient(server().wsUrl);
    const client = await openClient(server().wsUrl);
    client.send(pattern(1001));
    expect((await client.closed).code).toBe(1009);
    expect(await server().report({ event: 'ended', remote: client.address })).toMatchObject({
      cause: 'message-too-big',
      code: 1009,
    });
    expect((await witness.echo('still here')).data.toString()).toBe('still here');
    expect((await (await openClient(server().wsUrl)).echo('so am I')).data.toString()).toBe('so am I');
  });

  it('in fragments is closed with 1009', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.binary, pattern(600), { fin: false }));
    socket.send(frame(opcode.continuation, pattern(401)));
    expect((await socket.closeFrame()).code).toBe(1009);
  });

  it('counts bytes of text, not characters', async () => {
    const client = await openClient(server().wsUrl);
    client.send('€'.repeat(334)); // 1002 bytes
    expect((await client.closed).code).toBe(1009);
  });

  it('is refused before all of it is there', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.binary, pattern(1001), { fin: false }));
    if (deviates('limit-after-delivery')) {
      socket.send(frame(opcode.ping));
      expect((await socket.frame()).opcode).toBe(opcode.pong);
      socket.send(frame(opcode.continuation));
    }
    expect((await socket.closeFrame()).code).toBe(1009);
  });

  it('is refused by its header alone', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(opcode.binary, '', { length: 2n ** 40n, lengthBytes: 8 }));
    if (deviates('no-close-frame-on-huge-frame')) expect((await socket.rest()).length).toBe(0);
    else expect((await socket.closeFrame()).code).toBe(1009);
    const ended = await server().report({ event: 'ended', remote: socket.address });
    expect([ended.cause, ended.code]).toEqual(['message-too-big', 1009]);
  });
});
