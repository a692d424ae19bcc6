/** The page's modules that need no browser: what is sent and shown, what the server says, the heartbeat's clock. */
import { describe, expect, test } from 'vitest';
import { checkUrl, defaultFacts, defaultUrl, describeFacts, readFacts } from '../../../public/facts.js';
import { formatCountdown, Heartbeat } from '../../../public/heartbeat.js';
import {
  compose,
  excerpt,
  explainClose,
  formatBytes,
  formatExcess,
  formatSeconds,
  parseHex,
  show,
  toHex,
  toText,
} from '../../../public/message.js';

/** @param bytes - Numbers from 0 to 255. */
const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes);

describe('a message to send', () => {
  test('is text with its size in UTF-8, the empty one too', () => {
    expect(compose('é👋', 'text')).toEqual({ data: 'é👋', size: 6 });
    expect(compose('', 'text')).toEqual({ data: '', size: 0 });
  });

  test('is the UTF-8 of a text when sent as binary', () => {
    expect(compose('é', 'binary')).toEqual({ data: bytesOf(0xc3, 0xa9), size: 2 });
  });

  test('is bytes written as hex, in either case, with or without spaces', () => {
    expect(parseHex('00 fF7f\t80 ')).toEqual(bytesOf(0x00, 0xff, 0x7f, 0x80));
    expect(parseHex('')).toEqual(bytesOf());
    expect(compose('4869', 'hex')).toEqual({ data: bytesOf(0x48, 0x69), size: 2 });
  });

  test.each(['a', 'abc', '0 0', '0x00', 'zz', '00,11'])('is refused when %j is to be hex', (text) => {
    expect(parseHex(text)).toBeUndefined();
    expect(compose(text, 'hex')).toHaveProperty('problem');
  });

  test('has its hex judged in no time, however long it is', () => {
    expect(parseHex(`${'00'.repeat(500_000)}!`)).toBeUndefined();
    expect(parseHex(`${' '.repeat(100_000)}!`)).toBeUndefined();
    expect(parseHex('00'.repeat(16 * 1024 * 1024))).toHaveLength(16 * 1024 * 1024);
  });
});

describe('a message in the log', () => {
  test('is text as it is', () => {
    expect(show(excerpt('a\nb'))).toEqual({ text: 'a\nb', hex: '', note: '' });
  });

  test('is called empty when it is', () => {
    expect(show(excerpt(''))).toEqual({ text: '', hex: '', note: 'empty message' });
    expect(show(excerpt(bytesOf()))).toEqual({ text: '', hex: '', note: 'binary, 0 bytes' });
  });

  test('is cut when it is long', () => {
    const note = '4,097 characters, the first 4,096 shown';
    expect(show(excerpt('x'.repeat(4097)))).toEqual({ text: 'x'.repeat(4096), hex: '', note });
    const shown = show(excerpt(new Uint8Array(2000)));
    expect(shown.hex).toHaveLength(1024 * 3 - 1);
    expect(shown.note).toBe('binary, 2,000 bytes, the first 1,024 shown');
  });

  test('is not cut between the halves of a surrogate pair', () => {
    expect(excerpt(`${'x'.repeat(4095)}👋`).part).toBe('x'.repeat(4095));
    expect(excerpt(`${'x'.repeat(4094)}👋`).part).toHaveLength(4096);
  });

  test('lets go of the bytes that it does not show', () => {
    const { part } = excerpt(new Uint8Array(2000));
    expect(part instanceof Uint8Array && part.buffer.byteLength).toBe(1024);
  });

  test('is hex and text when it is binary, with stand-ins for what has no shape', () => {
    expect(toHex(bytesOf(0, 10, 255))).toBe('00 0a ff');
    expect(toText(bytesOf(0x00, 0x48, 0xff, 0x0a))).toBe('·H�·');
    expect(show(excerpt(bytesOf(0x48)))).toEqual({ text: 'H', hex: '48', note: 'binary, 1 byte' });
  });
});

describe('what the server says of itself', () => {
  test('is taken as it is when it is whole', () => {
    const facts = {
      runtime: 'bun',
      version: '1.4.5',
      engine: 'native',
      path: '/echo',
      pingInterval: 0.5,
      idleTimeout: 1,
      maxMessageSize: 1024,
      subprotocols: ['chat'],
    };
    expect(readFacts(facts)).toEqual(facts);
    expect(describeFacts(readFacts(facts))).toEqual([
      ['Runtime and engine', 'Bun 1.4.5, native'],
      ['Wants a message every', '0.5 s'],
      ['Hangs up after', '1 s of silence'],
      ['Largest message', '1 KiB'],
      ['Subprotocols', 'chat'],
    ]);
  });

  test.each([
    [null],
    ['text'],
    [[]],
    [{ runtime: 1, path: 'ws', pingInterval: '1', idleTimeout: -1, maxMessageSize: null, subprotocols: {} }],
  ])('is replaced by the defaults where it is of no use: %j', (json) => {
    expect(readFacts(json)).toEqual(defaultFacts);
  });

  test('is said in words when a clock is off', () => {
    const lines = describeFacts({ ...defaultFacts, pingInterval: 0, idleTimeout: 0 });
    expect(lines).toContainEqual(['Wants a message every', 'not asked for']);
    expect(lines).toContainEqual(['Hangs up after', 'never']);
    expect(lines).toContainEqual(['Runtime and engine', 'unknown']);
  });
});

describe('an address', () => {
  test('is offered on the host of the page, encrypted when the page is', () => {
    expect(defaultUrl({ protocol: 'http:', host: 'localhost:8080' }, '/ws')).toBe('ws://localhost:8080/ws');
    expect(defaultUrl({ protocol: 'https:', host: 'example.com' }, '/ws')).toBe('wss://example.com/ws');
  });

  test('is taken with spaces around it', () => {
    expect(checkUrl(' ws://localhost:8080/ws ')).toEqual({ url: new URL('ws://localhost:8080/ws') });
    expect(checkUrl('wss://example.com')).toHaveProperty('url');
  });

  test.each(['', '/ws', 'localhost:8080/ws', 'http://localhost/ws', 'ws://', 'ws://a b/', 'ws://localhost/#'])(
    'is refused with advice when it is %j',
    (value) => expect(checkUrl(value)).toHaveProperty('problem'),
  );
});

describe('the heartbeat', () => {
  /** A heartbeat in a world of its own, whose time passes when told. */
  function world() {
    let now = 0;
    let timer: { due: number; every: number; callback: () => void } | undefined;
    let beats = 0;
    const heartbeat = new Heartbeat({
      now: () => now,
      every: (every, callback) => {
        const mine = { due: now + every, every, callback };
        timer = mine;
        return () => {
          if (timer === mine) timer = undefined;
        };
      },
      send: () => {
        beats++;
        heartbeat.sent();
      },
    });
    const pass = (ms: number) => {
      const end = now + ms;
      while (timer !== undefined && timer.due <= end) {
        now = timer.due;
        timer.due += timer.every;
        timer.callback();
      }
      now = end;
    };
    return { heartbeat, pass, beats: () => beats };
  }

  test('beats every X seconds while connected, and no longer', () => {
    const { heartbeat, pass, beats } = world();
    pass(100_000);
    heartbeat.open(30, 60);
    pass(29_999);
    expect(beats()).toBe(0);
    pass(60_001);
    expect(beats()).toBe(3);
    heartbeat.close();
    pass(100_000);
    expect(beats()).toBe(3);
  });

  test('counts down to the idle timeout from the last message that was sent, never below zero', () => {
    const { heartbeat, pass } = world();
    expect(heartbeat.remaining).toBeUndefined();
    heartbeat.switch(false);
    heartbeat.open(30, 60);
    pass(20_000);
    expect(heartbeat.remaining).toBe(40_000);
    heartbeat.sent();
    expect(heartbeat.remaining).toBe(60_000);
    pass(70_000);
    expect(heartbeat.remaining).toBe(0);
    heartbeat.close();
    expect(heartbeat.remaining).toBeUndefined();
  });

  test('beats at once when it is switched on while connected, then every X seconds', () => {
    const { heartbeat, pass, beats } = world();
    heartbeat.switch(false);
    heartbeat.open(30, 60);
    pass(50_000);
    expect(beats()).toBe(0);
    heartbeat.switch(true);
    expect(beats()).toBe(1);
    expect(heartbeat.remaining).toBe(60_000);
    pass(30_000);
    expect(beats()).toBe(2);
  });

  test('does not beat when it is switched on without a connection', () => {
    const { heartbeat, beats } = world();
    heartbeat.switch(false);
    heartbeat.switch(true);
    expect(beats()).toBe(0);
  });

  test('is silent when the server asks for none, and counts down to nothing when there is no timeout', () => {
    const { heartbeat, pass, beats } = world();
    heartbeat.open(0, 0);
    heartbeat.switch(true);
    pass(1_000_000);
    expect(beats()).toBe(0);
    expect(heartbeat.remaining).toBeUndefined();
  });

  test('changes its interval when the server asks for another, and does not start over for the same', () => {
    const { heartbeat, pass, beats } = world();
    heartbeat.change(1, 2);
    pass(10_000);
    expect(beats()).toBe(0);
    heartbeat.open(30, 60);
    pass(20_000);
    heartbeat.change(30, 60);
    pass(10_000);
    expect(beats()).toBe(1);
    heartbeat.change(5, 10);
    pass(5_000);
    expect(beats()).toBe(2);
    expect(heartbeat.remaining).toBe(10_000);
  });
});

describe('words for numbers', () => {
  test('count a short timeout in tenths, a long one in seconds', () => {
    expect(formatCountdown(1_950, 2)).toBe('in 2.0 s');
    expect(formatCountdown(59_001, 60)).toBe('in 60 s');
    expect(formatCountdown(0, 60)).toBe('any moment now');
  });

  test('are short', () => {
    expect([1, 1023, 1024, 1536, 16 * 1024 * 1024].map(formatBytes)).toEqual([
      '1 byte',
      '1,023 bytes',
      '1 KiB',
      '1.5 KiB',
      '16 MiB',
    ]);
    expect(formatSeconds(0.25)).toBe('0.25 s');
  });

  test('are exact where a size and its limit would look the same', () => {
    expect(formatExcess(65_537, 65_536)).toEqual(['65,537 bytes', '65,536 bytes']);
    expect(formatExcess(70_000, 65_536)).toEqual(['68.4 KiB', '64 KiB']);
  });

  test('explain a close code that is not plain by itself', () => {
    expect(explainClose(1000, true, false)).toBe('');
    expect(explainClose(3008, true, false)).toContain('idle timeout');
    expect(explainClose(1006, true, true)).toContain('lost');
    expect(explainClose(1006, false, false)).toContain('refused');
    expect(explainClose(1006, false, false)).not.toContain('subprotocols');
    expect(explainClose(1006, false, true)).toContain('agreed to none of the subprotocols');
  });
});
