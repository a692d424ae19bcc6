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
 * @param properties - Text, numbers, booleans and nulls.
 */
export function jsonLine(level: 'INFO' | 'WARN', message: string, properties: object): string {
  let line = `{"@timestamp":"${timestamp()}","level":"${level}","message":${quoted(message)},"logger":"echoline"`;
  for (const name in properties) {
    const value = (properties as Record<string, unknown>)[name];
    line += `,"${name}":${typeof value === 'string' ? quoted(value) : value}`;
  }
  return `${line}}\n`;
}

/** ASCII without what JSON escapes, as nearly all of it is: to be escaped takes longer. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function timestamp(): string {
  const now = Date.now();
  if (now === then) return written;
  then = now;
  written = new Date(now).toISOString();
  return written;
}
