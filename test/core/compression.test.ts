import { describe, expect, it } from 'vitest';
import { type CompressionPolicy, negotiateCompression } from '../../core/compression.ts';

const policy: CompressionPolicy = { windowBits: 15, noContextTakeover: false, wide: false };

const answer = (header: string | null, changes: Partial<CompressionPolicy> = {}): string | undefined =>
  negotiateCompression(header, { ...policy, ...changes })?.header;

const agreed = (header: string, changes: Partial<CompressionPolicy> = {}) =>
  negotiateCompression(header, { ...policy, ...changes })?.compression;

const PLAIN = 'permessage-deflate';

describe('an offer of permessage-deflate', () => {
  it('is agreed to, with both windows at their largest and kept between messages', () => {
    expect(negotiateCompression(PLAIN, policy)).toEqual({
      header: PLAIN,
      compression: {
        serverMaxWindowBits: 15,
        clientMaxWindowBits: 15,
        serverNoContextTakeover: false,
        clientNoContextTakeover: false,
      },
    });
  });

  it.each([
    [`${PLAIN}; server_no_context_takeover`, { serverNoContextTakeover: true }],
    [`${PLAIN}; client_no_context_takeover`, { clientNoContextTakeover: true }],
    [`${PLAIN}; server_max_window_bits=9`, { serverMaxWindowBits: 9 }],
    [`${PLAIN}; server_max_window_bits=15`, { serverMaxWindowBits: 15 }],
    [`${PLAIN}; client_max_window_bits=9`, { clientMaxWindowBits: 9 }],
    [`${PLAIN}; client_max_window_bits=12`, { clientMaxWindowBits: 12 }],
  ])('is answered with what it asks for: %s', (offer, expected) => {
    expect(answer(offer)).toBe(offer);
    expect(agreed(offer)).toMatchObject(expected);
  });

  it('is answered with all that it asks for at once, in any order', () => {
    const offer = `${PLAIN}; client_max_window_bits=10; server_max_window_bits=11; client_no_context_takeover; server_no_context_takeover`;
    expect(negotiateCompression(offer, policy)).toEqual({
      header: `${PLAIN}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11; client_max_window_bits=10`,
      compression: {
        serverMaxWindowBits: 11,
        clientMaxWindowBits: 10,
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      },
    });
  });

  it('may leave the client window open, and is told of it', () => {
    expect(answer(`${PLAIN}; client_max_window_bits`)).toBe(`${PLAIN}; client_max_window_bits=15`);
  });

  it.each([
    [`${PLAIN};server_max_window_bits=12`, `${PLAIN}; server_max_window_bits=12`],
    [`\t${PLAIN} \t;\tserver_max_window_bits=12 `, `${PLAIN}; server_max_window_bits=12`],
    [`${PLAIN}; server_max_window_bits="12"`, `${PLAIN}; server_max_window_bits=12`],
    [`${PLAIN}; server_max_window_bits="1\\2"`, `${PLAIN}; server_max_window_bits=12`],
    [`, ,${PLAIN},`, PLAIN],
  ])('may be written %j', (offer, expected) => {
    expect(answer(offer)).toBe(expected);
  });
});

describe('an offer is declined, without an error,', () => {
  it.each([
    ['repeats a parameter', 'client_no_context_takeover; client_no_context_takeover'],
    ['repeats one with another value', 'server_max_window_bits=10; server_max_window_bits=11'],
    ['has an unknown parameter', 'server_max_window'],
    ['has an unknown parameter with a value', 'x=1'],
    ['has a parameter in upper case', 'Server_No_Context_Takeover'],
    ['has an empty parameter', ''],
    ['has a parameter without a name', '=10'],
    ['has a name that is no token', 'server no context takeover'],
    ['has spaces around an equals sign', 'server_max_window_bits = 10'],
    ['asks for a window without saying which', 'server_max_window_bits'],
    ['has an empty server window', 'server_max_window_bits='],
    ['has an empty client window', 'client_max_window_bits='],
    ['has an empty quoted window', 'client_max_window_bits=""'],
    ['asks for a window of 8, which zlib does not have', 'server_max_window_bits=8'],
    ['limits the client to a window of 8', 'client_max_window_bits=8'],
    ['asks for a window of 16', 'server_max_window_bits=16'],
    ['limits the client to a window of 16', 'client_max_window_bits=16'],
    ['has a leading zero', 'server_max_window_bits=010'],
    ['has a leading zero for the client', 'client_max_window_bits=09'],
    ['has a sign', 'server_max_window_bits=+10'],
    ['has a fraction', 'server_max_window_bits=10.0'],
    ['has a word for a number', 'server_max_window_bits=ten'],
    ['has a value where none may be', 'client_no_context_takeover=1'],
    ['has a value where none may be, the server', 'server_no_context_takeover=true'],
    ['has a quoted value that is no token', 'server_max_window_bits="1 2"'],
    ['has something behind a quotation', 'server_max_window_bits="12"x'],
  ])('that %s', (_, parameters) => {
    expect(answer(`${PLAIN}; ${parameters}`)).toBeUndefined();
    expect(answer(`${PLAIN}; ${parameters}, ${PLAIN}`)).toBe(PLAIN);
  });

  it.each([
    null,
    '',
    ',',
    ';;',
    'x-webkit-deflate-frame',
    'permessage-deflateX',
    'Permessage-Deflate',
    '"permessage-deflate"',
  ])('where it is of something else: %j', (header) => {
    expect(answer(header)).toBeUndefined();
  });

  it('that has a quotation without end, and with it all that follows', () => {
    expect(answer(`${PLAIN}; server_max_window_bits="12, ${PLAIN}`)).toBeUndefined();
    expect(answer(`${PLAIN}; server_max_window_bits="12\\`)).toBeUndefined();
  });

  it('and is read in no time', () => {
    expect(answer(`${PLAIN}; a="${'\\"'.repeat(50_000)}`)).toBeUndefined();
    expect(answer(`${PLAIN}${'; '.repeat(50_000)}`)).toBeUndefined();
    expect(answer(`${PLAIN}; ${' '.repeat(100_000)}x, ${' ,'.repeat(50_000)}`)).toBeUndefined();
  });
});

describe('of several offers', () => {
  it('the first that is acceptable wins', () => {
    expect(answer(`foo, ${PLAIN}; server_max_window_bits=11, ${PLAIN}`)).toBe(`${PLAIN}; server_max_window_bits=11`);
    expect(answer(`${PLAIN}; bar; server_max_window_bits=11, ${PLAIN}; client_no_context_takeover`)).toBe(
      `${PLAIN}; client_no_context_takeover`,
    );
  });

  it('none hides in the quotation of another', () => {
    expect(answer(`foo; a="b, ${PLAIN}"`)).toBeUndefined();
    expect(answer(`foo; a="b\\", ${PLAIN}; c="`)).toBeUndefined();
    expect(answer(`foo; a="b", ${PLAIN}`)).toBe(PLAIN);
  });
});

describe('the server', () => {
  it('answers with the smaller of its own window and the one asked for', () => {
    expect(answer(PLAIN, { windowBits: 12 })).toBe(`${PLAIN}; server_max_window_bits=12`);
    expect(answer(`${PLAIN}; server_max_window_bits=14`, { windowBits: 12 })).toBe(
      `${PLAIN}; server_max_window_bits=12`,
    );
    expect(answer(`${PLAIN}; server_max_window_bits=10`, { windowBits: 12 })).toBe(
      `${PLAIN}; server_max_window_bits=10`,
    );
  });

  it('can have each message compressed by itself, in both directions', () => {
    expect(answer(PLAIN, { noContextTakeover: true })).toBe(
      `${PLAIN}; server_no_context_takeover; client_no_context_takeover`,
    );
  });

  it('declines a small window without takeover where its engine has only a large one', () => {
    const offer = `${PLAIN}; server_max_window_bits=12`;
    const wide = { wide: true };
    expect(answer(offer, wide)).toBe(offer);
    expect(answer(`${offer}; server_no_context_takeover`, wide)).toBeUndefined();
    expect(answer(`${offer}; server_no_context_takeover, ${PLAIN}; server_no_context_takeover`, wide)).toBe(
      `${PLAIN}; server_no_context_takeover`,
    );
  });
});
