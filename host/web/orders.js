// The list of orders, newest first. Its head is read again every few seconds, unless the reader pauses that.

import {listOrders} from './api.js';
import {announce, foreign, h, pause, replace} from './dom.js';
import {ago, dateTime, money, number, shortId, statusName} from './format.js';
import {errorPanel, paymentBadge, statusBadge} from './ui.js';

const PAGE_ORDERS = 20;
const REFRESHED_ORDERS_MAX = 100;
const REFRESH_MS = 3_000;
const STATUSES = [
  'PENDING',
  'PAYMENT_AUTHORIZED',
  'INVENTORY_RESERVED',
  'CONFIRMED',
  'CANCELLING',
  'CANCELLED',
  'REJECTED',
];

function itemsElement(items = []) {
  const [first] = items;
  const more = items.length > 1 ? ` and ${items.length - 1} more` : null;
  return h('span', {}, first && [`${number(first.quantity)} × `, foreign(first.sku), more]);
}

function orderRow(order) {
  const {id, version, customerId, status, payment, totalAmount, currency, createdAt} = order;
  const time = {class: 'hint order-time', datetime: createdAt, title: dateTime(createdAt)};
  const items = itemsElement(order.items);
  const link = h(
    'a',
    {class: 'order-row', href: `#/orders/${id}`},
    h('span', {class: 'order-id mono'}, shortId(id)),
    h('span', {class: 'order-items'}, items, h('span', {class: 'hint'}, foreign(customerId))),
    h('span', {class: 'order-badges'}, statusBadge(status), paymentBadge(payment.status)),
    h('span', {class: 'order-total'}, money(totalAmount, currency)),
    h('time', time, ago(createdAt))
  );
  return h('li', {'data-order': id, 'data-version': version}, link);
}

/**
 * Joins a newly read head of the list with what is known below it. Within the span the head covers it is
 * the truth (an order may have left the filter); below it, what was loaded before stays.
 */
function joinHead(known, head, headIsAll) {
  if (headIsAll) return head;
  const ids = new Set(head.map(({id}) => id));
  // So many came since that the two do not meet: what lies between is unknown, so start from the head again.
  if (!known.some(({id}) => ids.has(id))) return head;
  // Ids begin with the time, and the host lists by id.
  const oldest = head.at(-1).id;
  return [...head, ...known.filter(({id}) => !ids.has(id) && id < oldest)];
}

class OrderList {
  #signal;
  #status;
  #orders = [];
  #cursor = null;
  #paused = false;
  #reached = false;

  #list = h('ol', {class: 'panel order-list', id: 'orders', 'aria-label': 'Orders', 'aria-busy': 'true'});
  #note = h('p', {class: 'hint'}, 'Loading orders…');
  #problem = h('div', {});
  #more = h('button', {class: 'button wide', type: 'button', hidden: true}, 'Show more');
  #pause = h('button', {class: 'button quiet', type: 'button', 'aria-pressed': 'false'}, 'Pause updates');

  constructor({root, signal, status, go}) {
    this.#signal = signal;
    this.#status = status;
    this.#more.addEventListener('click', () => this.#loadMore());
    this.#pause.addEventListener('click', () => this.#togglePause());
    const title = h('h1', {id: 'page-title', tabindex: -1}, 'Orders');
    const controls = [h('label', {for: 'filter'}, 'Status'), this.#filter(go), this.#pause];
    const head = h('div', {class: 'page-head split'}, title, h('div', {class: 'row'}, controls));
    replace(root, head, this.#note, this.#problem, this.#list, this.#more);
    this.#run();
  }

  #filter(go) {
    const options = STATUSES.map((value) =>
      h('option', {value, selected: value === this.#status}, statusName(value))
    );
    const filter = h('select', {id: 'filter'}, h('option', {value: ''}, 'All'), options);
    filter.addEventListener('change', () =>
      go(filter.value ? `#/orders?status=${filter.value}` : '#/orders')
    );
    return filter;
  }

  #togglePause() {
    this.#paused = !this.#paused;
    this.#pause.setAttribute('aria-pressed', String(this.#paused));
  }

  async #run() {
    let waitMs = 0;
    while (await pause(waitMs, this.#signal)) {
      waitMs = REFRESH_MS;
      if (this.#reached && (this.#paused || document.hidden)) continue;
      try {
        await this.#refresh();
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!this.#tolerate(error)) return;
        waitMs = Math.max(REFRESH_MS, error.waitMs);
      }
    }
  }

  /** While rows are on the page a quiet line is enough, and the loop goes on asking. */
  #tolerate(error) {
    this.#note.textContent = '';
    this.#list.hidden = this.#orders.length === 0;
    if (this.#reached && error.passing) {
      const text = 'The host does not answer; trying again.';
      replace(this.#problem, h('p', {class: 'hint warn', role: 'status'}, text));
      return true;
    }
    replace(
      this.#problem,
      errorPanel(error, () => this.#run(), this.#signal)
    );
    return false;
  }

  async #refresh() {
    const known = this.#orders.length;
    const limit = Math.min(Math.max(known, PAGE_ORDERS), REFRESHED_ORDERS_MAX);
    const page = await listOrders({limit, status: this.#status}, this.#signal);
    this.#orders = joinHead(this.#orders, page.data, page.nextCursor === null);
    if (this.#orders.length === page.data.length) this.#cursor = page.nextCursor;
    this.#reached = true;
    replace(this.#problem);
    this.#draw();
  }

  async #loadMore() {
    const before = this.#orders.length;
    this.#more.disabled = true;
    try {
      const query = {limit: PAGE_ORDERS, status: this.#status, cursor: this.#cursor};
      const page = await listOrders(query, this.#signal);
      const known = new Set(this.#orders.map(({id}) => id));
      this.#orders.push(...page.data.filter(({id}) => !known.has(id)));
      this.#cursor = page.nextCursor;
      this.#draw();
      this.#list.children[before]?.querySelector('a').focus();
      announce(`${this.#orders.length} orders shown`);
    } catch (error) {
      if (this.#signal.aborted) return;
      replace(
        this.#problem,
        errorPanel(error, () => this.#loadMore(), this.#signal)
      );
    } finally {
      this.#more.disabled = false;
    }
  }

  #draw() {
    this.#drawRows();
    this.#list.hidden = this.#orders.length === 0;
    this.#list.setAttribute('aria-busy', 'false');
    this.#more.hidden = this.#cursor === null;
    replace(this.#note, this.#orders.length === 0 ? this.#emptyText() : null);
  }

  #emptyText() {
    if (this.#status) return `No order is “${statusName(this.#status).toLowerCase()}” right now.`;
    return ['No orders yet. ', h('a', {href: '#/'}, 'Place the first one.')];
  }

  /** Only rows that changed are made anew, so that the focus and a half-read line stay. */
  #drawRows() {
    const old = new Map([...this.#list.children].map((element) => [element.dataset.order, element]));
    const focused = document.activeElement?.closest('[data-order]')?.dataset.order;
    const rows = this.#orders.map((order) => {
      const element = old.get(order.id);
      if (element?.dataset.version !== String(order.version)) return orderRow(order);
      element.querySelector('time').textContent = ago(order.createdAt);
      return element;
    });
    const shown = this.#list.children;
    if (rows.length === shown.length && rows.every((row, index) => row === shown[index])) return;
    replace(this.#list, rows);
    const link = focused && this.#list.querySelector(`[data-order="${CSS.escape(focused)}"] a`);
    if (link) link.focus({preventScroll: true});
  }
}

export const ordersView = (parameters) => new OrderList(parameters);
