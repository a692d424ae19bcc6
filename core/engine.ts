/**
 * What an adapter is: an {@link Engine} that listens, and the values it exchanges with core.
 *
 * @module
 */
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
  /** Can agree on permessage-deflate (RFC 7692). */
  readonly compression: boolean;
  /** Can carry WebSockets over HTTP/2 (RFC 8441). */
  readonly http2: boolean;
  /** Drops a connection on which no whole request comes. */
  readonly requestTimeout: boolean;
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
  /** The headers to answer with, besides those that the upgrade itself consists of. */
  readonly headers: Headers;
  /** Takes over the upgraded socket. To be called before its first message is delivered. */
  open(transport: Transport): Receiver;
  /** Says that the upgrade came to nothing (the client left in between). */
  abandon(): void;
}

/** What a request is answered with: a response, or an upgrade. */
export type Answer = Response | Upgrade;

/** Answers one request; never rejects. Every request goes through it, upgrades too. */
export type Answerer = (request: Request, peer: Peer) => Promise<Answer>;

/** What an engine needs to know to listen. */
export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly answer: Answerer;
  /** The largest message to accept, in bytes. */
  readonly maxMessageSize: number;
  /** Milliseconds between keep-alive PINGs, 0 for none; only for an engine that pings by itself. */
  readonly keepAliveInterval: number;
}

/** A listening engine. */
export interface Listener {
  /** The address that was bound. */
  readonly hostname: string;
  /** The port that was bound. */
  readonly port: number;
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
