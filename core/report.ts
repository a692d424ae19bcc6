/**
 * What a server tells its operator: one value for each connection opened, refused and ended.
 *
 * @module
 */

/** Why a connection ended. The list is closed. */
export type Cause =
  | 'client-close'
  | 'server-close'
  | 'idle-timeout'
  | 'keep-alive-timeout'
  | 'connection-lost'
  | 'protocol-error'
  | 'message-too-big'
  | 'slow-consumer'
  | 'handler-error'
  | 'shutdown';

/** How a connection ended. */
export interface End {
  readonly cause: Cause;
  /** The close code; 1005 for a Close frame without one, 1006 where there was no Close frame. */
  readonly code: number;
  /** The close reason, as the side that closed gave it. */
  readonly reason: string;
}

/** A connection opened. */
export interface OpenedReport {
  readonly event: 'opened';
  readonly connection: number;
  readonly remote: string;
  readonly origin: string | null;
  readonly path: string;
  readonly protocol: string;
}

/** A request was answered with a refusal instead of an upgrade. */
export interface RefusedReport {
  readonly event: 'refused';
  readonly status: number;
  readonly reason: string;
  readonly remote: string;
  readonly origin: string | null;
}

/** A connection ended. */
export interface EndedReport extends End {
  readonly event: 'ended';
  readonly connection: number;
  readonly remote: string;
  /** How long the connection lasted, in milliseconds. */
  readonly durationMs: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Payload bytes received in whole messages. */
  readonly bytesIn: number;
  /** Payload bytes sent. */
  readonly bytesOut: number;
  /** Milliseconds since the last message came; `null` where none ever did. Accurate to a tenth of a second. */
  readonly lastMessageMs: number | null;
}

/** A handler threw or rejected. */
export interface HandlerErrorReport {
  readonly event: 'handler-error';
  /** `null` where it was not a connection's handler but the application around it. */
  readonly connection: number | null;
  readonly error: unknown;
}

/** The server has shut down. */
export interface ShutdownReport extends ShutdownSummary {
  readonly event: 'shutdown';
}

/** What became of the connections of a server that shut down. */
export interface ShutdownSummary {
  /** How many ended by a closing handshake, or were lost meanwhile. */
  readonly closed: number;
  /** How many had not answered in time and were terminated. */
  readonly terminated: number;
}

/** Anything a server reports. Text that came from a client is {@link printable} already. */
export type Report = OpenedReport | RefusedReport | EndedReport | HandlerErrorReport | ShutdownReport;

/** Longest run of a client's text that is put into a report, in UTF-16 code units. */
const LONGEST = 256;

/**
 * Everything that could break or disguise a line: controls (C0, C1), line and paragraph separators, bidirectional
 * and other invisible formatting, lone surrogates, unassigned and private characters.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** What most texts consist of: to look for the rest takes longer. */
const PLAIN = /^[ -~]*$/;

/**
 * Makes a client's text safe to print on one line of a log or terminal.
 *
 * @returns The text with every unprintable character written as `\u{hex}`, cut with `…` after 256 characters.
 */
export function printable(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return PLAIN.test(cut)
    ? cut
    : cut.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}
