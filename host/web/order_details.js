// What was bought and what was paid, as elements made from one order.

import {trackingTokens} from './api.js';
import {productNames} from './catalogue.js';
import {h} from './dom.js';
import {dateTime, money, number, paymentName} from './format.js';
import {copyButton} from './ui.js';

function line(name, hint, price) {
  const text = h('div', {class: 'line-text'}, h('span', {class: 'line-name'}, name));
  if (hint) text.append(h('span', {class: 'hint'}, hint));
  return h('li', {class: 'line'}, text, h('span', {class: 'line-price'}, price));
}

function lines({items, adjustments, currency, totalAmount}) {
  const total = h('span', {class: 'total', id: 'order-total'}, money(totalAmount, currency));
  const bought = items.map(({sku, quantity, unitPrice}) => {
    const hint = `${sku} · ${number(quantity)} × ${money(unitPrice, currency)}`;
    return line(productNames.get(sku) ?? sku, hint, money(quantity * unitPrice, currency));
  });
  const adjusted = (adjustments ?? []).map(({kind, label, amount}) =>
    line(label || kind, '', money(amount, currency))
  );
  const sum = h('li', {class: 'line sum'}, h('span', {}, 'Total'), total);
  return h('ul', {class: 'lines', 'aria-label': 'Items'}, bought, adjusted, sum);
}

function row(term, value) {
  return [h('dt', {}, term), h('dd', {}, value)];
}

function paymentRows({payment, currency}) {
  const status = h(
    'span',
    {id: 'payment-status', 'data-payment': payment.status},
    paymentName(payment.status)
  );
  const amounts = ['authorized', 'captured', 'refunded'].filter((name) => payment[name] > 0);
  const words = {authorized: 'Authorised', captured: 'Captured', refunded: 'Refunded'};
  return [
    row('Payment', status),
    ...amounts.map((name) =>
      row(words[name], h('span', {'data-amount': name}, money(payment[name], currency)))
    ),
  ];
}

export function orderDetails(order) {
  const facts = [
    ...paymentRows(order),
    row('Customer', order.customerId),
    row('Placed', dateTime(order.createdAt)),
    row('Order', h('code', {class: 'id'}, order.id)),
  ];
  return [lines(order), h('dl', {class: 'facts'}, facts)];
}

/** What needs a person: an order that is stuck, or a buyer whose bank wants to hear from them. */
export function orderNotices({attention, payment}) {
  const stuck = attention && `A person is looking after this order (${attention.code}).`;
  const url = payment.nextAction?.url ?? '';
  const link = h('a', {href: url, rel: 'noreferrer'}, 'Continue at the bank');
  return [
    stuck ? h('p', {class: 'panel notice warn'}, stuck) : null,
    /^https?:/.test(url)
      ? h('p', {class: 'panel notice'}, 'The bank wants to hear from the buyer. ', link)
      : null,
  ];
}

/** The tracking link opens this order, and only this one, for whoever has it. */
export function copyButtons(id) {
  const link = new URL(location.href);
  const token = trackingTokens.get(id);
  link.hash = `#/orders/${id}${token ? `?token=${encodeURIComponent(token)}` : ''}`;
  const buttons = [copyButton('Copy order id', id), copyButton('Copy tracking link', link.href)];
  return h('div', {class: 'row'}, buttons);
}
