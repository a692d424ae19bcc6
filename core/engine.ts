/**
 * What an adapter is: an {@link Engine} that listens, and the values it exchanges with core.
 *
 * @module
 */
import type { Compression } from './compression.ts';
import type { Receiver, Transport } from './transport.ts';

/** What an engine can do. An option that needs what is missing is refused at start-up. */
export interface Capabilities {
  /** Can send PING on demand and tell of PONG. */
  readonly ping: boolean;
  /** Can stop reading from one peer. */
  readonly pause: boolean;
  /** Can drop a connection whose peer neither reads nor closes. */
  readonly terminate: boolean;
  /** Waits for the peer's Close frame after ours. */
  readonly awaitsPeerClose: boolean;
  /** Refuses a message over the limit before all of it is in memory. */
  readonly messageLimit: boolean;
  /**
   * Can agree on permessage-deflate (RFC 7692). `'wide'` where it can't bound its window while it compresses each
   * message by itself.
   */
  readonly compression: boolean | 'wide';
  /** Can carry WebSockets over HTTP/2 (RFC 8441). */
  readonly http2: boolean;
  /** Drops a connection on which no whole request comes. */
  readonly requestTimeout: boolean;
  /** Can take a new certificate without dropping a connection. */
  readonly reloadCertificates: boolean;
  /** Can listen on a port on which other processes of the same server listen too. */
  readonly sharesPort: boolean;
}

/** What a server proves with TLS who it is: texts in PEM (RFC 7468). */
export interface Certificate {
  /** The server's own certificate first, then those that lead to a root that clients know. */
  readonly cert: string;
  /** The private key of the first, without a passphrase. */
  readonly key: string;
}

/** Where a request came from. */
export interface Peer {
  /** The other side's address and port, such as `127.0.0.1:50312` or `[::1]:50312`. */
  readonly address: string;
}

/** An accepted WebSocket request, to be upgraded by the adapter. Exactly one of the two functions is to be called. */
export interface Upgrade {
  /** The subprotocol that was agreed, or `''`. It stands in {@link headers} too. */
  readonly protocol: string;
  /** What was agreed about compression, if anything. It stands in {@link headers} too. */
  readonly compression?: Compression | undefined;
  /** The headers to answer with, besides those that the upgrade itself consists of; names in lower case. */
  readonly headers: Iterable<[name: string, value: string]>;
  /** Takes over the upgraded socket. To be called before its first message is delivered. */
  open(transport: Transport): Receiver;
  /** Says that the upgrade came to nothing (the client left in between). */
  abandon(): void;
}

/** What a request is answered with: a response, or an upgrade. */
export type Answer = Response | Upgrade;

/**
 * Answers one request; never rejects. Every request goes through it, upgrades too, but for those that a
 * {@link DirectAnswerer} has answered.
 *
 * @param connect - The `:protocol` of an HTTP/2 CONNECT request (RFC 8441 section 4), `''` where it has none. A `Request`
 *   can't have that method, so this one has GET, what its semantics are those of (section 5); its `host` header is the
 *   `:authority`. `undefined` for every other request.
 */
export type Answerer = (request: Request, peer: Peer, connect?: string) => Promise<Answer>;

/** A request as far as an opening handshake is about it. A standard `Request` has it all. */
export interface RequestHead {
  readonly method: string;
  /** What was asked for: a URL, or a path and query alone. */
  readonly url: string;
  /** Several headers of one name come joined by `, `. Names are asked for in lower case. */
  readonly headers: Pick<Headers, 'get'>;
}

/**
 * Answers a request for a WebSocket without the app, where it would come to the same, for a fraction of its cost. Never
 * rejects.
 *
 * @returns `undefined` for every other request: those are the {@link Answerer}'s.
 */
export type DirectAnswerer = (head: RequestHead, peer: Peer) => Answer | Promise<Answer> | undefined;

/** What an engine needs to know to listen. */
export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly answer: Answerer;
  /** May be asked before {@link answer}, for any request but CONNECT. Default: nothing is. */
  readonly direct?: DirectAnswerer;
  /** The largest message to accept, in bytes. */
  readonly maxMessageSize: number;
  /** Whether upgrades may come with {@link Upgrade.compression}. */
  readonly compression: boolean;
  /** Milliseconds between keep-alive PINGs, 0 for none; only for an engine that pings by itself. */
  readonly keepAliveInterval: number;
  /** With it, the engine speaks TLS and nothing else. */
  readonly certificate?: Certificate;
  /** Whether HTTP/2 is spoken beside HTTP/1.1: agreed on in TLS, or by the first bytes where there is no TLS. */
  readonly http2: boolean;
  /** Whether other processes of this server listen on the port too. Default: no. */
  readonly sharesPort?: boolean;
}

/** A listening engine. */
export interface Listener {
  /** The address that was bound. */
  readonly hostname: string;
  /** The port that was bound. */
  readonly port: number;
  /**
   * Takes another certificate for the connections to come. Those that there are stay as they are.
   *
   * Only where `capabilities.reloadCertificates` is true, and {@link ListenOptions.certificate} was given.
   */
  reload(certificate: Certificate): Promise<void>;
  /** Stops listening and drops every connection that is left. */
  close(): Promise<void>;
}

/** What binds core to a runtime. */
export interface Engine {
  readonly name: 'native' | 'portable';
  readonly capabilities: Capabilities;
  /** Rejects with the runtime's own error where the address can't be bound. */
  listen(options: ListenOptions): Promise<Listener>;
}
