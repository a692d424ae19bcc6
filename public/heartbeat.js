/**
 * The client's half of the 2·X rule: a ping message every X seconds, and a countdown to the server's idle timeout.
 *
 * @module
 */

/**
 * Calls back at an interval until the returned function is called.
 *
 * @callback Every
 * @param {number} milliseconds
 * @param {() => void} callback
 * @returns {() => void}
 */

/** The heartbeat of one page, for whichever connection is open. */
export class Heartbeat {
  /** The message that is sent. It is ordinary text: script in a browser can't send PING frames. */
  static message = 'ping';

  #every;
  #now;
  #send;
  #on = true;
  #pingInterval = 0;
  #idleTimeout = 0;
  #openedOrSent = 0;
  #open = false;
  #stopTimer = () => {};

  /**
   * @param {object} needs
   * @param {Every} needs.every - A timer.
   * @param {() => number} needs.now - A clock that never goes back, in milliseconds.
   * @param {() => void} needs.send - Sends one {@link Heartbeat.message} and calls {@link sent}.
   */
  constructor({ every, now, send }) {
    this.#every = every;
    this.#now = now;
    this.#send = send;
  }

  /**
   * A connection opened.
   *
   * @param {number} pingInterval - X, in seconds; 0 = no heartbeat.
   * @param {number} idleTimeout - In seconds; 0 = none.
   */
  open(pingInterval, idleTimeout) {
    this.#open = true;
    this.#openedOrSent = this.#now();
    this.#pingInterval = pingInterval;
    this.#idleTimeout = idleTimeout;
    this.#restart();
  }

  /**
   * The server asks for something else than was believed when the connection {@link open}ed.
   *
   * @param {number} pingInterval - X, in seconds; 0 = no heartbeat.
   * @param {number} idleTimeout - In seconds; 0 = none.
   */
  change(pingInterval, idleTimeout) {
    if (!this.#open || (pingInterval === this.#pingInterval && idleTimeout === this.#idleTimeout)) return;
    this.#pingInterval = pingInterval;
    this.#idleTimeout = idleTimeout;
    this.#restart();
  }

  /** The connection is over. */
  close() {
    this.#open = false;
    this.#stopTimer();
  }

  /** Any message was sent, which is what the server waits for. */
  sent() {
    this.#openedOrSent = this.#now();
  }

  /**
   * Switches the heartbeat on or off. Switched on while connected, it beats at once: the silence may be long already.
   *
   * @param {boolean} on
   */
  switch(on) {
    this.#on = on;
    this.#restart();
    if (on && this.#open && this.#pingInterval > 0) this.#send();
  }

  /**
   * How long until the server hangs up if nothing is sent.
   *
   * @returns {number | undefined} In milliseconds, never below 0; `undefined` when not connected or never.
   */
  get remaining() {
    if (!this.#open || this.#idleTimeout === 0) return undefined;
    return Math.max(0, this.#idleTimeout * 1000 - (this.#now() - this.#openedOrSent));
  }

  #restart() {
    this.#stopTimer();
    this.#stopTimer = () => {};
    if (this.#on && this.#open && this.#pingInterval > 0) {
      this.#stopTimer = this.#every(this.#pingInterval * 1000, this.#send);
    }
  }
}

/**
 * A timer in a worker. Browsers slow the timers of a page in a background tab down to one a minute, too slow for the
 * 2·X rule; they leave those of workers alone.
 *
 * @type {Every}
 */
export function everyInWorker(milliseconds, callback) {
  const worker = new Worker(new URL('timer.js', import.meta.url), { type: 'module' });
  worker.onmessage = callback;
  worker.postMessage(milliseconds);
  return () => worker.terminate();
}

/**
 * What a countdown says.
 *
 * @param {number} remaining - In milliseconds.
 * @param {number} total - In seconds; a short one is counted in tenths.
 * @returns {string}
 */
export function formatCountdown(remaining, total) {
  if (remaining === 0) return 'any moment now';
  return total < 10 ? `in ${(Math.ceil(remaining / 100) / 10).toFixed(1)} s` : `in ${Math.ceil(remaining / 1000)} s`;
}
