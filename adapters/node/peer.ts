/**
 * Who is on the other side of a socket.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { Peer } from '../../core/engine.ts';

export function peerOf({ remoteAddress = '', remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): Peer {
  return {
    address: remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`,
  };
}
