/**
 * The worker behind the heartbeat: told a number of milliseconds, it answers each time they have passed.
 *
 * @module
 */

self.addEventListener('message', (event) => {
  setInterval(() => self.postMessage(undefined), Number(event.data));
});
