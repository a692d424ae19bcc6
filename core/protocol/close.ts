/**
 * Close frames: their codes and their payload (RFC 6455 sections 5.5.1 and 7.4).
 *
 * @module
 */

/** "No status code present": what a Close frame without a code is reported as (section 7.1.5). Never sent. */
export const NO_STATUS = 1005;
/** "Abnormal closure": what an end without a Close frame is reported as (section 7.1.5). Never sent. */
export const ABNORMAL = 1006;
/** The peer broke the protocol. */
export const PROTOCOL_ERROR = 1002;
/** Text that is not UTF-8. */
export const INVALID_PAYLOAD = 1007;
/** A message over the limit. */
export const TOO_BIG = 1009;

/** The longest reason in bytes: a control frame's 125 less the two of the code. */
export const MAX_REASON = 123;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Whether a code may stand in a Close frame: 1000-1003 and 1007-1014 (RFC 6455 section 7.4.1 and the registry that it
 * opened), 3000-4999 (section 7.4.2).
 */
export function isCloseCode(code: number): boolean {
  return (
    Number.isInteger(code) &&
    ((code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999))
  );
}

/** What a Close frame says. */
export interface CloseStatus {
  readonly code: number;
  readonly reason: string;
}

/**
 * Reads a Close frame's payload.
 *
 * @param payload - Unmasked, and of another length than 1: that is refused with the frame's header.
 * @returns The code (1005 where there is none) and the reason; or the code that the frame is to be refused with:
 *   1002 for a code that must not be sent, 1007 for a reason that is not UTF-8.
 */
export function readClose(payload: Uint8Array, isUtf8: (bytes: Uint8Array) => boolean): CloseStatus | number {
  if (payload.length === 0) return { code: NO_STATUS, reason: '' };
  const code = ((payload[0] as number) << 8) | (payload[1] as number);
  if (!isCloseCode(code)) return PROTOCOL_ERROR;
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) return INVALID_PAYLOAD;
  return { code, reason: decoder.decode(reason) };
}

/**
 * Makes a Close frame's payload.
 *
 * @param reason - Cut at a character's boundary where it is longer than 123 bytes.
 */
export function closePayload(code: number, reason: string): Uint8Array {
  const payload = new Uint8Array(2 + MAX_REASON);
  payload[0] = code >>> 8;
  payload[1] = code;
  // encodeInto writes whole characters only, and stops at the one that has no room.
  const { written } = encoder.encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}

/** A close reason as it fits a Close frame: cut at a character's boundary where it is longer than 123 bytes in UTF-8. */
export function cutReason(reason: string): string {
  return reason.slice(0, encoder.encodeInto(reason, new Uint8Array(MAX_REASON)).read);
}
