/** What a peer does wrong at the level of frames (RFC 6455 sections 5 to 8), and what it may do. */
import { describe, expect, it } from 'vitest';
import { closePayload, frame, opcode, openRaw, type RawSocket } from '../support/raw.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

const server = useServer();

/** The server fails the connection with this code, reports it, and goes on. */
async function expectFailure(socket: RawSocket, code: number): Promise<void> {
  if (deviates('no-close-frame-on-error')) expect((await socket.rest()).includes(0x88)).toBe(false);
  else expect((await socket.closeFrame()).code).toBe(code);
  await expectGoneWith(socket, code);
}

async function expectGoneWith(socket: RawSocket, code: number): Promise<void> {
  await socket.ended;
  const ended = await server().report({ event: 'ended', remote: socket.address });
  expect([ended.cause, ended.code]).toEqual(['protocol-error', code]);
  const next = await openRaw(server().port);
  next.send(frame(opcode.text, 'the next client'));
  expect((await next.message()).data.toString()).toBe('the next client');
}

const { text, binary, continuation, ping, pong, close } = opcode;
const bytes = (...values: number[]): Buffer => Buffer.from(values);

describe('is closed with 1002:', () => {
  it.each<[string, Buffer[]]>([
    ['the first reserved bit', [frame(text, 'x', { rsv: 4 })]],
    ['the second reserved bit', [frame(text, 'x', { rsv: 2 })]],
    ['the third reserved bit', [frame(text, 'x', { rsv: 1 })]],
    ['a reserved bit in a PING', [frame(ping, 'x', { rsv: 4 })]],
    ['the reserved data opcode 3', [frame(3, 'x')]],
    ['the reserved data opcode 7', [frame(7, 'x')]],
    ['the reserved control opcode 11', [frame(11, 'x')]],
    ['the reserved control opcode 15', [frame(15, 'x')]],
    ['a continuation of nothing', [frame(continuation, 'x')]],
    ['a continuation after a whole message', [frame(text, 'x'), frame(continuation, 'y')]],
    ['a new message inside a fragmented one', [frame(text, 'x', { fin: false }), frame(text, 'y')]],
    ['a fragmented PING', [frame(ping, 'x', { fin: false })]],
    ['a fragmented Close', [frame(close, closePayload(1000), { fin: false })]],
    ['a PING of 126 bytes', [frame(ping, Buffer.alloc(126))]],
    ['a Close of 1 byte', [frame(close, bytes(3))]],
  ])('%s', async (_, frames) => {
    const socket = await openRaw(server().port);
    socket.send(Buffer.concat(frames));
    await expectFailure(socket, 1002);
  });

  it('a reserved bit, with the reason', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(text, 'x', { rsv: 4 }));
    if (deviates('no-close-frame-on-error')) return expectFailure(socket, 1002);
    const other = deviates('other-fault-reasons');
    expect((await socket.closeFrame()).reason).toBe(other ? 'Received unexpected RSV1 bit' : 'reserved bit set');
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])('close code %d', async (code) => {
    const socket = await openRaw(server().port);
    socket.send(frame(close, closePayload(code)));
    expect((await socket.closeFrame()).code).toBe(1002);
    await expectGoneWith(socket, 1002);
  });

  it('a PONG of 126 bytes', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(pong, Buffer.alloc(126)));
    if (!deviates('long-control-frames-accepted')) return expectFailure(socket, 1002);
    socket.send(frame(text, 'still open'));
    expect((await socket.message()).data.toString()).toBe('still open');
  });

  it('a Close of 126 bytes', async () => {
    const socket = await openRaw(server().port);
    const reason = 'x'.repeat(124);
    socket.send(frame(close, closePayload(1000, reason)));
    if (!deviates('long-control-frames-accepted')) return expectFailure(socket, 1002);
    expect(await socket.closeFrame()).toEqual({ code: 1000, reason });
  });

  it('an unmasked frame', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(text, 'naked', { mask: null }));
    if (deviates('unmasked-accepted')) expect((await socket.message()).data.toString()).toBe('naked');
    else await expectFailure(socket, 1002);
  });

  it('a length with its highest bit set', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(binary, '', { length: 2n ** 63n, lengthBytes: 8 }));
    if (!deviates('impossible-length-is-too-big')) return expectFailure(socket, 1002);
    const ended = await server().report({ event: 'ended', remote: socket.address });
    expect([ended.cause, ended.code]).toEqual(['message-too-big', 1009]);
  });
});

describe('is closed with 1007:', () => {
  it.each<[string, Buffer]>([
    ['a lone continuation octet', bytes(0x80)],
    ['an octet that UTF-8 never has', bytes(0xff)],
    ['an overlong slash', bytes(0xc0, 0xaf)],
    ['an overlong NUL in three octets', bytes(0xe0, 0x80, 0x80)],
    ['a surrogate', bytes(0xed, 0xa0, 0x80)],
    ['a pair of surrogates', bytes(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80)],
    ['a code point above U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)],
    ['a character cut off', bytes(0x61, 0xf0, 0x9f, 0x98)],
    ['a bad octet behind 100 KiB of good text', Buffer.concat([Buffer.alloc(100 * 1024, 'a'), bytes(0xfe)])],
  ])('text with %s', async (_, payload) => {
    const socket = await openRaw(server().port);
    socket.send(frame(text, payload));
    await expectFailure(socket, 1007);
  });

  it('a Close whose reason is not UTF-8', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(close, closePayload(1000, bytes(0xff, 0xfe))));
    await expectFailure(socket, 1007);
  });

  it('a bad octet in the first of several fragments, before the last one comes', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(text, bytes(0x61, 0xff), { fin: false }));
    if (deviates('utf8-checked-late')) {
      socket.send(frame(ping));
      expect((await socket.frame()).opcode).toBe(pong);
      socket.send(frame(continuation, 'z'));
    }
    await expectFailure(socket, 1007);
  });

  it('a character that the end of the last fragment cuts off', async () => {
    const socket = await openRaw(server().port);
    socket.send(Buffer.concat([frame(text, bytes(0x61, 0xe2), { fin: false }), frame(continuation, bytes(0x82))]));
    if (deviates('cut-off-character-dropped')) expect((await socket.message()).data.toString()).toBe('a');
    else await expectFailure(socket, 1007);
  });
});

describe('is fine:', () => {
  it('a PING, answered with its payload', async () => {
    const socket = await openRaw(server().port);
    for (const payload of ['', 'x', 'y'.repeat(125)]) {
      socket.send(frame(ping, payload));
      const answer = await socket.frame();
      expect([answer.opcode, answer.masked, answer.payload.toString()]).toEqual([pong, false, payload]);
    }
  });

  it('a PONG that nobody asked for', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(pong, 'unasked'));
    socket.send(frame(text, 'still open'));
    expect((await socket.message()).data.toString()).toBe('still open');
  });

  it('binary that is not UTF-8', async () => {
    const socket = await openRaw(server().port);
    socket.send(frame(binary, bytes(0xff, 0xfe, 0x80)));
    expect((await socket.message()).data).toEqual(bytes(0xff, 0xfe, 0x80));
  });

  it('any masking key, none of them the same', async () => {
    const socket = await openRaw(server().port);
    for (const mask of [[0, 0, 0, 0] as const, [255, 255, 255, 255] as const, [1, 2, 3, 4] as const]) {
      socket.send(frame(text, 'masked otherwise', { mask }));
      expect((await socket.message()).data.toString()).toBe('masked otherwise');
    }
  });

  // RFC 6455 section 5.2 tells senders to write the shortest; no engine minds, and nothing depends on it.
  it.each([
    [125, 2],
    [125, 8],
    [65535, 8],
  ] as const)('a length of %d written in %d bytes', async (size, lengthBytes) => {
    const socket = await openRaw(server().port);
    socket.send(frame(binary, Buffer.alloc(size, 9), { lengthBytes }));
    expect((await socket.message()).data).toEqual(Buffer.alloc(size, 9));
  });

  it('frames cut at every place between two packets', async () => {
    const socket = await openRaw(server().port);
    const whole = Buffer.concat([frame(text, 'é€😀'), frame(ping, 'p'), frame(binary, Buffer.alloc(130, 7))]);
    for (let cut = 1; cut < whole.length; cut += 3) {
      await socket.flush(whole.subarray(0, cut));
      await socket.flush(whole.subarray(cut));
      expect((await socket.message()).data.toString()).toBe('é€😀');
      expect((await socket.frame()).opcode).toBe(pong);
      expect((await socket.message()).data).toEqual(Buffer.alloc(130, 7));
    }
  });
});
