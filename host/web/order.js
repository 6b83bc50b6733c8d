// One order, live: where it stands, its versions as they come, what was bought and paid, and cancelling it.

import {cancelOrder, newKey, trackingTokens} from './api.js';
import {productNames} from './catalogue.js';
import {announce, h, pause, replace} from './dom.js';
import {follow} from './follow.js';
import {dateTime, isFinal, money, number, paymentName, reasonText, shortId, statusName} from './format.js';
import {drawSteps, Timeline} from './timeline.js';
import {copyButton, errorPanel, statusBadge} from './ui.js';

const REASON_CHARACTERS_MAX = 200;
const CANCEL_ATTEMPTS_MAX = 5;

const connectionWords = {
  connecting: 'Connecting…',
  live: 'Live',
  polling: 'Checking every 2 s',
  reconnecting: 'Reconnecting…',
  finished: 'Finished',
};

const leads = {
  CONFIRMED: 'All set. It can still be cancelled; then the money goes back and the stock is freed.',
  CANCELLING: 'What was done is being undone; nothing will be owed.',
  CANCELLED: 'The order was cancelled, and nothing is owed.',
  REJECTED: 'The order could not be fulfilled, and nothing is owed.',
};

/** Once fulfilment has begun, the host refuses. */
const mayCancel = ({status, fulfilment}) =>
  status !== 'CANCELLING' && !isFinal(status) && (fulfilment?.status ?? 'NONE') === 'NONE';

function row(term, ...value) {
  return [h('dt', {}, term), h('dd', {}, value)];
}

function lines({items, adjustments = [], currency, totalAmount}) {
  return h(
    'ul',
    {class: 'lines', 'aria-label': 'Items'},
    items.map(({sku, quantity, unitPrice}) =>
      h(
        'li',
        {class: 'line'},
        h(
          'div',
          {class: 'line-text'},
          h('span', {class: 'line-name'}, productNames.get(sku) ?? sku),
          h('span', {class: 'hint'}, `${sku} · ${number(quantity)} × ${money(unitPrice, currency)}`)
        ),
        h('span', {class: 'line-price'}, money(quantity * unitPrice, currency))
      )
    ),
    (adjustments ?? []).map(({kind, label, amount}) =>
      h(
        'li',
        {class: 'line'},
        h('div', {class: 'line-text'}, h('span', {class: 'line-name'}, label || kind)),
        h('span', {class: 'line-price'}, money(amount, currency))
      )
    ),
    h(
      'li',
      {class: 'line sum'},
      h('span', {}, 'Total'),
      h('span', {class: 'total', id: 'order-total'}, money(totalAmount, currency))
    )
  );
}

function paymentRows({payment, currency}) {
  const amounts = [
    ['Authorised', payment.authorized],
    ['Captured', payment.captured],
    ['Refunded', payment.refunded],
  ];
  return [
    row(
      'Payment',
      h('span', {id: 'payment-status', 'data-payment': payment.status}, paymentName(payment.status))
    ),
    amounts
      .filter(([, amount]) => amount > 0)
      .map(([term, amount]) =>
        row(term, h('span', {'data-amount': term.toLowerCase()}, money(amount, currency)))
      ),
  ].flat(2);
}

function nextActionLink({payment}) {
  const url = payment.nextAction?.url;
  if (!url || !/^https?:/.test(url)) return null;
  return h(
    'p',
    {class: 'panel notice'},
    'The bank wants to hear from the buyer. ',
    h('a', {href: url, rel: 'noreferrer'}, 'Continue at the bank')
  );
}

function details(order) {
  return [
    lines(order),
    h(
      'dl',
      {class: 'facts'},
      paymentRows(order),
      row('Customer', order.customerId),
      row('Placed', dateTime(order.createdAt)),
      row('Order', h('code', {class: 'id'}, order.id))
    ),
  ];
}

function copyButtons(id) {
  const link = new URL(location.href);
  const token = trackingTokens.get(id);
  link.hash = `#/orders/${id}${token ? `?token=${encodeURIComponent(token)}` : ''}`;
  return h(
    'div',
    {class: 'row'},
    copyButton('Copy order id', id),
    copyButton('Copy tracking link', link.href)
  );
}

/** The dialog that asks for a reason. All attempts of one dialog have one key, so trying again is safe. */
function cancelDialog(id, {onCancelled, signal}) {
  let key = '';
  const reason = h('input', {
    id: 'reason',
    maxlength: REASON_CHARACTERS_MAX,
    autocomplete: 'off',
    placeholder: 'For example: ordered twice',
  });
  const problem = h('div', {});
  const confirm = h(
    'button',
    {class: 'button danger', type: 'submit', id: 'confirm-cancel'},
    'Cancel the order'
  );
  const close = h('button', {class: 'button', type: 'button', onclick: () => dialog.close()}, 'Keep it');
  const dialog = h(
    'dialog',
    {class: 'dialog', 'aria-labelledby': 'cancel-title'},
    h(
      'form',
      {onsubmit: send},
      h('h2', {id: 'cancel-title'}, 'Cancel this order?'),
      h('p', {}, 'Payment and stock are released or refunded. This cannot be taken back.'),
      h('div', {class: 'field'}, h('label', {for: 'reason'}, 'Reason (optional)'), reason),
      problem,
      h('div', {class: 'row end'}, close, confirm)
    )
  );

  async function attempt() {
    for (let left = CANCEL_ATTEMPTS_MAX; ; left -= 1) {
      try {
        return await cancelOrder(id, reason.value.trim(), key, signal);
      } catch (error) {
        if (!error.passing || left === 1 || signal.aborted) throw error;
        await pause(error.waitMs, signal);
      }
    }
  }

  async function send(event) {
    event.preventDefault();
    replace(problem);
    confirm.disabled = true;
    try {
      await attempt();
      dialog.close();
      onCancelled();
    } catch (error) {
      if (!signal.aborted) replace(problem, h('p', {class: 'notice error', role: 'alert'}, error.message));
    } finally {
      confirm.disabled = false;
    }
  }

  return {
    dialog,
    open() {
      key = newKey();
      replace(problem);
      dialog.showModal();
      reason.focus();
    },
  };
}

export function orderView({root, signal, id, token}) {
  trackingTokens.set(id, token);
  const title = h('h1', {id: 'page-title', tabindex: -1}, 'Order ', h('span', {class: 'mono'}, shortId(id)));
  const badge = h('span', {id: 'status'});
  const connection = h(
    'span',
    {class: 'connection', id: 'connection', 'data-state': 'connecting'},
    connectionWords.connecting
  );
  const lead = h('p', {class: 'lead', id: 'lead'});
  const attention = h('div', {});
  const stepList = h('ol', {class: 'steps', id: 'steps', 'aria-label': 'Progress'});
  const list = h('ol', {class: 'timeline', id: 'timeline', 'aria-label': 'What happened'});
  const facts = h('div', {class: 'details'}, h('p', {class: 'hint'}, 'Loading…'));
  const cancelButton = h(
    'button',
    {class: 'button danger cancel', type: 'button', id: 'cancel', hidden: true},
    'Cancel order'
  );
  const timeline = new Timeline(list);
  let lastVersion = 0;
  let complete = false;

  const {dialog, open} = cancelDialog(id, {
    signal,
    onCancelled: () => {
      announce('Cancellation requested');
      title.focus();
    },
  });
  cancelButton.addEventListener('click', open);

  function showStatus({status, reason}) {
    if (badge.dataset.status !== status) replace(badge, statusBadge(status));
    badge.dataset.status = status;
    const why = reasonText(reason);
    lead.textContent = [leads[status] ?? 'Sit back; this page follows it by itself.', why && `${why}.`]
      .filter(Boolean)
      .join(' ');
    document.title = `${statusName(status)} · Order ${shortId(id)} · orderd`;
  }

  function onEntry(entry) {
    timeline.add(entry);
    drawSteps(stepList, timeline.history);
    if (entry.version <= lastVersion) return;
    lastVersion = entry.version;
    showStatus(entry);
    if (complete)
      announce(
        `Order: ${statusName(entry.status)}. ${paymentName(entry.paymentStatus)}. ${reasonText(entry.reason)}`
      );
  }

  function onOrder(order) {
    complete = true;
    showStatus({status: order.status, reason: order.statusReason});
    const hadFocus = document.activeElement === cancelButton;
    cancelButton.hidden = !mayCancel(order);
    if (cancelButton.hidden && hadFocus) title.focus();
    if (dialog.open && cancelButton.hidden && !dialog.contains(document.activeElement)) dialog.close();
    replace(
      attention,
      order.attention
        ? h(
            'p',
            {class: 'panel notice warn'},
            `A person is looking after this order (${order.attention.code}).`
          )
        : null,
      nextActionLink(order)
    );
    replace(facts, details(order));
  }

  function onState(state) {
    if (connection.dataset.state === state) return;
    if (state === 'reconnecting' || connection.dataset.state === 'reconnecting')
      announce(connectionWords[state]);
    connection.dataset.state = state;
    connection.textContent = connectionWords[state];
  }

  function onError(error) {
    const missing = error.status === 404;
    replace(
      root,
      missing
        ? h(
            'div',
            {class: 'panel notice'},
            h('h1', {id: 'page-title', tabindex: -1}, 'There is no such order'),
            h('p', {}, 'Check the link, or look for it in the list.'),
            h('a', {class: 'button', href: '#/orders'}, 'All orders')
          )
        : errorPanel(error, () => orderView({root, signal, id, token}), signal)
    );
  }

  replace(
    root,
    h('p', {class: 'back'}, h('a', {href: '#/orders'}, '← All orders')),
    h('div', {class: 'order-head'}, title, badge, connection),
    lead,
    attention,
    h('div', {class: 'panel progress'}, stepList),
    h(
      'div',
      {class: 'order-body'},
      h(
        'section',
        {class: 'panel', 'aria-labelledby': 'timeline-title'},
        h('h2', {id: 'timeline-title'}, 'Timeline'),
        list,
        cancelButton
      ),
      h(
        'section',
        {class: 'panel', 'aria-labelledby': 'details-title'},
        h('h2', {id: 'details-title'}, 'Details'),
        facts,
        copyButtons(id)
      )
    ),
    dialog
  );
  follow(id, {token: trackingTokens.get(id), signal, onOrder, onEntry, onState, onError});
}
