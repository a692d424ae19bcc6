/**
 * The reports that every connection causes, as JSON: what a general formatter makes of them would cost more than all
 * else that is done for a connection.
 *
 * @module
 */

/** The last moment that was written, and how. */
let then = 0;
let written = '';

/**
 * One line in the manner of LogTape's formatter for JSON Lines, with `properties: 'flatten'`.
 *
 * @param properties - One at least.
 */
export function jsonLine(level: 'INFO' | 'WARN', message: string, properties: object): string {
  const head = `{"@timestamp":"${timestamp()}","level":"${level}","message":${JSON.stringify(message)},"logger":"echoline"`;
  // To write one object in two pieces takes less than to make one of two.
  return `${head},${JSON.stringify(properties).slice(1)}\n`;
}

function timestamp(): string {
  const now = Date.now();
  if (now === then) return written;
  then = now;
  written = new Date(now).toISOString();
  return written;
}
