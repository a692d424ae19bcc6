/**
 * The communication log: a table that keeps the newest rows and follows them, unless its reader scrolled back.
 *
 * @module
 */

/** @typedef {import('./message.js').Shown} Shown */

/** The most rows that are kept. */
export const maxRows = 1000;

/** How near to its end the log counts as read to the end, in CSS pixels. */
const nearEnd = 4;

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

export class Log {
  #body;
  #scroller;
  #empty;
  #follows = true;
  #scrollDue = false;
  /** Where {@link follow} scrolled to last. */
  #followedTo = -1;

  /**
   * @param {HTMLTableSectionElement} body
   * @param {HTMLElement} scroller - The element that scrolls the table.
   * @param {HTMLElement} empty - Shown while there are no rows.
   */
  constructor(body, scroller, empty) {
    this.#body = body;
    this.#scroller = scroller;
    this.#empty = empty;
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
   * @param {Shown} shown
   * @param {boolean} heartbeat - Whether it is a heartbeat or its echo, which is not announced to screen readers.
   */
  message(from, shown, heartbeat) {
    const row = document.createElement('tr');
    row.className = heartbeat ? `${from} heartbeat` : from;
    if (heartbeat) row.ariaLive = 'off';
    const names = from === 'client' ? ['Client', 'Server'] : ['Server', 'Client'];
    for (const name of names) {
      const tag = node('span', `tag ${name.toLowerCase()}`, name);
      row.append(cell('who', tag));
    }
    const data = cell('data');
    if (shown.hex !== '') data.append(node('code', 'hex', shown.hex));
    if (shown.text !== '') {
      const text = node('span', shown.hex === '' ? 'text' : 'text of-bytes', shown.text);
      text.dir = 'auto';
      data.append(text);
    }
    if (shown.note !== '') data.append(node('span', 'note', shown.note));
    row.append(data);
    this.#add(row);
  }

  /**
   * Adds a row that tells what happened to the connection.
   *
   * @param {string} text
   * @param {string} note - More about it, or empty.
   */
  event(text, note = '') {
    const row = document.createElement('tr');
    row.className = 'event';
    const data = cell('data', node('span', 'text', text));
    data.colSpan = 3;
    if (note !== '') data.append(node('span', 'note', note));
    row.append(data);
    this.#add(row);
  }

  /** Removes all rows. */
  clear() {
    this.#body.replaceChildren();
    this.#empty.hidden = false;
    this.#setFollows(true);
  }

  /** Scrolls to the end at the next frame, if the reader was there. */
  follow() {
    if (!this.#follows || this.#scrollDue) return;
    this.#scrollDue = true;
    // Once a frame, not once a message: each scroll makes the browser lay out the table.
    requestAnimationFrame(() => {
      this.#scrollDue = false;
      if (!this.#follows) return;
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#followedTo = this.#scroller.scrollTop;
    });
  }

  /** @param {boolean} follows */
  #setFollows(follows) {
    this.#follows = follows;
    // While it follows, the browser is not to hold what is in view in its place when old rows are removed.
    this.#scroller.classList.toggle('follows', follows);
  }

  /** @param {HTMLTableRowElement} row */
  #add(row) {
    const now = new Date();
    const time = document.createElement('time');
    time.dateTime = now.toISOString();
    time.textContent = clock.format(now);
    time.append(node('span', 'ms', `.${String(now.getMilliseconds()).padStart(3, '0')}`));
    row.append(cell('when', time));
    this.#body.append(row);
    while (this.#body.rows.length > maxRows) this.#body.deleteRow(0);
    this.#empty.hidden = true;
    this.follow();
  }
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
