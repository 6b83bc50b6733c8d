// Placing an order so that it happens once, however often the request has to be sent and whatever stands
// between this page and the host. The key and the body are kept until an answer proves what became of them,
// over views and reloads; until then no second order is placed. Tells listeners by a 'change' event.

import {newKey, placeOrder, trackingTokens} from './api.js';
import {basket} from './basket.js';
import {announce, keep, pause} from './dom.js';

const QUICK_ATTEMPTS = 6;
const SLOW_WAIT_MS = 10_000;
// The host forgets a key after 24 hours; sent again after that it would place a second order.
const KEY_LIFE_MS = 23 * 3_600_000;

/** Whether the order may exist in spite of this answer, so that only asking again tells. */
const leavesOpen = (error) => !error.problem || error.passing || error.status === 409;

function keptRequest() {
  const {key, body, at} = keep.get('unanswered') ?? {};
  const usable = typeof key === 'string' && body?.items && Date.now() - at < KEY_LIFE_MS;
  return usable ? {key, body, at, open: true} : null;
}

class Placing extends EventTarget {
  #request = keptRequest();

  /** The order that was placed last, until it was shown. */
  order = null;
  /** Why the last attempt failed. */
  error = null;
  /** How long until the next attempt; null: none comes by itself. */
  waitMs = null;
  /** True after a request was given up whose order may exist. */
  givenUp = false;

  /** True while an order is on its way. */
  get pending() {
    return this.#request !== null;
  }

  /** True while that order may already be placed. */
  get open() {
    return this.#request?.open ?? false;
  }

  start(body) {
    if (this.pending) return;
    this.order = null;
    this.#request = {key: newKey(), body, at: Date.now(), open: false};
    keep.set('unanswered', this.#request);
    this.ask();
  }

  /** Asks with the key and the body there are, until it is known what became of them. */
  async ask() {
    const request = this.#request;
    if (!request) return;
    this.#change({error: null, waitMs: null, givenUp: false});
    for (let attempt = 1; this.#request === request; attempt += 1) {
      const {order, error} = await this.#send(request);
      if (this.#request !== request) return;
      if (order) this.#placed(order, request);
      else if (leavesOpen(error)) await this.#wait(error, attempt, request);
      else return this.#refused(error, request);
    }
  }

  /** Forgets a request without knowing what became of it. */
  giveUp() {
    this.#forget();
    this.#change({error: null, waitMs: null, givenUp: true});
  }

  seen() {
    this.#change({order: null});
  }

  async #send({body, key}) {
    try {
      return {order: await placeOrder(body, key)};
    } catch (error) {
      return {error};
    }
  }

  #placed(order, {body}) {
    trackingTokens.set(order.id, order.trackingToken);
    this.#forget();
    basket.take(body.items);
    announce('Order placed');
    this.#change({order, error: null, waitMs: null, givenUp: false});
  }

  async #wait(error, attempt, request) {
    request.open ||= error.status !== 429;
    const waitMs = attempt < QUICK_ATTEMPTS ? error.waitMs : Math.max(error.waitMs, SLOW_WAIT_MS);
    this.#change({error, waitMs});
    await pause(waitMs);
  }

  /** A refusal says nothing about an earlier attempt that was left open; its key is still needed. */
  #refused(error, {open}) {
    if (!open) this.#forget();
    this.#change({error, waitMs: null});
  }

  #forget() {
    this.#request = null;
    keep.set('unanswered', null);
  }

  #change(news) {
    Object.assign(this, news);
    this.dispatchEvent(new Event('change'));
  }
}

export const placing = new Placing();
placing.ask();
