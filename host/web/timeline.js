// How an order's way is drawn: the steps it has to take with the branch that undoes them, and every version
// so far.

import {foreign, h, replace} from './dom.js';
import {clock, dateTime, elapsed, isFinal, paymentName, reasonText, statusName} from './format.js';

const STEPS = ['PENDING', 'PAYMENT_AUTHORIZED', 'INVENTORY_RESERVED', 'CONFIRMED'];

/**
 * The steps to draw for a history: `{status, state}` with state 'done', 'now', 'todo' or 'undone'. Statuses
 * that a saga of its own names appear where they happened.
 */
export function steps(history) {
  const order = [...history].sort((a, b) => a.version - b.version);
  const last = order.at(-1)?.status ?? 'PENDING';
  const undoing = last === 'CANCELLING' || isFinal(last);
  const reached = [...new Set(order.map(({status}) => status))].filter(
    (status) => status !== 'CANCELLING' && !isFinal(status)
  );
  if (undoing) {
    const undone = reached.map((status) => ({status, state: status === 'PENDING' ? 'done' : 'undone'}));
    const passed = order.some(({status}) => status === 'CANCELLING');
    const branch = passed ? [{status: 'CANCELLING', state: last === 'CANCELLING' ? 'now' : 'done'}] : [];
    const end = isFinal(last) ? [{status: last, state: 'done'}] : [{status: 'CLOSED', state: 'todo'}];
    return [...undone, ...branch, ...end];
  }
  const todo = STEPS.slice(STEPS.findLastIndex((step) => reached.includes(step)) + 1);
  return [
    ...reached.map((status) => ({status, state: 'done'})),
    ...todo.map((status, index) => ({status, state: index === 0 ? 'now' : 'todo'})),
  ];
}

const stateWords = {done: 'done', now: 'in progress', todo: 'to come', undone: 'undone'};

export function drawSteps(list, history) {
  const drawn = steps(history);
  const closing = ['CANCELLED', 'REJECTED', 'CANCELLING', 'CLOSED'];
  list.classList.toggle('long', drawn.length > STEPS.length);
  replace(
    list,
    drawn.map(({status, state}) =>
      h(
        'li',
        {
          class: `step ${state} ${closing.includes(status) ? 'branch' : ''}`,
          'data-step': status,
          'aria-current': state === 'now' ? 'step' : null,
        },
        h('span', {class: 'dot', 'aria-hidden': 'true'}),
        h(
          'span',
          {class: 'step-name'},
          statusName(status),
          h('span', {class: 'visually-hidden'}, `, ${stateWords[state]}`)
        )
      )
    )
  );
}

/** What one version changed, in words: its status, or, where that stayed, its payment. */
function headline(entry, before) {
  if (!before || before.status !== entry.status) return statusName(entry.status);
  return paymentName(entry.paymentStatus);
}

function entryElement(entry, before) {
  const paymentChanged = entry.paymentStatus !== (before?.paymentStatus ?? 'NONE');
  const statusChanged = !before || before.status !== entry.status;
  const reason = reasonText(entry.reason);
  return h(
    'li',
    {
      class: 'entry',
      'data-version': entry.version,
      'data-status': entry.status,
      'data-payment': entry.paymentStatus,
    },
    h('span', {class: 'dot', 'aria-hidden': 'true'}),
    h(
      'div',
      {class: 'entry-head'},
      h('strong', {}, headline(entry, before)),
      statusChanged && paymentChanged && paymentName(entry.paymentStatus) !== statusName(entry.status)
        ? h('span', {class: 'badge quiet'}, paymentName(entry.paymentStatus))
        : null
    ),
    reason ? h('p', {class: 'reason'}, foreign(reason)) : null,
    h(
      'p',
      {class: 'entry-meta'},
      h('time', {datetime: entry.at, title: dateTime(entry.at)}, clock(entry.at)),
      before ? h('span', {class: 'took'}, `+${elapsed(before.at, entry.at)}`) : null,
      h('span', {class: 'code'}, `v${entry.version} ${entry.status}`),
      paymentChanged ? h('span', {class: 'code'}, `payment ${entry.paymentStatus}`) : null
    )
  );
}

/** Draws the versions, oldest first, touching only what is new or has a new neighbour. */
export class Timeline {
  #list;
  #entries = new Map();

  constructor(list) {
    this.#list = list;
  }

  get history() {
    return [...this.#entries.values()].sort((a, b) => a.version - b.version);
  }

  add(entry) {
    if (this.#entries.has(entry.version)) return;
    this.#entries.set(entry.version, entry);
    const history = this.history;
    const index = history.indexOf(entry);
    this.#list.insertBefore(entryElement(entry, history[index - 1]), this.#list.children[index] ?? null);
    // A version that was missing tells its successor what changed.
    const next = history[index + 1];
    if (next) this.#list.children[index + 1].replaceWith(entryElement(next, entry));
  }
}
