/**
 * The page: its form fields, one WebSocket at a time, the heartbeat and the log.
 *
 * @module
 */
import { checkUrl, defaultFacts, defaultUrl, describeFacts, loadFacts } from './facts.js';
import { everyInWorker, formatCountdown, Heartbeat } from './heartbeat.js';
import { Log } from './log.js';
import { compose, explainClose, formatBytes, formatSeconds, show } from './message.js';

/** @typedef {'ready' | 'connecting' | 'open' | 'closing' | 'closed'} State */

const stateTexts = {
  ready: 'Ready to connect...',
  connecting: 'Connecting',
  open: 'Open',
  closing: 'Closing...',
  closed: 'Closed',
};

const stateLabel = get('stateLabel', HTMLElement);
const urlField = get('connectionUrl', HTMLInputElement);
const urlError = get('urlError', HTMLElement);
const subprotocols = get('subprotocols', HTMLInputElement);
const connectForm = get('connectForm', HTMLFormElement);
const connectButton = get('connectButton', HTMLButtonElement);
const messageForm = get('messageForm', HTMLFormElement);
const messageField = get('sendMessage', HTMLInputElement);
const messageProblem = get('messageProblem', HTMLElement);
const sendAs = get('sendAs', HTMLSelectElement);
const sendButton = get('sendButton', HTMLButtonElement);
const closeButton = get('closeButton', HTMLButtonElement);
const heartbeatSwitch = get('heartbeat', HTMLInputElement);
const heartbeatNote = get('heartbeatNote', HTMLElement);
const countdown = get('countdown', HTMLElement);
const countdownBar = get('countdownBar', HTMLProgressElement);
const showHeartbeats = get('showHeartbeats', HTMLInputElement);
const commsLog = get('commsLog', HTMLTableSectionElement);

const log = new Log(commsLog, get('logScroller', HTMLElement), get('logEmpty', HTMLElement));
const heartbeat = new Heartbeat({ every: everyInWorker, now: () => performance.now(), send: sendHeartbeat });

/** @type {State} */
let state = 'ready';
let facts = defaultFacts;
/** @type {WebSocket | undefined} */
let socket;
/** Where the socket leads to. @type {URL | undefined} */
let target;
/** Heartbeats whose echo has not come yet. */
let heartbeatsOut = 0;
let urlEdited = false;

/** @param {State} next */
function setState(next) {
  const held = document.activeElement;
  state = next;
  stateLabel.textContent = stateTexts[next];
  stateLabel.dataset.state = next;
  const idle = next === 'ready' || next === 'closed';
  urlField.disabled = subprotocols.disabled = connectButton.disabled = !idle;
  messageField.disabled = sendButton.disabled = closeButton.disabled = next !== 'open';
  // The keyboard's place must not get lost on a control that has just been switched off.
  const lost = held === document.body || (held instanceof HTMLElement && held.matches(':disabled'));
  if (lost && next === 'open') messageField.focus({ preventScroll: true });
  if (lost && next === 'closed') connectButton.focus({ preventScroll: true });
}

function connect() {
  if (state !== 'ready' && state !== 'closed') return;
  const checked = checkUrl(urlField.value);
  if ('problem' in checked) return setUrlProblem(checked.problem);
  const protocols = subprotocols.value.split(',').flatMap((name) => name.trim() || []);
  try {
    socket = new WebSocket(checked.url, protocols);
  } catch (error) {
    return setUrlProblem(`The browser can’t connect to that: ${error instanceof Error ? error.message : error}`);
  }
  setUrlProblem('');
  target = checked.url;
  heartbeatsOut = 0;
  let opened = false;
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    opened = true;
    setState('open');
    log.event('Connection opened', socket?.protocol ? `Subprotocol: ${socket.protocol}` : '');
    heartbeat.open(facts.pingInterval, own() ? facts.idleTimeout : 0);
    // The server may have been restarted with other settings since the page was loaded.
    if (own()) void refreshFacts();
    tick();
  };
  socket.onmessage = (event) => receive(event.data);
  socket.onclose = (event) => {
    heartbeat.close();
    setState('closed');
    log.event(`Connection closed. Code: ${event.code}. Reason: ${event.reason}`, explainClose(event.code, opened));
    tick();
  };
  setState('connecting');
}

/** Whether the socket leads to the server that this page came from, whose facts are known. */
function own() {
  return target?.host === location.host && target.pathname === facts.path;
}

/** @param {string | ArrayBuffer} data */
function receive(data) {
  const isEcho = data === Heartbeat.message && heartbeatsOut > 0;
  if (isEcho) heartbeatsOut--;
  log.message('server', show(typeof data === 'string' ? data : new Uint8Array(data)), isEcho);
}

/**
 * @param {string | Uint8Array<ArrayBuffer>} data
 * @param {boolean} isHeartbeat
 */
function send(data, isHeartbeat) {
  if (state !== 'open' || socket === undefined) return;
  socket.send(data);
  heartbeat.sent();
  log.message('client', show(data), isHeartbeat);
  tick();
}

function sendHeartbeat() {
  heartbeatsOut++;
  send(Heartbeat.message, true);
}

function sendField() {
  const message = compose(messageField.value, sendAs.value);
  checkMessage();
  if ('problem' in message) return;
  send(message.data, false);
  messageField.select();
}

function closeSocket() {
  if (state !== 'open') return;
  setState('closing');
  heartbeat.close();
  socket?.close(1000, 'Closing from client');
  tick();
}

/** Says what is wrong with the message in the field, and that one is too large; it may be sent all the same. */
function checkMessage() {
  const message = compose(messageField.value, sendAs.value);
  let problem = '';
  if ('problem' in message) problem = message.problem;
  else if (message.size > facts.maxMessageSize) {
    const limit = formatBytes(facts.maxMessageSize);
    problem = `${formatBytes(message.size)} is more than the ${limit} this server takes: it would hang up with code 1009.`;
  }
  setProblem(messageField, messageProblem, problem);
}

/** @param {string} problem */
function setUrlProblem(problem) {
  setProblem(urlField, urlError, problem);
  if (problem !== '') urlField.focus();
}

/**
 * @param {HTMLInputElement} field
 * @param {HTMLElement} line
 * @param {string} problem - Empty when there is none.
 */
function setProblem(field, line, problem) {
  line.textContent = problem;
  field.ariaInvalid = problem === '' ? null : 'true';
}

/** Shows how long the server will wait for a message. */
function tick() {
  const remaining = heartbeat.remaining;
  const total = facts.idleTimeout;
  countdownBar.hidden = total === 0;
  countdownBar.max = total * 1000 || 1;
  countdownBar.value = remaining ?? 0;
  countdownBar.dataset.low = String(remaining !== undefined && remaining < total * 500);
  if (remaining !== undefined) countdown.textContent = formatCountdown(remaining, total);
  else if (state !== 'open') countdown.textContent = 'not connected';
  else countdown.textContent = own() ? 'none' : 'unknown for that server';
}

function showFacts() {
  const list = describeFacts(facts).flatMap(([term, value]) => {
    const dt = document.createElement('dt');
    const dd = document.createElement('dd');
    dt.textContent = term;
    dd.textContent = value;
    return [dt, dd];
  });
  get('facts', HTMLElement).replaceChildren(...list);
  const asked = facts.pingInterval > 0;
  heartbeatSwitch.disabled = !asked;
  heartbeatNote.textContent = asked
    ? `Sends the message “${Heartbeat.message}” every ${formatSeconds(facts.pingInterval)}, so that the server knows this page is there. Off, it hangs up.`
    : 'Off: this server does not ask for a heartbeat.';
  if (!urlEdited && (state === 'ready' || state === 'closed')) urlField.value = defaultUrl(location, facts.path);
}

async function refreshFacts() {
  const problem = get('factsProblem', HTMLElement);
  try {
    facts = await loadFacts();
    problem.textContent = '';
  } catch {
    problem.textContent = 'The server did not say; these are the usual settings.';
  }
  showFacts();
  heartbeat.change(facts.pingInterval, own() ? facts.idleTimeout : 0);
  tick();
}

/**
 * The element with an id, which index.html has.
 *
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function get(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new TypeError(`index.html has no ${type.name} #${id}`);
  return element;
}

connectForm.addEventListener('submit', (event) => {
  event.preventDefault();
  connect();
});
messageForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sendField();
});
urlField.addEventListener('input', () => {
  urlEdited = true;
  setProblem(urlField, urlError, '');
});
messageField.addEventListener('input', checkMessage);
sendAs.addEventListener('change', checkMessage);
closeButton.addEventListener('click', closeSocket);
heartbeatSwitch.addEventListener('change', () => heartbeat.switch(heartbeatSwitch.checked));
showHeartbeats.addEventListener('change', () => {
  commsLog.classList.toggle('no-heartbeats', !showHeartbeats.checked);
  log.follow();
});
get('clearButton', HTMLButtonElement).addEventListener('click', () => log.clear());

showFacts();
tick();
setInterval(tick, 200);
void refreshFacts();
