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
import { jsonLine } from './json-line.ts';

/** What a server says once when it is ready. */
export interface ListeningReport {
  readonly event: 'listening';
  readonly url: string;
  readonly path: string;
  readonly runtime: string;
  readonly version: string;
  readonly engine: string;
  /** How many processes serve. */
  readonly workers: number;
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

/** A worker ended that was to serve on. */
export interface WorkerEndedReport {
  readonly event: 'worker-ended';
  readonly worker: number;
  readonly pid: number;
  /** Its exit status, or `null` where a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** How many connections ended with it. */
  readonly connections: number;
  /** Milliseconds until another is started; `null` where there is no use in it. */
  readonly restartMs: number | null;
  /** Why it could not serve, where it said so. */
  readonly reason?: string;
}

/** A worker serves in the place of one that ended. */
export interface WorkerStartedReport {
  readonly event: 'worker-started';
  readonly worker: number;
  readonly pid: number;
}

/** How reports are written. */
export type LogFormat = 'pretty' | 'json' | 'off';

/** Writes reports. */
export interface Log {
  report(report: Report): void;
  /** The ready line, which is printed whatever the format: whoever took a free port wants to know it. */
  listening(report: ListeningReport): void;
  certificate(report: CertificateReport): void;
  worker(report: WorkerEndedReport | WorkerStartedReport): void;
}

/** How LogTape's levels are written. */
const LEVELS = { info: 'INFO', warn: 'WARN' } as const;

const formatters: Record<Exclude<LogFormat, 'off'>, () => TextFormatter> = {
  json: () => getJsonLinesFormatter({ properties: 'flatten' }),
  pretty: () =>
    getTextFormatter({ timestamp: 'time', level: 'L', format: ({ timestamp, message }) => `${timestamp} ${message}` }),
};

/**
 * @param write - Writes a text that ends with a line break.
 * @param worker - The number of the worker that reports, where there are several; connections are numbered in each.
 */
export function createLog(format: LogFormat, write: (line: string) => void, worker?: number): Log {
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
  const mark = worker === undefined ? '#' : `#${worker}.`;
  return {
    report(report) {
      if (format === 'off') return;
      const sentence = text(report, mark);
      const properties = worker === undefined ? report : { ...report, worker };
      if (report.event === 'handler-error') {
        logger.error(literal(sentence), { ...properties, error: plain(report.error) });
      } else {
        const level = report.event === 'refused' ? 'warn' : 'info';
        if (format === 'json') write(jsonLine(LEVELS[level], sentence, properties));
        else logger[level](literal(sentence));
      }
    },
    listening(report) {
      const { url, path, runtime, version, engine, workers, note } = report;
      const processes = workers === 1 ? '' : `, ${workers} workers`;
      const line = `Echoline listening on ${url} (WebSocket at ${path}) with ${runtime} ${version}, ${engine} engine${processes}`;
      if (format === 'json') logger.info(line, { ...report });
      else write(note === undefined ? `${line}\n` : `${line}: ${note}\n`);
    },
    certificate(report) {
      const properties = { ...report } as Record<string, unknown>;
      if (report.reloaded) logger.info('the certificate was read again; new connections get it', properties);
      else logger.error(literal(`the certificate stays as it was: ${report.reason}`), properties);
    },
    worker(report) {
      const properties = { ...report } as Record<string, unknown>;
      if (report.event === 'worker-ended') logger.error(literal(ending(report)), properties);
      else logger.info(`worker ${report.worker} (pid ${report.pid}) serves`, properties);
    },
  };
}

/** What is said of a worker that ended. */
function ending({ worker, pid, code, signal, connections, restartMs, reason }: WorkerEndedReport): string {
  const how = signal === null ? `with status ${code}` : `by ${signal}`;
  const next =
    restartMs === null
      ? 'no other is started'
      : `another is started ${restartMs === 0 ? 'now' : `in ${seconds(restartMs)}`}`;
  const why = reason === undefined ? '' : ` (${reason})`;
  return `worker ${worker} (pid ${pid}) ended ${how}${why}, and ${connections} connections with it; ${next}`;
}

/** A report as a sentence. @param mark - Stands before a connection's number. */
function text(report: Report, mark: string): string {
  switch (report.event) {
    case 'opened': {
      const origin = report.origin === null ? '' : ` from ${report.origin}`;
      const protocol = report.protocol === '' ? '' : `, subprotocol ${report.protocol}`;
      return `${mark}${report.connection} opened by ${report.remote}${origin} at ${report.path}${protocol}`;
    }
    case 'refused': {
      const origin = report.origin === null ? '' : ` from ${report.origin}`;
      return `refused ${report.remote}${origin} with ${report.status}: ${report.reason}`;
    }
    case 'ended': {
      const { messagesIn, bytesIn, messagesOut, bytesOut, lastMessageMs } = report;
      const reason = report.reason === '' ? '' : ` "${report.reason}"`;
      const last = lastMessageMs === null ? 'no message ever came' : `last message ${seconds(lastMessageMs)} ago`;
      return (
        `${mark}${report.connection} ended by ${report.cause} (${report.code}${reason}) after ${seconds(report.durationMs)}: ` +
        `${messagesIn} messages (${bytesIn} bytes) in, ${messagesOut} (${bytesOut} bytes) out, ${last}`
      );
    }
    case 'handler-error': {
      const whose = report.connection === null ? 'the application' : `the handler of ${mark}${report.connection}`;
      const { name, message, stack } = plain(report.error);
      return [`${whose} failed: ${name}: ${message}`, ...stack].join('\n    ');
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
