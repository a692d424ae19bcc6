/**
 * The page: its form fields, one WebSocket at a time, the heartbeat and the log.
 *
 * @module
 */
import { checkUrl, defaultFacts, defaultUrl, describeFacts, loadFacts } from './facts.js';
import { everyInWorker, formatCountdown, Heartbeat } from './heartbeat.js';
import { Log } from './log.js';
import { compose, count, explainClose, formatExcess, formatSeconds } from './message.js';

/** @typedef {'ready' | 'connecting' | 'open' | 'closing' | 'closed'} State */

/** The most that the message field shows, in UTF-16 code units: browsers take seconds to lay out a line of millions. */
const mostInField = 65_536;

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

const log = new Log({
  body: commsLog,
  scroller: get('logScroller', HTMLElement),
  empty: get('logEmpty', HTMLElement),
  count: get('logCount', HTMLElement),
});
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
/** The address that the page put into its field; another one there is its user's. */
let offeredUrl = '';
/** A message that is too long for the field to show, and is sent in its stead. @type {string | undefined} */
let heldMessage;
/** What the field held when it was looked at last, so that sending a large message does not make it anew. */
let composed = { text: '', mode: 'text', message: compose('', 'text') };
/** Whether the heartbeat is to beat where a server asks for it. */
let heartbeatWanted = heartbeatSwitch.checked;

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

async function connect() {
  if (state !== 'ready' && state !== 'closed') return;
  const before = state;
  const offered = urlField.value === offeredUrl;
  const given = checkUrl(urlField.value);
  if ('problem' in given) return setUrlProblem(given.problem);
  setUrlProblem('');
  setState('connecting');
  // The server may have been restarted with another path since it was asked last.
  if (offered) await refreshFacts();
  const url = offered ? new URL(urlField.value) : given.url;
  const protocols = subprotocols.value.split(',').flatMap((name) => name.trim() || []);
  try {
    socket = new WebSocket(url, protocols);
  } catch (error) {
    setState(before);
    return setUrlProblem(`The browser can’t connect to that: ${error instanceof Error ? error.message : error}`);
  }
  target = url;
  heartbeatsOut = 0;
  let opened = false;
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    opened = true;
    setState('open');
    log.event('Connection opened', socket?.protocol ? `Subprotocol: ${socket.protocol}` : '');
    heartbeat.open(facts.pingInterval, own() ? facts.idleTimeout : 0);
    if (!offered && own()) void refreshFacts();
    tick();
  };
  socket.onmessage = (event) => receive(event.data);
  socket.onclose = (event) => {
    heartbeat.close();
    setState('closed');
    const explanation = explainClose(event.code, opened, protocols.length > 0);
    log.event(`Connection closed. Code: ${event.code}. Reason: ${event.reason}`, explanation);
    tick();
  };
}

/** Whether the socket leads to the server that this page came from, whose facts are known. */
function own() {
  return target?.host === location.host && target.pathname === facts.path;
}

/** @param {string | ArrayBuffer} data */
function receive(data) {
  const isEcho = data === Heartbeat.message && heartbeatsOut > 0;
  if (isEcho) heartbeatsOut--;
  log.message('server', typeof data === 'string' ? data : new Uint8Array(data), isEcho);
}

/**
 * @param {string | Uint8Array<ArrayBuffer>} data
 * @param {boolean} isHeartbeat
 */
function send(data, isHeartbeat) {
  if (state !== 'open' || socket === undefined) return;
  socket.send(data);
  heartbeat.sent();
  log.message('client', data, isHeartbeat);
  tick();
}

function sendHeartbeat() {
  heartbeatsOut++;
  send(Heartbeat.message, true);
}

function sendField() {
  const message = checkMessage();
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

/**
 * Keeps a message beside the field, which then only says so.
 *
 * @param {string | undefined} text - `undefined`: from now on the field has the message itself.
 */
function holdMessage(text) {
  heldMessage = text;
  if (text !== undefined) messageField.value = '';
  messageField.placeholder = text === undefined ? '' : `${count(text.length, 'character')}, too many to show`;
}

/** Says what is wrong with the message in the field, and that one is too large; it may be sent all the same. */
function checkMessage() {
  if (messageField.value.length > mostInField) holdMessage(messageField.value);
  const text = heldMessage ?? messageField.value;
  const mode = sendAs.value;
  if (text !== composed.text || mode !== composed.mode) composed = { text, mode, message: compose(text, mode) };
  const { message } = composed;
  let problem = '';
  if ('problem' in message) problem = message.problem;
  else if (message.size > facts.maxMessageSize) {
    const [size, limit] = formatExcess(message.size, facts.maxMessageSize);
    problem = `${size} is more than the ${limit} this server takes: it would hang up with code 1009.`;
  }
  setProblem(messageField, messageProblem, problem);
  return message;
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
  heartbeatSwitch.checked = asked && heartbeatWanted;
  heartbeatNote.textContent = asked
    ? `Sends the message “${Heartbeat.message}” every ${formatSeconds(facts.pingInterval)}, so that the server knows this page is there. Off, it hangs up.`
    : 'Off: this server does not ask for a heartbeat.';
  if (urlField.value === offeredUrl && state !== 'open' && state !== 'closing') {
    offeredUrl = urlField.value = defaultUrl(location, facts.path);
  }
}

async function refreshFacts() {
  const problem = get('factsProblem', HTMLElement);
  try {
    facts = await loadFacts();
    problem.textContent = '';
  } catch {
    problem.textContent =
      facts === defaultFacts
        ? 'The server did not say; these are the usual settings.'
        : 'The server did not say again; these are the settings it had.';
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
  void connect();
});
messageForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sendField();
});
urlField.addEventListener('input', () => setProblem(urlField, urlError, ''));
messageField.addEventListener('beforeinput', (event) => {
  const { value, selectionStart, selectionEnd } = messageField;
  const added = event.data ?? event.dataTransfer?.getData('text/plain') ?? '';
  if (value.length + added.length <= mostInField || !event.cancelable) return;
  // A line break becomes what it becomes in a field of one line.
  const text = added.replace(/\r\n?|\n/g, ' ');
  event.preventDefault();
  holdMessage(value.slice(0, selectionStart ?? 0) + text + value.slice(selectionEnd ?? 0));
  checkMessage();
});
messageField.addEventListener('input', () => {
  holdMessage(undefined);
  checkMessage();
});
messageField.addEventListener('keydown', ({ key }) => {
  // Nothing is in the field that these could delete.
  if (heldMessage === undefined || (key !== 'Backspace' && key !== 'Delete')) return;
  holdMessage(undefined);
  checkMessage();
});
sendAs.addEventListener('change', checkMessage);
closeButton.addEventListener('click', closeSocket);
heartbeatSwitch.addEventListener('change', () => {
  heartbeatWanted = heartbeatSwitch.checked;
  heartbeat.switch(heartbeatWanted);
});
showHeartbeats.addEventListener('change', () => {
  commsLog.classList.toggle('no-heartbeats', !showHeartbeats.checked);
  log.follow();
});
get('clearButton', HTMLButtonElement).addEventListener('click', () => log.clear());

showFacts();
tick();
setInterval(tick, 200);
void refreshFacts();
