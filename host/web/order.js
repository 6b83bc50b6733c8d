// One order, live: where it stands, its versions as they come, what was bought and paid, and cancelling it.

import {trackingTokens} from './api.js';
import {CancelDialog} from './cancel_dialog.js';
import {announce, foreign, h, replace} from './dom.js';
import {follow} from './follow.js';
import {isFinal, paymentName, reasonText, shortId, statusName} from './format.js';
import {copyButtons, orderDetails, orderNotices, waitsForBuyer} from './order_details.js';
import {drawSteps, Timeline} from './timeline.js';
import {errorPanel, statusBadge} from './ui.js';

const connectionWords = {
  connecting: 'Connecting…',
  live: 'Live',
  polling: 'Checking every 2 s',
  paused: 'Paused',
  reconnecting: 'Reconnecting…',
  finished: 'Finished',
};

const leads = {
  CONFIRMED: 'All set. It can still be cancelled; then the money goes back and the stock is freed.',
  CANCELLING: 'What was done is being undone; nothing will be owed.',
  CANCELLED: 'The order was cancelled, and nothing is owed.',
  REJECTED: 'The order could not be fulfilled, and nothing is owed.',
};

const WAITS_FOR_BUYER = 'The bank asks the buyer to agree; until then the order waits.';

/** Once fulfilment has begun, the host refuses. */
const mayCancel = ({status, fulfilment}) =>
  status !== 'CANCELLING' && !isFinal(status) && (fulfilment?.status ?? 'NONE') === 'NONE';

function unknownOrder() {
  return h(
    'div',
    {class: 'panel notice'},
    h('h1', {id: 'page-title', tabindex: -1}, 'There is no such order'),
    h('p', {}, 'Check the link, or look for it in the list.'),
    h('div', {}, h('a', {class: 'button', href: '#/orders'}, 'All orders'))
  );
}

class Order {
  #id;
  #dialog;
  #lastVersion = 0;
  #read = false;
  #token;

  #title = h('h1', {id: 'page-title', tabindex: -1}, 'Order ');
  #badge = h('span', {id: 'status'});
  #connection = h('span', {class: 'connection', id: 'connection'});
  #lead = h('p', {class: 'lead', id: 'lead'});
  #notices = h('div', {class: 'notices'});
  #steps = h('ol', {class: 'steps', id: 'steps', 'aria-label': 'Progress'});
  #list = h('ol', {class: 'timeline', id: 'timeline', 'aria-label': 'What happened'});
  #timeline = new Timeline(this.#list);
  #cancel = h(
    'button',
    {class: 'button danger cancel', type: 'button', id: 'cancel', hidden: true},
    'Cancel order'
  );
  #details = h('div', {class: 'details'}, h('p', {class: 'hint'}, 'Loading…'));
  #copies = h('div', {class: 'copies'});

  constructor({root, signal, id, token}) {
    this.#id = id;
    this.#token = token ?? trackingTokens.get(id);
    this.#dialog = new CancelDialog(id, {signal, onAccepted: () => this.#cancelAccepted()});
    this.#cancel.addEventListener('click', () => this.#dialog.open());
    this.#title.append(h('span', {class: 'mono'}, shortId(id)));
    replace(root, this.#parts());
    follow(id, {
      token: this.#token,
      signal,
      onOrder: (order) => this.#showOrder(order),
      onEntry: (entry) => this.#showEntry(entry),
      onState: (state) => this.#showConnection(state),
      onError: (error) => {
        const again = () => new Order({root, signal, id, token});
        replace(root, error.status === 404 ? unknownOrder() : errorPanel(error, again, signal));
      },
    });
  }

  #parts() {
    const timeline = h(
      'section',
      {class: 'panel', 'aria-labelledby': 'timeline-title'},
      h('h2', {id: 'timeline-title'}, 'Timeline'),
      this.#list,
      this.#cancel
    );
    const details = h(
      'section',
      {class: 'panel', 'aria-labelledby': 'details-title'},
      h('h2', {id: 'details-title'}, 'Details'),
      this.#details,
      this.#copies
    );
    return [
      h('p', {class: 'back'}, h('a', {href: '#/orders'}, '← All orders')),
      h('div', {class: 'order-head'}, this.#title, this.#badge, this.#connection),
      this.#lead,
      this.#notices,
      h('div', {class: 'panel progress'}, this.#steps),
      h('div', {class: 'order-body'}, timeline, details),
      this.#dialog.element,
    ];
  }

  #cancelAccepted() {
    announce('Cancellation requested');
    this.#title.focus();
  }

  #showStatus(status, reason, waits) {
    if (this.#badge.dataset.status !== status) replace(this.#badge, statusBadge(status));
    this.#badge.dataset.status = status;
    const why = reasonText(reason);
    const going = waits ? WAITS_FOR_BUYER : 'Sit back; this page follows it by itself.';
    const lead = leads[status] ?? going;
    replace(this.#lead, lead, why && [' ', foreign(why), '.']);
    document.title = `${statusName(status)} · Order ${shortId(this.#id)} · orderd`;
  }

  #showEntry(entry) {
    this.#timeline.add(entry);
    drawSteps(this.#steps, this.#timeline.history);
    if (entry.version <= this.#lastVersion) return;
    this.#lastVersion = entry.version;
    this.#showStatus(entry.status, entry.reason, entry.paymentStatus === 'ACTION_REQUIRED');
    // The history that was there before the page came is not read out; where it led to, is.
    if (this.#read) this.#announce(entry.status, entry.paymentStatus, entry.reason);
  }

  #announce(status, paymentStatus, reason) {
    const news = [statusName(status), paymentName(paymentStatus), reasonText(reason)];
    announce(`Order: ${news.filter(Boolean).join('. ')}`);
  }

  #showOrder(order) {
    if (!this.#read) this.#firstRead(order);
    this.#read = true;
    // Of an order that was read while a newer version had already been streamed, the status is old.
    if (order.version >= this.#lastVersion) {
      this.#showStatus(order.status, order.statusReason, waitsForBuyer(order));
    }
    const hadFocus = document.activeElement === this.#cancel;
    this.#cancel.hidden = !mayCancel(order);
    if (this.#cancel.hidden && hadFocus) this.#title.focus();
    replace(this.#notices, orderNotices(order));
    replace(this.#details, orderDetails(order));
  }

  /** A token from the address is kept only now that it has opened the order. */
  #firstRead(order) {
    this.#announce(order.status, order.payment.status, order.statusReason);
    trackingTokens.set(this.#id, this.#token);
    replace(this.#copies, copyButtons(this.#id));
  }

  #showConnection(state) {
    const before = this.#connection.dataset.state;
    if (before === state) return;
    if (state === 'reconnecting' || before === 'reconnecting') announce(connectionWords[state]);
    this.#connection.dataset.state = state;
    this.#connection.textContent = connectionWords[state];
  }
}

export const orderView = (parameters) => new Order(parameters);
