/** A handler of one's own: what its faults cost, and whom. */
import { describe, expect, it } from 'vitest';
import { openClient } from '../support/client.ts';
import { frame, opcode, openRaw } from '../support/raw.ts';
import { deviates } from './deviations.ts';
import { useServer } from './use-server.ts';

const server = useServer([], { entry: 'test/contract/fixtures/handlers.ts' });

describe('a handler that', () => {
  it.each([
    'throws at once',
    'throws on a message',
    'rejects at once',
    'rejects on a message',
    'throws while iterating',
    'throws what is no Error at once',
  ])('%s ends its own client with 1011, is reported once, and harms no other', async (way) => {
    const from = server().reports.length;
    const witness = await openClient(server().wsUrl, { protocols: ['echo'] });
    const socket = await openRaw(server().port, { protocol: way.replaceAll(' ', '-') });
    if (!way.endsWith('at once')) socket.send(frame(opcode.text, 'go'));
    const close = await socket.closeFrame();
    expect(close).toEqual({ code: 1011, reason: 'internal error' });
    const { connection } = await server().report({ event: 'handler-error' }, { from });
    const ended = await server().report({ event: 'ended', connection }, { from });
    expect(ended).toMatchObject({ cause: 'handler-error', code: 1011 });
    expect((await witness.echo('untouched')).data.toString()).toBe('untouched');
    const errors = server()
      .reports.slice(from)
      .filter((report) => report.event === 'handler-error');
    expect(errors.length).toBe(1);
    expect(JSON.stringify(errors[0])).toContain('on purpose');
  });

  it('closes on a message tells its client so, also when another message came along with that one', async () => {
    const socket = await openRaw(server().port, { protocol: 'closes-on-a-message' });
    socket.send(Buffer.concat([frame(opcode.text, 'go'), frame(opcode.text, 'and more')]));
    expect(await socket.closeFrame()).toEqual({ code: 4321, reason: 'had enough' });
  });

  it('returns closes its client with 1000', async () => {
    const client = await openClient(server().wsUrl, { protocols: ['returns'] });
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(await server().report({ event: 'ended', remote: client.address })).toMatchObject({
      cause: 'server-close',
      code: 1000,
    });
  });

  it('closes gives its client code and reason', async () => {
    const client = await openClient(server().wsUrl, { protocols: ['closes'] });
    expect(await client.closed).toEqual({ code: 4321, reason: 'had enough' });
  });

  it('terminates leaves its client without a Close frame', async () => {
    const client = await openClient(server().wsUrl, { protocols: ['terminates'] });
    expect((await client.closed).code).toBe(deviates('no-terminate') ? 1005 : 1006);
  });

  it('throws something that can not even be printed ends its own client alone', async () => {
    const witness = await openClient(server().wsUrl, { protocols: ['echo'] });
    const socket = await openRaw(server().port, { protocol: 'throws-what-can-not-be-said' });
    expect(await socket.closeFrame()).toEqual({ code: 1011, reason: 'internal error' });
    expect((await witness.echo('untouched')).data.toString()).toBe('untouched');
  });

  it('lets go of a promise that rejects has it reported, and nobody is harmed', async () => {
    const from = server().reports.length;
    const client = await openClient(server().wsUrl, { protocols: ['lets-go-of-a-promise'] });
    expect((await client.echo('first')).data.toString()).toBe('first');
    await server().report({ event: 'handler-error' }, { from });
    expect((await client.echo('second')).data.toString()).toBe('second');
  });

  it('closes with a reason that is too long has it cut between two characters, in the report as well', async () => {
    const client = await openClient(server().wsUrl, { protocols: ['closes-with-a-long-reason'] });
    const expected = { code: 4000, reason: '€'.repeat(41) };
    expect(await client.closed).toEqual(expected);
    expect(await server().report({ event: 'ended', remote: client.address })).toMatchObject(expected);
  });

  it('returns something with a then, which is no Promise, keeps its connection until that is done', async () => {
    const client = await openClient(server().wsUrl, { protocols: ['returns-a-thenable'] });
    expect((await client.echo('still here')).data.toString()).toBe('still here');
  });

  it('takes its time over each message gets all of them in order', async () => {
    const client = await openClient(server().wsUrl, { protocols: ['slow-echo'] });
    for (let i = 0; i < 20; i++) client.send(`message ${i}`);
    for (let i = 0; i < 20; i++) expect((await client.message()).data.toString()).toBe(`message ${i}`);
  });
});
