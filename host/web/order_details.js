// What was bought and what was paid, as elements made from one order.

import {trackingTokens} from './api.js';
import {productNames} from './catalogue.js';
import {add, foreign, h} from './dom.js';
import {dateTime, money, number, paymentName} from './format.js';
import {copyButton} from './ui.js';

function line(name, hint, price) {
  const text = h('div', {class: 'line-text'}, h('span', {class: 'line-name'}, foreign(name)), hint);
  return h('li', {class: 'line'}, text, h('span', {class: 'line-price'}, price));
}

function lines({items, adjustments, currency, totalAmount}) {
  const total = h('span', {class: 'total', id: 'order-total'}, money(totalAmount, currency));
  const bought = items.map(({sku, quantity, unitPrice}) => {
    const name = productNames.get(sku);
    const each = `${number(quantity)} × ${money(unitPrice, currency)}`;
    const hint = h('span', {class: 'hint'}, name ? [foreign(sku), ' · '] : null, each);
    return line(name ?? sku, hint, money(quantity * unitPrice, currency));
  });
  const adjusted = (adjustments ?? []).map(({kind, label, amount}) =>
    line(label || kind, null, money(amount, currency))
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
    row('Customer', foreign(order.customerId)),
    row('Placed', dateTime(order.createdAt)),
    row('Order', h('code', {class: 'id'}, order.id)),
  ];
  return [lines(order), h('dl', {class: 'facts'}, facts)];
}

const isLink = (url) => /^https?:/.test(url ?? '');

/** True while the buyer has to act before the order can go on. */
export const waitsForBuyer = ({payment}) => isLink(payment.nextAction?.url);

/** What needs a person: an order that is stuck, or a buyer whose bank wants to hear from them. */
export function orderNotices(order) {
  const {attention, payment} = order;
  const stuck = attention && `A person is looking after this order (${attention.code}).`;
  const attributes = {class: 'button primary', href: payment.nextAction?.url, rel: 'noreferrer'};
  const link = h('a', attributes, 'Continue at the bank');
  const bank = [h('p', {}, 'The bank wants to hear from the buyer.'), h('p', {}, link)];
  return [
    stuck ? h('p', {class: 'panel notice warn'}, stuck) : null,
    waitsForBuyer(order) ? h('div', {class: 'panel notice'}, bank) : null,
  ];
}

/** The tracking link opens this order, and only this one. Without a token there is none to offer. */
export function copyButtons(id) {
  const token = trackingTokens.get(id);
  const link = new URL(location.href);
  link.hash = `#/orders/${id}?token=${encodeURIComponent(token)}`;
  const buttons = [copyButton('Copy order id', id), token && copyButton('Copy tracking link', link.href)];
  return add(h('div', {class: 'row'}), buttons);
}
