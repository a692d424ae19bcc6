/** A server on a fake clock, and clients that connect to it without a network. */

import type { Connection, Handler } from '../../../core/connection.ts';
import type { Capabilities, Upgrade } from '../../../core/engine.ts';
import type { Accept } from '../../../core/handshake.ts';
import type { Claim } from '../../../core/places.ts';
import type { EndedReport, Report } from '../../../core/report.ts';
import { type ServerOptions, WebSocketServer } from '../../../core/server.ts';
import type { Receiver } from '../../../core/transport.ts';
import { FakeClock } from './clock.ts';
import { FakeTransport } from './transport.ts';

export const everything: Capabilities = {
  ping: true,
  pause: true,
  terminate: true,
  awaitsPeerClose: true,
  messageLimit: true,
  compression: true,
  http2: true,
  requestTimeout: true,
  reloadCertificates: true,
  sharesPort: true,
};

export const options: ServerOptions = {
  allowedOrigins: [],
  requireOrigin: false,
  subprotocols: [],
  pingInterval: 30_000,
  liveness: 'messages',
  keepAliveInterval: 120_000,
  keepAliveTimeout: 0,
  maxMessageSize: 1000,
  maxBuffered: 500,
  maxConnections: 10,
  compression: false,
  compressionWindowBits: 15,
  compressionNoContextTakeover: false,
  shutdownTimeout: 10_000,
};

export const peer = { address: '192.0.2.7:50312' };

const handshake = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  host: 'server.test',
};

/** A request for a WebSocket, with more or other headers. */
export function upgradeRequest(headers: Record<string, string> = {}, path = '/ws'): Request {
  const request = new Request(`http://server.test${path}`);
  // Fetch forbids a client some of these headers, and some runtimes see to it in the constructor.
  Object.defineProperty(request, 'headers', { value: new Headers({ ...handshake, ...headers }) });
  return request;
}

/** A handler that takes no message, for as long as its connection lasts. */
export const listen: Handler = (connection: Connection) => connection.closed;

export interface Client {
  readonly transport: FakeTransport;
  readonly receiver: Receiver;
}

export class TestServer {
  readonly clock = new FakeClock();
  readonly reports: Report[] = [];
  readonly server: WebSocketServer;

  constructor(settings: Partial<ServerOptions> = {}, capabilities: Partial<Capabilities> = {}, places?: Claim) {
    this.server = new WebSocketServer(
      { ...options, ...settings },
      {
        capabilities: { ...everything, ...capabilities },
        now: this.clock.now,
        after: this.clock.after,
        byteLength: (text) => new TextEncoder().encode(text).length,
        report: (report) => this.reports.push(report),
        ...(places === undefined ? {} : { places }),
      },
    );
  }

  /** Judges and admits a request, as the application does. */
  admit(handler: Handler = listen, request: Request = upgradeRequest()): Upgrade {
    const accept = this.server.judge(request) as Accept;
    if (!accept.accepted) throw new Error(`refused: ${JSON.stringify(accept)}`);
    const upgrade = this.server.admit(request, peer, accept, new Headers(), handler);
    if ('accepted' in upgrade) throw new Error(`refused: ${upgrade.reason}`);
    return upgrade;
  }

  /** Opens a connection. Its handler begins with the next microtask. */
  open(handler: Handler = listen, transport: FakeTransport = new FakeTransport()): Client {
    return { transport, receiver: this.admit(handler).open(transport) };
  }

  /** Every report of one event. */
  of<E extends Report['event']>(event: E): Extract<Report, { event: E }>[] {
    return this.reports.filter((report): report is Extract<Report, { event: E }> => report.event === event);
  }

  /** The reports of ends. */
  get ends(): EndedReport[] {
    return this.of('ended');
  }
}
