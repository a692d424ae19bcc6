/**
 * Every difference between engines that a client could see. The tests ask this table and assert the difference
 * itself, so that the day a runtime mends it the suite says so. docs/support.md is made from it.
 *
 * @module
 */
import { currentTarget } from '../support/target.ts';

/** An engine on a runtime; Node's versions are one. */
export type EngineId = 'node' | 'bun-native' | 'bun-portable' | 'deno-native' | 'deno-portable';

export const engineIds: readonly EngineId[] = ['node', 'bun-native', 'bun-portable', 'deno-native', 'deno-portable'];

export interface Deviation {
  readonly id: string;
  /** What is expected of every engine. */
  readonly expected: string;
  readonly engines: readonly EngineId[];
  /** What happens there instead, and what to do about it. */
  readonly instead: string;
  /** Where the runtime's makers can be told, or were. */
  readonly upstream?: string;
}

export const deviations: readonly Deviation[] = [
  {
    id: 'no-host-refused-empty',
    expected: 'A request without Host is answered 400 and a reason.',
    engines: ['bun-native'],
    instead: 'Bun answers 400 by itself, without a reason, and there is no report.',
  },
  {
    id: 'two-hosts-and-bodies-refused-empty',
    expected: 'A WebSocket request with two Hosts or a body is answered 400 and a reason.',
    engines: ['deno-native'],
    instead:
      'Deno answers 400 by itself, without a reason, also where Content-Length is 0, whatever the method. There is no report.',
  },
  {
    id: 'connect-refused-empty',
    expected: 'CONNECT with a path is answered 405 where it asks for a WebSocket, else 400, and a reason.',
    engines: ['deno-native'],
    instead: 'Deno answers 400 by itself, without a reason, and there is no report.',
  },
  {
    id: 'options-of-all-answered',
    expected: 'OPTIONS for * is answered 400, without a reason.',
    engines: ['deno-native'],
    instead: 'It is answered as an unknown path, 404.',
  },
  {
    id: 'upgrade-list-refused',
    expected: 'An Upgrade header may name other protocols besides websocket.',
    engines: ['deno-native'],
    instead: 'It is answered 400: Deno upgrades to the first that is named, and its error ends the process.',
  },
  {
    id: 'keep-alive-unsaid',
    expected: 'An answer over HTTP/1.1 names how long its connection is kept for another request (Keep-Alive).',
    engines: ['bun-native', 'deno-native'],
    instead: 'It has no such header. The connection is kept all the same.',
  },
  {
    id: 'other-fault-reasons',
    expected: 'The reason in the Close frame for a fault is the same.',
    engines: ['bun-native'],
    instead: 'It is in words of its own, such as "Received unexpected RSV1 bit" for "reserved bit set".',
  },
  {
    id: 'no-close-frame-on-error',
    expected: 'A protocol error is answered with a Close frame with 1002, and bad UTF-8 with 1007.',
    engines: ['deno-native'],
    instead: 'The connection ends without a Close frame. The report is the same.',
  },
  {
    id: 'close-1014-refused',
    expected: 'Close code 1014 is echoed.',
    engines: ['deno-native'],
    instead: 'It is answered with 1002, as a protocol error.',
  },
  {
    id: 'long-control-frames-accepted',
    expected: 'A PONG or Close of more than 125 bytes is a protocol error.',
    engines: ['deno-native'],
    instead: 'It is accepted.',
  },
  {
    id: 'cut-off-character-dropped',
    expected: 'A fragmented text that ends inside a character is refused with 1007.',
    engines: ['deno-native'],
    instead: 'The message is delivered without that character.',
  },
  {
    id: 'unmasked-accepted',
    expected: 'An unmasked frame from a client is a protocol error.',
    engines: ['deno-native'],
    instead: 'It is accepted.',
  },
  {
    id: 'impossible-length-is-too-big',
    expected: 'A length with its highest bit set is a protocol error, 1002.',
    engines: ['bun-native', 'deno-native'],
    instead: 'It is a message that is too big, 1009.',
  },
  {
    id: 'utf8-checked-late',
    expected: 'A bad octet in text is refused at the first fragment that carries it.',
    engines: ['bun-native'],
    instead: 'It is refused when the last fragment has come.',
  },
  {
    id: 'limit-after-delivery',
    expected: 'A message over --max-message-size is refused before all of it is in memory.',
    engines: ['deno-native'],
    instead: 'It is refused, with 1009, once all of it is there, however large a client makes it.',
  },
  {
    id: 'no-close-frame-on-huge-frame',
    expected: 'A frame that claims more than --max-message-size is answered with a Close frame with 1009.',
    engines: ['deno-native'],
    instead: 'From 64 MiB on the connection ends without a Close frame. The report is the same.',
  },
  {
    id: 'keep-alive-only-when-silent',
    expected: 'A PING goes out at every --keep-alive-interval.',
    engines: ['deno-native'],
    instead: 'It goes out only to a client from which nothing came for that long.',
    upstream: 'https://github.com/denoland/deno/issues/15430',
  },
  {
    id: 'no-keep-alive-timeout',
    expected: '--keep-alive-timeout ends a client whose PONG is overdue.',
    engines: ['deno-native'],
    instead: 'The option is refused at start-up; --engine auto takes the portable engine for it.',
    upstream: 'https://github.com/denoland/deno/issues/15430',
  },
  {
    id: 'no-liveness-frames',
    expected: '--liveness frames counts PONGs as signs of life.',
    engines: ['deno-native'],
    instead: 'The option is refused at start-up; --engine auto takes the portable engine for it.',
    upstream: 'https://github.com/denoland/deno/issues/15430',
  },
  {
    id: 'no-pause',
    expected: 'A client whose echoes pile up is no longer read from, and loses nothing while it is merely slow.',
    engines: ['deno-native'],
    instead:
      'It is ended as slow-consumer as soon as more than --max-buffered and one largest message wait for it, counted with what each message costs. That bounds the memory, but for PONGs: those to a flood of PINGs are out of reach, and pile up until the idle timeout.',
  },
  {
    id: 'close-cuts-off-the-queue',
    expected: 'A client that closes while much is queued to it still gets all of that, however slowly it reads.',
    engines: ['bun-native'],
    instead: 'Bun drops the connection a few seconds after the Close, and what was not read by then is lost.',
  },
  {
    id: 'no-terminate',
    expected: 'A connection can be dropped without a Close frame, as is one whose client does not answer a Close.',
    engines: ['deno-native'],
    instead:
      'The client is sent a Close frame without a code. When it does not answer, the server forgets it after a grace, but the TCP connection stays until the client or the network ends it.',
  },
  {
    id: 'lost-connections-cost-memory',
    expected: 'A connection that is lost costs no memory from then on.',
    engines: ['deno-native'],
    instead: 'It costs 6 KiB for twice the --keep-alive-interval more, and nothing where that is 0.',
    upstream: 'https://github.com/denoland/deno/issues/22622',
  },
  {
    id: 'never-awaits-peer-close',
    expected: 'A shutdown waits for the answers to its Close frames, and terminates those that have not come in time.',
    engines: ['bun-native'],
    instead: 'Each connection ends with the Close frame that it was sent; none is ever counted as terminated.',
    upstream: 'https://github.com/oven-sh/bun/pull/39802',
  },
  {
    id: 'no-request-timeout',
    expected: 'A connection on which no whole request comes is dropped after a time.',
    engines: ['deno-native'],
    instead: 'It stays; so --engine auto takes the portable engine where the host is not loopback.',
  },
  {
    id: 'no-compression',
    expected: '--compression agrees on permessage-deflate.',
    engines: ['deno-native'],
    instead: 'The option is refused at start-up; --engine auto takes the portable engine for it.',
  },
  {
    id: 'client-window-unanswered',
    expected: 'An offer with client_max_window_bits is answered with it.',
    engines: ['bun-native'],
    instead:
      'It is answered only where it is below 15 and the client compresses over messages. What is agreed is the same.',
  },
  {
    id: 'small-window-without-takeover',
    expected: 'An offer of server_max_window_bits below 15 with server_no_context_takeover is accepted.',
    engines: ['bun-native'],
    instead:
      'It is declined, as Bun would not keep to the window, and the connection is not compressed. The options for both are refused together at start-up; --engine auto takes the portable engine for them.',
  },
  {
    id: 'never-refers-back',
    expected: 'A compressed message refers to those sent before it.',
    engines: ['deno-portable'],
    instead: 'It does not, so it is larger, as with server_no_context_takeover.',
  },
  {
    id: 'no-http2',
    expected: '--http2 and --http2-cleartext carry WebSockets over HTTP/2.',
    engines: ['bun-native', 'deno-native'],
    instead: 'The options are refused at start-up; --engine auto takes the portable engine for them.',
  },
  {
    id: 'malformed-stream-ends-session',
    expected: 'Over HTTP/2, a malformed request ends its stream, and the others of its session live on.',
    engines: ['deno-portable'],
    instead: 'It ends the session with all of its streams. Other clients don’t notice.',
  },
  {
    id: 'refused-headers-cost-memory',
    expected: 'Over HTTP/2, a list of headers that is too long is refused and costs no memory from then on.',
    engines: ['deno-portable'],
    instead:
      'Each costs up to 500 KiB, however few bytes it was sent in, which Deno frees only when it next collects garbage. Where strangers can reach the server, let a proxy take HTTP/2 from them.',
  },
  {
    id: 'endless-continuation',
    expected: 'Over HTTP/2, a client that sends empty CONTINUATION frames without end is dropped.',
    engines: ['bun-portable'],
    instead: 'They are taken. They cost no memory, but CPU.',
  },
  {
    id: 'no-certificate-reload',
    expected: 'SIGHUP makes the server read its certificate again.',
    engines: ['deno-native'],
    instead: 'It keeps the one that it has, and a line says so. Restart it, or take --engine portable.',
  },
  {
    id: 'reload-resets-arrivals',
    expected: 'No connection is lost while the certificate is read again.',
    engines: ['bun-native'],
    instead:
      'Those that arrive at that very moment are reset, one or two under a steady stream of them; open ones are kept. Bun can change its certificate only by listening anew.',
  },
];

/** The engine that this run is about. */
export const currentEngine: EngineId =
  currentTarget.runtime === 'node' ? 'node' : `${currentTarget.runtime}-${currentTarget.engine}`;

/**
 * Whether the engine under test differs in this.
 *
 * @throws Error when the table has no such row.
 */
export function deviates(id: string): boolean {
  const row = deviations.find((each) => each.id === id);
  if (row === undefined) throw new Error(`No deviation "${id}" in the table.`);
  return row.engines.includes(currentEngine);
}
