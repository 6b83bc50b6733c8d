// The list of orders, newest first. Its head is read again every few seconds, unless the reader pauses that.

import {listOrders} from './api.js';
import {announce, h, pause, replace} from './dom.js';
import {ago, dateTime, money, shortId, statusName} from './format.js';
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

function itemsText(items = []) {
  if (!items.length) return '';
  const [{quantity, sku}] = items;
  return `${quantity} × ${sku}${items.length > 1 ? ` and ${items.length - 1} more` : ''}`;
}

function orderRow(order) {
  return h(
    'li',
    {'data-order': order.id, 'data-version': order.version},
    h(
      'a',
      {class: 'order-row', href: `#/orders/${order.id}`},
      h('span', {class: 'order-id mono'}, shortId(order.id)),
      h('span', {class: 'order-items'}, itemsText(order.items), h('span', {class: 'hint'}, order.customerId)),
      h('span', {class: 'order-badges'}, statusBadge(order.status), paymentBadge(order.payment.status)),
      h('span', {class: 'order-total'}, money(order.totalAmount, order.currency)),
      h(
        'time',
        {class: 'hint order-time', datetime: order.createdAt, title: dateTime(order.createdAt)},
        ago(order.createdAt)
      )
    )
  );
}

/**
 * Joins a newly read head of the list with what is known below it. Within the span the head covers it is
 * the truth (an order may have left the filter); below it, what was loaded before stays.
 */
export function joinHead(known, head, headIsAll) {
  if (headIsAll) return head;
  const ids = new Set(head.map(({id}) => id));
  // So many came since that the two do not meet: what lies between is not known, so start from the head
  // again.
  if (!known.some(({id}) => ids.has(id))) return head;
  const oldest = head.at(-1);
  const below = known.filter(
    (order) =>
      !ids.has(order.id) &&
      (order.createdAt < oldest.createdAt || (order.createdAt === oldest.createdAt && order.id < oldest.id))
  );
  return [...head, ...below];
}

export function ordersView({root, signal, status, go}) {
  let orders = [];
  let cursor = null;
  let paused = false;
  let reached = false;

  const list = h('ol', {
    class: 'panel order-list',
    id: 'orders',
    'aria-label': 'Orders',
    'aria-busy': 'true',
  });
  const note = h('p', {class: 'hint'}, 'Loading orders…');
  const problem = h('div', {});
  const more = h(
    'button',
    {class: 'button wide', type: 'button', hidden: true, onclick: loadMore},
    'Show more'
  );
  const filter = h(
    'select',
    {id: 'filter', onchange: () => go(filter.value ? `#/orders?status=${filter.value}` : '#/orders')},
    h('option', {value: ''}, 'All'),
    STATUSES.map((value) => h('option', {value, selected: value === status}, statusName(value)))
  );
  const live = h(
    'button',
    {class: 'button quiet', type: 'button', 'aria-pressed': 'false', onclick: togglePause},
    'Pause updates'
  );

  function togglePause() {
    paused = !paused;
    live.setAttribute('aria-pressed', String(paused));
    live.textContent = paused ? 'Updates paused' : 'Pause updates';
  }

  /** Only rows that changed are made anew, so that the focus and a half-read line stay. */
  function draw() {
    const old = new Map([...list.children].map((element) => [element.dataset.order, element]));
    const focused = document.activeElement?.closest?.('[data-order]')?.dataset.order;
    const rows = orders.map((order) => {
      const element = old.get(order.id);
      if (!element || element.dataset.version !== String(order.version)) return orderRow(order);
      element.querySelector('time').textContent = ago(order.createdAt);
      return element;
    });
    const same =
      rows.length === list.children.length &&
      rows.every((element, index) => element === list.children[index]);
    if (!same) {
      replace(list, rows);
      if (focused)
        list.querySelector(`[data-order="${CSS.escape(focused)}"] a`)?.focus({preventScroll: true});
    }
    list.hidden = orders.length === 0;
    list.setAttribute('aria-busy', 'false');
    more.hidden = cursor === null;
    replace(
      note,
      orders.length
        ? null
        : status
          ? `No order is ${statusName(status).toLowerCase()} right now.`
          : ['No orders yet. ', h('a', {href: '#/'}, 'Place the first one.')]
    );
  }

  async function refresh() {
    const limit = Math.min(Math.max(orders.length, PAGE_ORDERS), REFRESHED_ORDERS_MAX);
    const page = await listOrders({limit, status}, signal);
    const first = orders.length === 0;
    orders = joinHead(orders, page.data, page.nextCursor === null);
    if (first || page.nextCursor === null || orders.length === page.data.length) cursor = page.nextCursor;
    draw();
    replace(problem);
    reached = true;
  }

  async function loadMore() {
    more.disabled = true;
    try {
      const before = orders.length;
      const page = await listOrders({limit: PAGE_ORDERS, status, cursor}, signal);
      const known = new Set(orders.map(({id}) => id));
      orders.push(...page.data.filter(({id}) => !known.has(id)));
      cursor = page.nextCursor;
      draw();
      list.children[before]?.querySelector('a').focus();
      announce(`${orders.length} orders shown`);
    } catch (error) {
      if (!signal.aborted) replace(problem, errorPanel(error, loadMore, signal));
    } finally {
      more.disabled = false;
    }
  }

  async function run() {
    for (;;) {
      let waitMs = REFRESH_MS;
      if (!reached || (!paused && !document.hidden)) {
        try {
          await refresh();
        } catch (error) {
          if (signal.aborted) return;
          note.textContent = '';
          list.hidden = orders.length === 0;
          // While rows are on the page a quiet line is enough; the loop goes on asking.
          if (reached && error.passing)
            replace(
              problem,
              h('p', {class: 'hint warn', role: 'status'}, 'No answer from the host; trying again.')
            );
          else return replace(problem, errorPanel(error, run, signal));
          waitMs = Math.max(waitMs, error.waitMs);
        }
      }
      if (!(await pause(waitMs, signal))) return;
    }
  }

  replace(
    root,
    h(
      'div',
      {class: 'page-head split'},
      h('h1', {id: 'page-title', tabindex: -1}, 'Orders'),
      h('div', {class: 'row'}, h('label', {for: 'filter'}, 'Status'), filter, live)
    ),
    note,
    problem,
    list,
    more
  );
  run();
}
