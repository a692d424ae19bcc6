import { describe, expect, test } from 'vitest';
import { closePayload, cutReason, isCloseCode, readClose } from '../../../core/protocol/close.ts';
import { bytes, close, isUtf8 } from './support.ts';

describe('close codes', () => {
  test.each([1000, 1001, 1002, 1003, 1007, 1008, 1011, 1013, 1014, 3000, 3008, 4999])('%d may be sent', (code) => {
    expect(isCloseCode(code)).toBe(true);
  });

  test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535, -1, 1000.5, Number.NaN])(
    '%d may not',
    (code) => {
      expect(isCloseCode(code)).toBe(false);
    },
  );
});

describe('reading a Close payload', () => {
  test('an empty one has no code, which is 1005', () => {
    expect(readClose(new Uint8Array(0), isUtf8)).toEqual({ code: 1005, reason: '' });
  });

  test('code and reason', () => {
    expect(readClose(close(4999, 'tschüß'), isUtf8)).toEqual({ code: 4999, reason: 'tschüß' });
  });

  test('a byte order mark belongs to the reason', () => {
    expect(readClose(close(1000, '\ufeffx'), isUtf8)).toEqual({ code: 1000, reason: '\ufeffx' });
  });

  test('a code that must not be sent is a protocol error', () => {
    expect(readClose(close(1006), isUtf8)).toBe(1002);
  });

  test('a reason that is not UTF-8 is 1007', () => {
    expect(readClose(close(1000, new Uint8Array([0xff])), isUtf8)).toBe(1007);
  });
});

describe('making a Close payload', () => {
  test('code and reason', () => {
    expect(closePayload(3008, 'idle timeout')).toEqual(close(3008, 'idle timeout'));
  });

  test('a reason of 123 bytes is kept', () => {
    expect(closePayload(1000, 'x'.repeat(123))).toEqual(close(1000, 'x'.repeat(123)));
  });

  test('a longer one is cut between two characters', () => {
    expect(closePayload(1000, '€'.repeat(42))).toEqual(close(1000, '€'.repeat(41)));
    expect(closePayload(1000, `x${'€'.repeat(41)}`)).toEqual(close(1000, `x${'€'.repeat(40)}`));
    expect(bytes('€').length).toBe(3);
  });
});

test('a reason is cut between two characters where it is longer than a Close frame can hold', () => {
  expect(cutReason('x'.repeat(123))).toBe('x'.repeat(123));
  expect(cutReason('€'.repeat(60))).toBe('€'.repeat(41));
  expect(cutReason(`x${'😀'.repeat(60)}`)).toBe(`x${'😀'.repeat(30)}`);
});
