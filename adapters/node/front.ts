/**
 * What listens: one port for HTTP/1.1 and HTTP/2, with TLS or without.
 *
 * @module
 */
import type { Server as Http1Server, IncomingMessage, ServerResponse } from 'node:http';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Certificate } from '../../core/engine.ts';
import { Patience } from './patience.ts';
import { peerOf } from './peer.ts';

/** What HTTP/2 with prior knowledge begins with (RFC 9113 section 3.4), as far as nothing else does. */
const PREFACE = 'PRI ';
/** How long TLS may take to be agreed on, in milliseconds. */
const HANDSHAKE = 10_000;
/** How long what was said last may take to leave, in milliseconds. */
const LINGER = 500;

/** A listening server and how it is stopped. */
export interface Front {
  readonly server: Server;
  reload(certificate: Certificate): void;
  /** Drops every connection. */
  drop(): void;
}

/** HTTP/1.1 alone, without TLS: `node:http` listens itself. */
export function plainFront(http1: Http1Server): Front {
  return { server: http1, reload() {}, drop: () => http1.closeAllConnections() };
}

/** Gives each connection to the server of the version that it speaks. */
export function sharedFront(http1: Http1Server, http2: Http2Server | undefined, certificate?: Certificate): Front {
  const patience = new Patience();
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const hand = (socket: Socket, toHttp2: boolean) => {
    if (toHttp2) {
      patience.end(socket);
      // The other side's end is the end of the session, whose streams it would not be told of otherwise.
      socket.allowHalfOpen = false;
    }
    (toHttp2 ? (http2 as Http2Server) : http1).emit('connection', socket);
  };
  const welcome = (socket: Socket) => {
    patience.begin(socket);
    sockets.add(socket);
    socket.once('close', () => {
      patience.end(socket);
      sockets.delete(socket);
    });
    socket.on('error', () => {});
  };

  http1.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    patience.end(socket);
    response.once('close', () => {
      if (!socket.destroyed) patience.begin(socket);
    });
  });
  for (const event of ['upgrade', 'connect'] as const) {
    http1.prependListener(event, (request: IncomingMessage) => patience.end(request.socket));
  }
  http2?.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });

  let server: Server;
  if (certificate === undefined) {
    server = createTcpServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      welcome(socket);
      if (http2 === undefined) hand(socket, false);
      else look(socket, (isHttp2) => hand(socket, isHttp2));
    });
  } else {
    const ALPNProtocols = http2 === undefined ? ['http/1.1'] : ['h2', 'http/1.1'];
    server = createTlsServer({
      ...certificate,
      ALPNProtocols,
      allowHalfOpen: true,
      noDelay: true,
    });
    // Bun gives the same socket again when TLS is agreed on, the others one above it.
    const greeting = new Map<string, Socket>();
    server.on('secureConnection', (socket: TLSSocket) => {
      const under = greeting.get(peerOf(socket).address);
      if (under !== undefined) patience.end(under);
      welcome(socket);
      hand(socket, socket.alpnProtocol === 'h2');
    });
    // A client that speaks no TLS, or not ours, is dropped; there is nothing to say to it.
    server.on('tlsClientError', (_, socket: TLSSocket) => socket.destroy());
    // Those too with which TLS is not agreed yet. The option `handshakeTimeout` is about silence, not about the whole.
    server.on('connection', (socket: Socket) => {
      const { address } = peerOf(socket);
      greeting.set(address, socket);
      patience.begin(socket, HANDSHAKE);
      sockets.add(socket);
      socket.once('close', () => {
        patience.end(socket);
        if (greeting.get(address) === socket) greeting.delete(address);
        sockets.delete(socket);
      });
    });
  }

  return {
    server,
    reload: (next) => (server as TlsServer).setSecureContext({ ...next }),
    drop() {
      // Each says GOAWAY; what it was given to send before may take a moment.
      for (const session of sessions) session.close();
      const destroy = () => {
        for (const socket of sockets) socket.destroy();
      };
      if (sessions.size === 0) destroy();
      else setTimeout(destroy, LINGER);
    },
  };
}

/** Tells HTTP/2 from HTTP/1.1 by the first bytes, and leaves them to be read again. */
function look(socket: Duplex, found: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const leave = () => socket.destroy();
  const see = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk !== null) seen = Buffer.concat([seen, chunk]);
    const start = seen.toString('latin1', 0, PREFACE.length);
    if (start.length < PREFACE.length && PREFACE.startsWith(start)) {
      socket.once('readable', see);
    } else {
      socket.off('end', leave);
      socket.unshift(seen);
      found(start === PREFACE);
    }
  };
  socket.once('end', leave);
  socket.once('readable', see);
}
