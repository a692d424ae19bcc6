/**
 * Reports as lines: readable ones for people, JSON for machines.
 *
 * @module
 */
import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type TextFormatter,
} from '@logtape/logtape';
import { printable, type Report } from '../core/report.ts';

/** What a server says once when it is ready. */
export interface ListeningReport {
  readonly event: 'listening';
  readonly url: string;
  readonly path: string;
  readonly runtime: string;
  readonly version: string;
  readonly engine: string;
  /** Why this engine was taken, where that needs saying. */
  readonly note?: string;
}

/** What a server says when it was told to read its certificate again. */
export interface CertificateReport {
  readonly event: 'certificate';
  /** Whether connections get the new one from now on. */
  readonly reloaded: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** How reports are written. */
export type LogFormat = 'pretty' | 'json' | 'off';

/** Writes reports. */
export interface Log {
  report(report: Report): void;
  /** The ready line, which is printed whatever the format: whoever took a free port wants to know it. */
  listening(report: ListeningReport): void;
  certificate(report: CertificateReport): void;
}

const formatters: Record<Exclude<LogFormat, 'off'>, () => TextFormatter> = {
  json: () => getJsonLinesFormatter({ properties: 'flatten' }),
  pretty: () =>
    getTextFormatter({ timestamp: 'time', level: 'L', format: ({ timestamp, message }) => `${timestamp} ${message}` }),
};

/** @param write - Writes a text that ends with a line break. */
export function createLog(format: LogFormat, write: (line: string) => void): Log {
  if (format !== 'off') {
    const toLine = formatters[format]();
    configureSync({
      reset: true,
      sinks: { out: (record) => write(toLine(record)) },
      loggers: [
        { category: 'echoline', sinks: ['out'] },
        { category: ['logtape', 'meta'], sinks: ['out'], lowestLevel: 'error' },
      ],
    });
  }
  const logger = getLogger('echoline');
  return {
    report(report) {
      const properties = { ...report } as Record<string, unknown>;
      if (report.event === 'handler-error') logger.error(text(report), { ...properties, error: plain(report.error) });
      else if (report.event === 'refused') logger.warn(text(report), properties);
      else logger.info(text(report), properties);
    },
    listening(report) {
      const { url, path, runtime, version, engine, note } = report;
      const line = `Echoline listening on ${url} (WebSocket at ${path}) with ${runtime} ${version}, ${engine} engine`;
      if (format === 'json') logger.info(line, { ...report });
      else write(note === undefined ? `${line}\n` : `${line}: ${note}\n`);
    },
    certificate(report) {
      const properties = { ...report } as Record<string, unknown>;
      if (report.reloaded) logger.info('the certificate was read again; new connections get it', properties);
      else logger.error(literal(`the certificate stays as it was: ${report.reason}`), properties);
    },
  };
}

/** A report as a sentence. */
function text(report: Report): string {
  switch (report.event) {
    case 'opened': {
      const origin = report.origin === null ? '' : ` from ${report.origin}`;
      const protocol = report.protocol === '' ? '' : `, subprotocol ${report.protocol}`;
      return literal(`#${report.connection} opened by ${report.remote}${origin} at ${report.path}${protocol}`);
    }
    case 'refused': {
      const origin = report.origin === null ? '' : ` from ${report.origin}`;
      return literal(`refused ${report.remote}${origin} with ${report.status}: ${report.reason}`);
    }
    case 'ended': {
      const { messagesIn, bytesIn, messagesOut, bytesOut, lastMessageMs } = report;
      const reason = report.reason === '' ? '' : ` "${report.reason}"`;
      const last = lastMessageMs === null ? 'no message ever came' : `last message ${seconds(lastMessageMs)} ago`;
      return literal(
        `#${report.connection} ended by ${report.cause} (${report.code}${reason}) after ${seconds(report.durationMs)}: ` +
          `${messagesIn} messages (${bytesIn} bytes) in, ${messagesOut} (${bytesOut} bytes) out, ${last}`,
      );
    }
    case 'handler-error': {
      const whose = report.connection === null ? 'the application' : `the handler of #${report.connection}`;
      const { name, message, stack } = plain(report.error);
      return literal([`${whose} failed: ${name}: ${message}`, ...stack].join('\n    '));
    }
    case 'shutdown':
      return `shut down: ${report.closed} connections closed, ${report.terminated} terminated`;
  }
}

/** What can be said of anything that was thrown. Its message can quote what a client sent; its parts can throw. */
function plain(error: unknown): { name: string; message: string; stack: string[] } {
  const say = (get: () => unknown): string => {
    try {
      return String(get() ?? '');
    } catch {
      return '';
    }
  };
  const { name, message, stack } = (typeof error === 'object' && error !== null ? error : {}) as Partial<Error>;
  const known = { name: say(() => name), message: say(() => message ?? error), stack: say(() => stack) };
  return {
    name: printable(known.name || 'Error'),
    message: printable(known.message || 'something was thrown that says nothing of itself'),
    stack: known.stack
      .split('\n')
      .filter((line) => /^\s*at /.test(line))
      .map((line) => printable(line.trim())),
  };
}

/** In a message template, braces would be taken for placeholders. */
function literal(message: string): string {
  return message.replaceAll('{', '{{').replaceAll('}', '}}');
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 0)} s`;
}
