/**
 * Echoline's core: the whole of the behaviour, without a runtime.
 *
 * @module
 */
export {
  type AppEnv,
  type AppOptions,
  type Bindings,
  createAnswerer,
  createApp,
  createDirectAnswerer,
  type PageFile,
  webSocket,
} from './app.ts';
export type { Compression } from './compression.ts';
export { type Config, type OptionName, resolveOptions } from './config.ts';
export type { Connection, Handler, Message, MessageCallback } from './connection.ts';
export { echo } from './echo.ts';
export type {
  Answer,
  Answerer,
  Capabilities,
  Certificate,
  DirectAnswerer,
  Engine,
  Listener,
  ListenOptions,
  Peer,
  RequestHead,
  Upgrade,
} from './engine.ts';
export type { Host } from './host.ts';
export type { Claim } from './places.ts';
export type { Cause, End, Report, ShutdownSummary } from './report.ts';
export { type ServerOptions, WebSocketServer } from './server.ts';
export type { ByteReceiver, ByteStream, Fault, Receiver, Transport } from './transport.ts';
