// Placing an order so that it happens once, however often the request has to be sent. The key and the body
// are kept until an answer has come, so that even a reload in between repeats the same request rather than
// making a second order.

import {newKey, placeOrder, trackingTokens} from './api.js';
import {keep, pause} from './dom.js';

const ATTEMPTS_MAX = 6;

/** Resolves with the order; `onRetry(error, waitMs)` is told about every attempt that has to be repeated. */
export async function placeOnce(body, onRetry) {
  const text = JSON.stringify(body);
  const unanswered = keep.get('unanswered');
  const key = unanswered?.body === text ? unanswered.key : newKey();
  keep.set('unanswered', {key, body: text});
  for (let attempt = 1; ; attempt += 1) {
    try {
      const order = await placeOrder(body, key);
      keep.set('unanswered', null);
      trackingTokens.set(order.id, order.trackingToken);
      return order;
    } catch (error) {
      if (!error.passing) {
        keep.set('unanswered', null);
        throw error;
      }
      if (attempt === ATTEMPTS_MAX) throw error;
      onRetry(error, error.waitMs);
      await pause(error.waitMs);
    }
  }
}
