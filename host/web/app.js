// The page's frame: which view the address names, and moving the focus to it. A view is a function that fills
// `root` and stops everything it started when `signal` is aborted.

import {announce} from './dom.js';
import {orderView} from './order.js';
import {ordersView} from './orders.js';
import {shopView} from './shop.js';

const root = document.getElementById('main');
let current = null;

/** '#/orders/ID?token=…', '#/orders?status=…', and everything else is the shop. */
function route() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [section, id] = path.split('/');
  const parameters = new URLSearchParams(query);
  if (section === 'orders' && id) {
    return {nav: 'orders', title: 'Order', view: orderView, id, token: parameters.get('token')};
  }
  if (section === 'orders') {
    return {nav: 'orders', title: 'Orders', view: ordersView, status: parameters.get('status') ?? ''};
  }
  return {nav: 'shop', title: 'Shop', view: shopView};
}

const go = (hash) => {
  location.hash = hash;
};

function show({first}) {
  current?.abort();
  current = new AbortController();
  const {nav, title, view, ...parameters} = route();
  document.title = `${title} · orderd`;
  for (const tab of document.querySelectorAll('[data-nav]')) {
    if (tab.dataset.nav === nav) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
  view({root, signal: current.signal, go, ...parameters});
  if (first) return;
  window.scrollTo(0, 0);
  document.getElementById('page-title')?.focus({preventScroll: true});
  announce(title);
}

document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();
  root.focus();
});
window.addEventListener('hashchange', () => show({first: false}));
show({first: true});
