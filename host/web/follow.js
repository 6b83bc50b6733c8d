// Follows one order until it is final. The stream says that something changed, and at once what; the order
// itself is read again at every connection and after every message, so that neither a restart of the host nor
// a message lost on the way leaves a hole. Whoever listens gets each version once. A tab nobody looks at lets
// go of its stream: a browser opens six connections to one host, and the seventh tab would wait forever.

import {apiKey, getOrder, streamUrl} from './api.js';
import {inView, pause} from './dom.js';
import {isFinal} from './format.js';

const REOPEN_FIRST_MS = 1_000;
const REOPEN_MAX_MS = 10_000;
const POLL_MS = 2_000;

/**
 * onOrder(order): the whole order, whenever it was read newer than before.
 * onEntry(entry): one history entry, each version once, in no promised order.
 * onState(state): 'connecting', 'live', 'polling', 'paused', 'reconnecting' or 'finished'.
 * onError(error): the order could not be read at all; following has ended.
 */
export function follow(id, {token, signal, onOrder, onEntry, onState, onError}) {
  const seen = new Set();
  let order = null;
  let source = null;
  let reading = null;
  let readAgain = false;
  let streamEnded = () => {};

  function take(entry) {
    if (seen.has(entry.version)) return;
    seen.add(entry.version);
    onEntry(entry);
  }

  function close() {
    source?.close();
    source = null;
    streamEnded();
  }

  async function readOnce() {
    const next = await getOrder(id, {token, knownVersion: order?.version, signal});
    if (!next || signal.aborted || (order && next.version < order.version)) return;
    order = next;
    next.history.forEach(take);
    onOrder(next);
    if (!isFinal(next.status)) return;
    close();
    onState('finished');
  }

  /** Reads the order; while one reading is on its way, any number of wishes make one more. */
  function read() {
    if (reading) {
      readAgain = true;
      return reading;
    }
    reading = (async () => {
      do {
        readAgain = false;
        await readOnce();
      } while (readAgain && !signal.aborted);
    })().finally(() => {
      reading = null;
    });
    return reading;
  }

  /** Reads until it works. A refusal that will not pass ends the following. */
  async function readForSure() {
    while (!signal.aborted) {
      try {
        await read();
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        if (!error.passing) {
          close();
          onError(error);
          return false;
        }
        await pause(error.waitMs, signal);
      }
    }
    return false;
  }

  function onStatus(event) {
    const {version, status, paymentStatus, at, reason} = JSON.parse(event.data);
    take({version, status, paymentStatus, at, reason});
    if (isFinal(status)) close();
    readForSure();
  }

  /** Resolves when the stream is over: closed here, or given up by the browser as no stream (503, 204). */
  function stream() {
    return new Promise((resolve) => {
      let opened = false;
      streamEnded = () => resolve(opened);
      source = new EventSource(streamUrl(id, token));
      source.addEventListener('status', onStatus);
      source.addEventListener('open', () => {
        opened = true;
        onState('live');
        readForSure();
      });
      source.addEventListener('error', (event) => {
        if (source === null) return;
        onState('reconnecting');
        if (event.target.readyState === EventSource.CLOSED) close();
      });
    });
  }

  async function poll() {
    onState('polling');
    while (!isFinal(order.status) && (await pause(POLL_MS, signal)) && (await inView(signal)))
      await readForSure();
  }

  async function run() {
    onState('connecting');
    try {
      await read();
    } catch (error) {
      if (!signal.aborted) onError(error);
      return;
    }
    // An EventSource cannot send a key; without a tracking token the order is read in turns instead.
    if (apiKey.get() && !token) return poll();
    for (let waitMs = REOPEN_FIRST_MS; !isFinal(order.status);) {
      if (!(await inView(signal))) return;
      const opened = await stream();
      if (document.hidden) continue;
      if (opened) waitMs = REOPEN_FIRST_MS;
      if (!(await pause(waitMs, signal))) return;
      waitMs = Math.min(waitMs * 2, REOPEN_MAX_MS);
      if (!(await readForSure())) return;
    }
  }

  function catchUp() {
    if (order && !isFinal(order.status)) readForSure();
  }

  function onVisibility() {
    if (!document.hidden) return catchUp();
    if (source) onState('paused');
    close();
  }

  signal.addEventListener('abort', close, {once: true});
  window.addEventListener('online', catchUp, {signal});
  document.addEventListener('visibilitychange', onVisibility, {signal});
  run();
}
