/** What cases of RFC 7692 are made of. */
import { frame, opcode } from '../../support/raw.ts';
import { type Case, gets, hex, letters, outcome } from '../case.ts';

export const OFFER = 'permessage-deflate';
export const RSV1 = 4;
export const REFUSED = gets.close(1002);
/** No RFC says with which code. */
export const CORRUPT = gets.close(1007);
export const corruptAlso = (...before: string[]): Partial<Case> => ({
  also: [REFUSED, gets.close(1003), gets.close(1009)].map((each) => outcome(...before, each)),
});
export const compressed = (title: string, send: Case['send'], expect: string, rest: Partial<Case> = {}): Case => ({
  title,
  server: 'compression',
  offer: OFFER,
  send,
  expect,
  ...rest,
});
export const whole = (data: Uint8Array | string, code: number = opcode.text): Buffer =>
  frame(code, data, { rsv: RSV1 });
export const begun = (data: Uint8Array | string): Buffer => frame(opcode.text, data, { rsv: RSV1, fin: false });

export const HELLO = gets.text('Hello');
export const hello = hex('f2 48 cd c9 c9 07 00');
export const again = hex('f2 00 11 00 00');
export const long = letters(5000);
