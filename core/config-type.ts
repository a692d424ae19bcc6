/**
 * What a configuration is once it was read.
 *
 * @module
 */

/** How the server is to run. Times are milliseconds and sizes bytes, though people write seconds and `16MiB`. */
export interface Config {
  /** The address to listen on. Default `127.0.0.1`: this machine alone can connect. */
  readonly host: string;
  /** The port to listen on; 0 takes a free one. Default 8080. */
  readonly port: number;
  /** Where WebSockets are served. Default `/ws`. */
  readonly path: string;
  /** The Origins that may connect; see `OriginOptions.allowed`. Default none: those of the request's own host. */
  readonly allowedOrigins: readonly string[];
  /** Whether requests without Origin are refused. Default false. */
  readonly requireOrigin: boolean;
  /** X: how often clients are to send a message, in milliseconds; 0 is off. Default 30000. */
  readonly pingInterval: number;
  /** What of a client resets its idle timeout of 2·X: its messages, PONGs as well, or there is none. Default messages. */
  readonly liveness: 'messages' | 'frames' | 'off';
  /** How often the server sends a PING, in milliseconds; 0 is off. Default 120000. */
  readonly keepAliveInterval: number;
  /** How long a PONG may take before the connection is dropped, in milliseconds; 0 is for ever. Default 0. */
  readonly keepAliveTimeout: number;
  /** The largest message that is taken, in bytes. Default 16 MiB. */
  readonly maxMessageSize: number;
  /** How much may wait for one slow reader before the server stops reading from it, in bytes. Default 1 MiB. */
  readonly maxBuffered: number;
  /** How many connections there may be. Default 10000. */
  readonly maxConnections: number;
  /** The subprotocols that the server speaks, the preferred one first. Default none. */
  readonly subprotocols: readonly string[];
  /** Whether messages may be compressed (permessage-deflate, RFC 7692). Default false. */
  readonly compression: boolean;
  /** The server's compression window, 2^bits octets: 9 to 15. Default 15. */
  readonly compressionWindowBits: number;
  /** Whether each message is compressed by itself, by both sides: worse, with less memory. Default false. */
  readonly compressionNoContextTakeover: boolean;
  /** How long connections may take to close when the server shuts down, in milliseconds. Default 10000. */
  readonly shutdownTimeout: number;
  /** The PEM file with the certificate and those that lead to its root. Default `''`: no TLS. */
  readonly tlsCert: string;
  /** The PEM file with the private key of {@link tlsCert}. Default `''`: no TLS. */
  readonly tlsKey: string;
  /** Whether HTTP/2 is spoken beside HTTP/1.1 in TLS. Default false. */
  readonly http2: boolean;
  /** Whether HTTP/2 is spoken beside HTTP/1.1 without TLS, to those who begin with it. Default false. */
  readonly http2Cleartext: boolean;
  /** What carries the connections; `auto` is native unless that can't do what is asked. Default `auto`. */
  readonly engine: 'auto' | 'native' | 'portable';
  /** How many processes serve; `auto` is one for each core. Default 1. */
  readonly workers: number | 'auto';
  /** How reports are written. Default `pretty`. */
  readonly log: 'pretty' | 'json' | 'off';
}
