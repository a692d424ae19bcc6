/**
 * Byte streams to a WebSocket endpoint, upgraded and nothing more: the load client reads and writes frames as bytes.
 *
 * @module
 */
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { upgradeRequest } from '../../test/support/raw.ts';
import { within } from '../../test/support/wait.ts';

/** One WebSocket's bytes. */
export interface Wire {
  /** Takes what came; the bytes are valid during the call only. */
  onBytes: (bytes: Buffer, count: number) => void;
  onClose: (why: string) => void;
  write(bytes: Buffer): void;
  destroy(): void;
}

/** Milliseconds that an upgrade may take. */
const PATIENCE = 10_000;

/** Read into by all wires: what came is looked at during the call, and not kept. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

const ignore = (): void => {};

/** A request that every peer's checks let pass, Origin included. */
export const requestTo = (port: number): Buffer =>
  Buffer.from(upgradeRequest(`127.0.0.1:${port}`, { Origin: `http://127.0.0.1:${port}` }));

/**
 * Opens a WebSocket over TCP.
 *
 * @param localAddress - Where to connect from, where one address has too few ports.
 */
export function openTcp(port: number, request: Buffer, localAddress?: string): Promise<Wire> {
  return new Promise((resolve, reject) => {
    let head = '';
    const wire: Wire = {
      onBytes: (bytes, count) => {
        head += bytes.toString('latin1', 0, count);
        if (!head.includes('\r\n\r\n')) return;
        if (!head.startsWith('HTTP/1.1 101')) {
          socket.destroy(new Error(`refused: ${head.split('\r\n')[0]}`));
          return;
        }
        wire.onBytes = ignore;
        wire.onClose = ignore;
        resolve(wire);
      },
      onClose: (why) => reject(new Error(`no WebSocket: ${why}`)),
      write: (bytes) => void socket.write(bytes),
      destroy: () => void socket.destroy(),
    };
    const socket: Socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: {
        buffer,
        callback: (count, bytes) => {
          wire.onBytes(bytes as Buffer, count);
          return true;
        },
      },
    });
    let why = 'the server closed it';
    socket.on('connect', () => socket.write(request));
    socket.on('error', (error) => {
      why = error.message;
    });
    socket.on('close', () => wire.onClose(why));
  });
}

/** Opens several WebSockets over one HTTP/2 connection. Destroying the first ends the connection. */
export async function openHttp2(port: number, count: number): Promise<Wire[]> {
  const authority = `127.0.0.1:${port}`;
  const session = connectHttp2(`http://${authority}`, { settings: { initialWindowSize: 1 << 20 } });
  session.on('error', ignore);
  await within(
    PATIENCE,
    'the settings of an HTTP/2 server',
    new Promise<void>((resolve) => session.once('remoteSettings', () => resolve())),
  );
  const open = (): Promise<Wire> =>
    new Promise((resolve, reject) => {
      const stream = session.request(
        {
          ':method': 'CONNECT',
          ':protocol': 'websocket',
          ':scheme': 'http',
          ':authority': authority,
          ':path': '/ws',
          'sec-websocket-version': '13',
          origin: `http://${authority}`,
        },
        { endStream: false },
      );
      const wire: Wire = {
        onBytes: ignore,
        onClose: (why) => reject(new Error(`no WebSocket: ${why}`)),
        write: (bytes) => void stream.write(bytes),
        destroy: () => void session.destroy(),
      };
      stream.on('error', ignore);
      stream.on('close', () => wire.onClose(`the stream was closed with ${stream.rstCode}`));
      stream.on('data', (chunk: Buffer) => wire.onBytes(chunk, chunk.length));
      stream.once('response', (headers) => {
        if (headers[':status'] !== 200) return reject(new Error(`refused with ${headers[':status']}`));
        wire.onClose = ignore;
        resolve(wire);
      });
    });
  return Promise.all(Array.from({ length: count }, open));
}

/** Opens as many as asked for. */
export async function openWires(port: number, count: number, http2: boolean): Promise<Wire[]> {
  if (http2) return openHttp2(port, count);
  const request = requestTo(port);
  return within(
    PATIENCE,
    `${count} connections`,
    Promise.all(Array.from({ length: count }, () => openTcp(port, request))),
  );
}
