/**
 * Small things that several kinds of load need.
 *
 * @module
 */
import process from 'node:process';
import { closePayload, frame, opcode } from '../../test/support/raw.ts';

/** A normal end. */
export const closeFrame = frame(opcode.close, closePayload(1000));

let turn = 0;

/**
 * Where to connect from, when there are many connections: finding a free port takes long where most are used, or were
 * just now. Only Linux answers to all of 127.0.0.0/8 unasked.
 */
export function sourceAddress(index: number): string | undefined {
  return process.platform === 'linux' ? `127.3.${turn}.${1 + (index % 20)}` : undefined;
}

/** Other addresses from now on. */
export function moveOn(): void {
  turn = (turn + 1) % 250;
}
