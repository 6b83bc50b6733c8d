// The shop: products with their stock, the basket beside them (below them on a phone), and placing the order.

import {basket, QUANTITY_MAX} from './basket.js';
import {Catalogue} from './catalogue.js';
import {checkout} from './checkout.js';
import {announce, h, replace} from './dom.js';
import {money, number} from './format.js';
import {errorPanel, stepper} from './ui.js';

const SHOWN_AT_ONCE = 24;
const LOW_STOCK = 10;
const SEARCH_DELAY_MS = 150;

function stockText(available) {
  if (available <= 0) return 'Sold out';
  if (available <= LOW_STOCK) return `Only ${available} left`;
  return `${number(available)} in stock`;
}

/** A picture from the SKU alone: there are no photographs, and no two neighbours should look the same. */
function artwork(sku) {
  let hash = 7;
  for (const character of sku) hash = (hash * 31 + character.codePointAt(0)) % 1_000_003;
  const art = h('div', {class: `art art-${hash % 5}`, 'aria-hidden': 'true'});
  art.style.setProperty('--hue', (hash * 47) % 360);
  art.style.setProperty('--turn', `${(hash % 8) * 45}deg`);
  return art;
}

function productCard(product) {
  const {sku, name, available} = product;
  const control = h('div', {class: 'control'});
  const message = h('p', {class: 'hint warn', role: 'status'});

  const change = (quantity) => {
    const refusal = quantity > 0 ? basket.refusal(product) : null;
    message.textContent = refusal ?? '';
    if (!refusal) basket.set(product, quantity);
  };
  const show = () => {
    const quantity = basket.quantity(sku);
    const hadFocus = control.contains(document.activeElement);
    const field = control.querySelector('input');
    if (quantity > 0 && field) {
      field.value = quantity;
      return;
    }
    if (quantity === 0 && control.firstChild && !field) return;
    replace(
      control,
      quantity > 0
        ? stepper({label: name, value: quantity, max: Math.min(available, QUANTITY_MAX), onChange: change})
        : h(
            'button',
            {
              class: 'button add',
              type: 'button',
              'data-add': sku,
              disabled: available <= 0,
              onclick: () => {
                change(1);
                announce(`${name} added to the basket`);
              },
            },
            available > 0 ? 'Add' : 'Sold out',
            h('span', {class: 'visually-hidden'}, ` ${name}`)
          )
    );
    if (hadFocus) control.querySelector('button:last-of-type')?.focus();
  };
  show();

  const element = h(
    'li',
    {class: 'product', 'data-sku': sku},
    artwork(sku),
    h(
      'div',
      {class: 'product-text'},
      h('h3', {}, name),
      h('p', {class: 'sku'}, sku),
      h('p', {class: 'price'}, money(product.unitPrice, product.currency)),
      h(
        'p',
        {class: `stock ${available <= 0 ? 'none' : available <= LOW_STOCK ? 'low' : ''}`},
        stockText(available)
      )
    ),
    control,
    message
  );
  return {element, show};
}

export function shopView({root, signal, go}) {
  const catalogue = new Catalogue(signal);
  const cards = new Map();
  let wanted = SHOWN_AT_ONCE;
  let search = '';

  const grid = h('ul', {class: 'products', id: 'products', 'aria-label': 'Products', 'aria-busy': 'true'});
  const status = h('p', {class: 'hint count', role: 'status'}, 'Loading products…');
  const field = h('input', {
    id: 'search',
    type: 'search',
    placeholder: 'Search by name or SKU',
    autocomplete: 'off',
    'aria-controls': 'products',
  });
  const more = h(
    'button',
    {class: 'button wide', type: 'button', id: 'more-products', hidden: true},
    'Show more'
  );
  const problem = h('div', {});
  const side = checkout({catalogue, signal, go});

  function card(product) {
    if (!cards.has(product.sku)) cards.set(product.sku, productCard(product));
    return cards.get(product.sku);
  }

  function draw() {
    const found = catalogue.matching(search);
    const shown = found.slice(0, wanted);
    replace(
      grid,
      shown.map((product) => card(product).element)
    );
    grid.setAttribute('aria-busy', 'false');
    more.hidden = found.length <= wanted && (catalogue.complete || search !== '');
    const searching = search && !catalogue.complete;
    if (searching) status.textContent = 'Searching all products…';
    else if (!found.length)
      status.textContent = search ? `Nothing is called “${search}”.` : 'There are no products yet.';
    else if (catalogue.complete)
      status.textContent = `${number(shown.length)} of ${number(found.length)} products`;
    else status.textContent = `The first ${number(shown.length)} products`;
  }

  async function load(step) {
    try {
      replace(problem);
      await step();
      basket.refresh(catalogue.products);
      draw();
    } catch (error) {
      if (signal.aborted) return;
      status.textContent = '';
      grid.setAttribute('aria-busy', 'false');
      replace(
        problem,
        errorPanel(error, () => load(step), signal)
      );
    }
  }

  more.addEventListener('click', async () => {
    const firstNew = wanted;
    wanted += SHOWN_AT_ONCE;
    if (search === '' && catalogue.products.length < wanted) await load(() => catalogue.more());
    else draw();
    grid.children[firstNew]?.querySelector('button, input')?.focus();
  });

  let typing = 0;
  field.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      search = field.value.trim();
      wanted = SHOWN_AT_ONCE;
      draw();
      if (search && !catalogue.complete) load(() => catalogue.all());
    }, SEARCH_DELAY_MS);
  });
  basket.addEventListener(
    'change',
    () => {
      for (const {show} of cards.values()) show();
    },
    {signal}
  );

  replace(
    root,
    h(
      'div',
      {class: 'shop'},
      h(
        'section',
        {class: 'catalogue', 'aria-labelledby': 'page-title'},
        h(
          'div',
          {class: 'page-head'},
          h('h1', {id: 'page-title', tabindex: -1}, 'Shop'),
          h(
            'p',
            {class: 'lead'},
            'Fill the basket, choose what should happen, and watch the order make its way.'
          )
        ),
        h(
          'div',
          {class: 'search', role: 'search'},
          h('label', {for: 'search', class: 'visually-hidden'}, 'Search products'),
          field,
          status
        ),
        problem,
        grid,
        more
      ),
      side.panel
    ),
    side.bar
  );
  load(() => catalogue.more());
}
