/**
 * The communication log: a table that keeps the newest rows and follows them, unless its reader scrolled back.
 *
 * @module
 */

import { excerpt, show } from './message.js';

/**
 * A row to come, with the time in milliseconds since 1970.
 *
 * @typedef {{ at: number, from: 'client' | 'server', message: import('./message.js').Excerpt, heartbeat: boolean }
 *   | { at: number, from: 'page', text: string, note: string }} Entry
 */

/** The most rows that are kept. */
export const maxRows = 1000;

/** How long rows wait for an animation frame, in milliseconds; a page that can't be seen gets none. */
const longestWait = 500;

/** How near to its end the log counts as read to the end, in CSS pixels. */
const nearEnd = 4;

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/**
 * What happens is noted at once and becomes rows once a frame: each change of the table makes the browser lay it out.
 */
export class Log {
  #body;
  #scroller;
  #empty;
  #count;
  /** @type {Entry[]} */
  #waiting = [];
  #sent = 0;
  #received = 0;
  #follows = true;
  /** Where the log was scrolled to last, to follow it. */
  #followedTo = -1;
  /** Cancels the next frame, when one is due. @type {(() => void) | undefined} */
  #cancelFrame;
  /** Before when the next frame is not wanted, on the clock of `performance`. */
  #restUntil = 0;

  /**
   * @param {object} elements
   * @param {HTMLTableSectionElement} elements.body
   * @param {HTMLElement} elements.scroller - Scrolls the table.
   * @param {HTMLElement} elements.empty - Shown while there are no rows.
   * @param {HTMLElement} elements.count - Says how many messages there were, also those whose rows are gone.
   */
  constructor({ body, scroller, empty, count }) {
    this.#body = body;
    this.#scroller = scroller;
    this.#empty = empty;
    this.#count = count;
    scroller.addEventListener('scroll', () => {
      // The event of our own scrolling comes late, when further rows may be there already: it says nothing.
      if (scroller.scrollTop === this.#followedTo) return;
      this.#followedTo = -1;
      this.#setFollows(scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < nearEnd);
    });
    this.#setFollows(true);
  }

  /**
   * Adds a message.
   *
   * @param {'client' | 'server'} from
   * @param {string | Uint8Array} data
   * @param {boolean} heartbeat - Whether it is a heartbeat or its echo, which is not announced to screen readers.
   */
  message(from, data, heartbeat) {
    if (from === 'client') this.#sent++;
    else this.#received++;
    this.#waiting.push({ at: Date.now(), from, message: excerpt(data), heartbeat });
    // Those before the newest will not be shown; dropped many at a time, which costs least.
    if (this.#waiting.length >= 2 * maxRows) this.#waiting = this.#waiting.slice(-maxRows);
    this.follow();
  }

  /**
   * Adds a row that tells what happened to the connection, and shows it at once.
   *
   * @param {string} text
   * @param {string} note - More about it, or empty.
   */
  event(text, note = '') {
    this.#waiting.push({ at: Date.now(), from: 'page', text, note });
    this.#render();
    this.follow();
  }

  /** Removes all rows, and counts from 0. */
  clear() {
    this.#waiting = [];
    this.#sent = this.#received = 0;
    this.#count.textContent = '';
    this.#body.replaceChildren();
    this.#empty.hidden = false;
    this.#setFollows(true);
  }

  /** At the next frame, shows what waits and scrolls to the end, if the reader was there. */
  follow() {
    if (this.#cancelFrame !== undefined) return;
    let frame = 0;
    const run = () => {
      this.#cancelFrame?.();
      this.#cancelFrame = undefined;
      const start = performance.now();
      this.#render();
      if (this.#follows) {
        this.#scroller.scrollTop = this.#scroller.scrollHeight;
        this.#followedTo = this.#scroller.scrollTop;
      }
      // In a flood the table gets at most a third of the time; the rest is for the messages and the page's user.
      const end = performance.now();
      this.#restUntil = end + 2 * (end - start);
    };
    const rest = this.#restUntil - performance.now();
    const begin = () => {
      frame = requestAnimationFrame(run);
    };
    let pause = 0;
    if (rest > 0) pause = setTimeout(begin, rest);
    else begin();
    const patience = setTimeout(run, Math.max(0, rest) + longestWait);
    this.#cancelFrame = () => {
      clearTimeout(pause);
      clearTimeout(patience);
      cancelAnimationFrame(frame);
    };
  }

  /** @param {boolean} follows */
  #setFollows(follows) {
    this.#follows = follows;
    // While it follows, the browser is not to hold what is in view in its place when old rows are removed.
    this.#scroller.classList.toggle('follows', follows);
  }

  /** Makes rows of what waits. */
  #render() {
    if (this.#waiting.length === 0) return;
    const rows = this.#waiting.slice(-maxRows).map(rowOf);
    this.#waiting = [];
    if (rows.length === maxRows) {
      this.#body.replaceChildren(...rows);
    } else {
      for (let surplus = this.#body.childElementCount + rows.length - maxRows; surplus > 0; surplus--) {
        this.#body.firstElementChild?.remove();
      }
      this.#body.append(...rows);
    }
    this.#empty.hidden = true;
    const [sent, received] = [this.#sent, this.#received].map((number) => number.toLocaleString('en'));
    this.#count.textContent = `${sent} sent, ${received} received`;
  }
}

/** @param {Entry} entry */
function rowOf(entry) {
  const row = document.createElement('tr');
  if (entry.from === 'page') {
    row.className = 'event';
    const data = cell('data', node('span', 'text', entry.text));
    data.colSpan = 3;
    if (entry.note !== '') data.append(node('span', 'note', entry.note));
    row.append(data);
  } else {
    const { from, heartbeat } = entry;
    row.className = heartbeat ? `${from} heartbeat` : from;
    if (heartbeat) row.ariaLive = 'off';
    for (const name of from === 'client' ? ['Client', 'Server'] : ['Server', 'Client']) {
      row.append(cell('who', node('span', `tag ${name.toLowerCase()}`, name)));
    }
    row.append(dataCell(show(entry.message)));
  }
  const at = new Date(entry.at);
  const time = document.createElement('time');
  time.dateTime = at.toISOString();
  time.textContent = clock.format(at);
  time.append(node('span', 'ms', `.${String(at.getMilliseconds()).padStart(3, '0')}`));
  row.append(cell('when', time));
  return row;
}

/** @param {import('./message.js').Shown} shown */
function dataCell({ hex, text, note }) {
  const data = cell('data');
  if (hex !== '') data.append(node('code', 'hex', hex));
  if (text !== '') {
    const line = node('span', hex === '' ? 'text' : 'text of-bytes', text);
    line.dir = 'auto';
    data.append(line);
  }
  if (note !== '') data.append(node('span', 'note', note));
  return data;
}

/**
 * @param {string} className
 * @param {Node[]} children
 */
function cell(className, ...children) {
  const element = document.createElement('td');
  element.className = className;
  element.append(...children);
  return element;
}

/**
 * @param {'span' | 'code'} name
 * @param {string} className
 * @param {string} text
 */
function node(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
