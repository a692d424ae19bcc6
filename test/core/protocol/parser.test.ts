import { describe, expect, test } from 'vitest';
import { type FrameSink, Parser } from '../../../core/protocol/parser.ts';
import { bytes, close, concat, type FrameOptions, frame, isUtf8, string } from './support.ts';

const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];

class Log implements FrameSink {
  readonly seen: unknown[] = [];
  readonly views: Uint8Array[] = [];
  parser = new Parser(this, 1000, isUtf8);
  haltAfter = Number.POSITIVE_INFINITY;

  echo(): void {
    throw new Error('nobody asked for it');
  }
  pieces(): void {
    throw new Error('nobody asked for it');
  }
  message(data: Uint8Array, text: boolean): void {
    this.views.push(data);
    this.add(text ? string(data) : [...data]);
  }
  control(opcode: number, payload: Uint8Array): void {
    this.add({ opcode, payload: string(payload) });
  }
  fault(code: number, reason: string): void {
    this.add({ code, reason });
    this.parser.halted = true;
  }
  private add(event: unknown): void {
    this.seen.push(event);
    if (this.seen.length >= this.haltAfter) this.parser.halted = true;
  }
}

/** What is found in the bytes, which must be the same however they are cut. */
function parse(...parts: Uint8Array[]): unknown[] {
  const all = concat(...parts);
  const whole = new Log();
  whole.parser.parse(all.slice(), 0);
  for (const size of [1, 2, 3, 7, 50, 100]) {
    const cut = new Log();
    for (let at = 0; at < all.length; at += size) cut.parser.parse(all.slice(at, at + size), 0);
    expect(cut.seen, `in chunks of ${size}`).toEqual(whole.seen);
  }
  return whole.seen;
}

describe('messages', () => {
  test.each([0, 1, 2, 125, 126, 127, 999, 1000])('of %d bytes', (length) => {
    const data = new Uint8Array(length).map((_, index) => index * 5);
    expect(parse(frame(BINARY, data))).toEqual([[...data]]);
    expect(parse(frame(BINARY, data), frame(TEXT, 'x'.repeat(length)))).toEqual([[...data], 'x'.repeat(length)]);
  });

  test('lengths that are longer than need be are accepted, as ws does', () => {
    expect(parse(frame(TEXT, 'abc', { wide: 2 }), frame(TEXT, 'abc', { wide: 8 }))).toEqual(['abc', 'abc']);
    expect(parse(frame(TEXT, '', { wide: 2 }), frame(TEXT, '', { wide: 8 }))).toEqual(['', '']);
    expect(parse(frame(TEXT, 'x'.repeat(127), { wide: 2 }))).toEqual(['x'.repeat(127)]);
  });

  test('text of every width of UTF-8', () => {
    expect(parse(frame(TEXT, 'aé€😀'.repeat(20)), frame(TEXT, 'é'))).toEqual(['aé€😀'.repeat(20), 'é']);
  });

  test('fragments, with control frames between them', () => {
    expect(
      parse(
        frame(TEXT, 'Hal', { fin: false }),
        frame(PING, 'one'),
        frame(0, 'lo ', { fin: false }),
        frame(PONG, ''),
        frame(0, 'Welt'),
        frame(BINARY, 'x', { fin: false }),
        frame(0, 'y'),
      ),
    ).toEqual([{ opcode: PING, payload: 'one' }, { opcode: PONG, payload: '' }, 'Hallo Welt', [0x78, 0x79]]);
  });

  test('empty fragments, before, between and after', () => {
    const empty = { fin: false };
    expect(
      parse(frame(TEXT, '', empty), frame(0, '', empty), frame(0, 'a', empty), frame(0, '', empty), frame(0, '')),
    ).toEqual(['a']);
    expect(parse(frame(TEXT, '', empty), frame(0, '', empty), frame(0, 'last'))).toEqual(['last']);
    expect(parse(frame(TEXT, '', empty), frame(0, ''))).toEqual(['']);
  });

  test('a character cut by fragments', () => {
    const [first, second] = [bytes('€').slice(0, 2), bytes('€').slice(2)];
    expect(parse(frame(TEXT, first, { fin: false }), frame(PING, ''), frame(0, second))).toEqual([
      { opcode: PING, payload: '' },
      '€',
    ]);
  });

  test('one that lies in a chunk as a whole is a view of it; one that does not is a copy', () => {
    const log = new Log();
    const chunk = concat(frame(BINARY, 'abc'), frame(BINARY, 'defgh').slice(0, 8));
    log.parser.parse(chunk, 0);
    log.parser.parse(frame(BINARY, 'defgh').slice(8), 0);
    expect(log.seen).toEqual([[...bytes('abc')], [...bytes('defgh')]]);
    expect(log.views.map((view) => view.buffer === chunk.buffer)).toEqual([true, false]);
  });
});

test('a message that a chunk cuts gets no more room than it needs', () => {
  const log = new Log();
  const data = frame(BINARY, new Uint8Array(700));
  for (let at = 0; at < data.length; at += 300) log.parser.parse(data.slice(at, at + 300), 0);
  expect(log.views.map((view) => view.buffer.byteLength)).toEqual([10 + 700]);
});

describe('control frames', () => {
  test('with any payload up to 125 bytes', () => {
    for (const payload of ['', 'x', 'y'.repeat(125)]) {
      expect(parse(frame(PING, payload), frame(PONG, payload), frame(CLOSE, close(1000, 'bye')))).toEqual([
        { opcode: PING, payload },
        { opcode: PONG, payload },
        { opcode: CLOSE, payload: string(close(1000, 'bye')) },
      ]);
    }
  });
});

describe('faults', () => {
  const unfinished: FrameOptions = { fin: false };

  test.each<[string, Uint8Array, number, string]>([
    ['a frame without a mask', frame(TEXT, 'abc', { masked: false }), 1002, 'frame not masked'],
    ['RSV1 without compression', frame(TEXT, 'abc', { rsv: 4 }), 1002, 'reserved bit set'],
    ['an unknown opcode', frame(3, 'abc'), 1002, 'unknown opcode'],
    ['a continuation first', frame(0, 'abc'), 1002, 'unexpected continuation'],
    ['a continuation first, unfinished', frame(0, 'abc', unfinished), 1002, 'unexpected continuation'],
    [
      'a message within a message',
      concat(frame(TEXT, 'a', unfinished), frame(TEXT, 'b')),
      1002,
      'continuation expected',
    ],
    ['a length with its top bit set', frame(BINARY, '', { announced: 2 ** 63 }), 1002, 'invalid length'],
    ['a length beyond 2^53', frame(BINARY, '', { announced: 2 ** 60 }), 1009, 'message too big'],
    ['one byte too many', frame(BINARY, new Uint8Array(1001)), 1009, 'message too big'],
    [
      'one byte too many in fragments',
      concat(frame(BINARY, new Uint8Array(900), unfinished), frame(0, new Uint8Array(101))),
      1009,
      'message too big',
    ],
    ['text that is not UTF-8', frame(TEXT, new Uint8Array([0xff])), 1007, 'invalid UTF-8'],
    ['text that ends within a character', frame(TEXT, bytes('abc€').slice(0, 5)), 1007, 'invalid UTF-8'],
    [
      'fragments that end within a character',
      concat(frame(TEXT, bytes('€').slice(0, 2), unfinished), frame(0, '')),
      1007,
      'invalid UTF-8',
    ],
  ])('%s', (_, data, code, reason) => {
    expect(parse(frame(TEXT, 'before'), data, frame(TEXT, 'after'))).toEqual(['before', { code, reason }]);
  });

  test('the limit is on the message, and counts anew for the next', () => {
    const part = frame(BINARY, new Uint8Array(600));
    expect(parse(part, part, frame(BINARY, new Uint8Array(600), unfinished), frame(0, '')).length).toBe(3);
  });

  test('control frames do not count', () => {
    const ping = frame(PING, 'x'.repeat(125));
    expect(parse(frame(BINARY, new Uint8Array(900), unfinished), ping, frame(0, new Uint8Array(100))).length).toBe(2);
  });

  test.each([
    ['no mask, with its second octet', frame(TEXT, 'abc', { masked: false }).slice(0, 2)],
    ['a message too big, with its length and before its key', frame(BINARY, '', { announced: 1001 }).slice(0, 4)],
    ['a length out of reach, with its first octet', frame(BINARY, '', { announced: 2 ** 63 }).slice(0, 3)],
    ['a short message over a short limit', frame(BINARY, '', { announced: 100 }).slice(0, 2), 99],
    ['bad text, before the rest of its frame', frame(TEXT, new Uint8Array([0x61, 0xff]), { announced: 900 })],
    ['bad text, before its message ends', frame(TEXT, new Uint8Array([0xe2, 0x41]), unfinished)],
  ])('is told of at once: %s', (_, data, limit = 1000) => {
    const log = new Log();
    log.parser = new Parser(log, limit, isUtf8);
    for (const [at] of data.entries()) {
      expect(log.seen).toEqual([]);
      log.parser.parse(data.slice(at, at + 1), 0);
    }
    expect(log.seen.length).toBe(1);
  });
});

describe('a sink that halts', () => {
  test('gets nothing more until it goes on from there', () => {
    const log = new Log();
    log.haltAfter = 1;
    const chunk = concat(frame(TEXT, 'one'), frame(TEXT, 'two'));
    const at = log.parser.parse(chunk, 0);
    expect([at, log.seen]).toEqual([9, ['one']]);
    log.haltAfter = 9;
    log.parser.halted = false;
    expect(log.parser.parse(chunk, at)).toBe(18);
    expect(log.seen).toEqual(['one', 'two']);
  });
});

describe('discarding', () => {
  test('skips messages, whole or in part, but not control frames', () => {
    const log = new Log();
    log.parser.parse(concat(frame(TEXT, 'a', { fin: false }), frame(0, 'bcdef', { fin: false }).slice(0, 8)), 0);
    log.parser.discard();
    log.parser.parse(frame(0, 'bcdef', { fin: false }).slice(8), 0);
    log.parser.parse(concat(frame(0, 'c'), frame(BINARY, 'd'), frame(PING, 'p')), 0);
    expect(log.seen).toEqual([{ opcode: PING, payload: 'p' }]);
  });

  test('goes on counting: framing and sizes are still checked', () => {
    for (const [data, code] of [
      [frame(0, 'x'), 1002],
      [frame(BINARY, new Uint8Array(1001)), 1009],
    ] as const) {
      const log = new Log();
      log.parser.discard();
      log.parser.parse(data, 0);
      expect(log.seen).toEqual([expect.objectContaining({ code })]);
    }
  });

  test('text is not validated any more', () => {
    const log = new Log();
    log.parser.discard();
    log.parser.parse(frame(TEXT, new Uint8Array([0xff])), 0);
    expect(log.seen).toEqual([]);
  });
});

describe('the cost of any way of cutting', () => {
  const LIMIT = 16 * 1024 * 1024;

  /** Counts the octets that are copied while bytes are parsed, which is what would grow with the square. */
  function copied(chunks: Iterable<Uint8Array>): { copies: number; sizes: number[] } {
    const sizes: number[] = [];
    const sink: FrameSink = {
      message: (data) => sizes.push(data.length),
      pieces: () => {},
      echo: () => {},
      control: () => {},
      fault: (code) => sizes.push(-code),
    };
    const parser = new Parser(sink, LIMIT, isUtf8);
    const { set } = Uint8Array.prototype;
    let copies = 0;
    Uint8Array.prototype.set = function (source: ArrayLike<number>, at?: number): void {
      copies += source.length;
      set.call(this, source, at);
    };
    try {
      for (const chunk of chunks) parser.parse(chunk, 0);
    } finally {
      Uint8Array.prototype.set = set;
    }
    return { copies, sizes };
  }

  function* cut(data: Uint8Array, size: number): Iterable<Uint8Array> {
    for (let at = 0; at < data.length; at += size) yield data.slice(at, at + size);
  }

  test('128 KiB, octet by octet', () => {
    const size = 128 * 1024;
    const { copies, sizes } = copied(cut(frame(BINARY, new Uint8Array(size)), 1));
    expect(sizes).toEqual([size]);
    expect(copies).toBeLessThan(3 * size);
  });

  test('4 MiB in fragments of 64 bytes', () => {
    const size = 4 * 1024 * 1024;
    const part = new Uint8Array(64);
    const fragments = Array.from({ length: size / 64 }, (_, index) =>
      frame(index === 0 ? TEXT : 0, part, { fin: index === size / 64 - 1 }),
    );
    const { copies, sizes } = copied(cut(concat(...fragments), 65536));
    expect(sizes).toEqual([size]);
    expect(copies).toBeLessThan(4 * size);
  });

  test('16 MiB in chunks of 64 KiB', () => {
    const { copies, sizes } = copied(cut(frame(BINARY, new Uint8Array(LIMIT)), 65536));
    expect(sizes).toEqual([LIMIT]);
    expect(copies).toBeLessThan(3 * LIMIT);
  });
});
