// The shop: products to search and to put into the basket, page by page, with the basket beside them.

import {basket} from './basket.js';
import {Catalogue} from './catalogue.js';
import {Checkout} from './checkout.js';
import {h, replace} from './dom.js';
import {number} from './format.js';
import {ProductCard} from './product_card.js';
import {errorPanel} from './ui.js';

const SHOWN_AT_ONCE = 24;
const SEARCH_DELAY_MS = 150;

class Shop {
  #catalogue;
  #signal;
  #cards = new Map();
  #wanted = SHOWN_AT_ONCE;
  #search = '';

  #grid = h('ul', {class: 'products', id: 'products', 'aria-label': 'Products', 'aria-busy': 'true'});
  #status = h('p', {class: 'hint count', role: 'status'}, 'Loading products…');
  #more = h('button', {class: 'button wide', type: 'button', id: 'more-products', hidden: true}, 'Show more');
  #problem = h('div', {});
  #field = h('input', {
    id: 'search',
    type: 'search',
    placeholder: 'Search by name or SKU',
    autocomplete: 'off',
    'aria-controls': 'products',
  });

  constructor({root, signal, go}) {
    this.#signal = signal;
    this.#catalogue = new Catalogue(signal);
    const checkout = new Checkout({catalogue: this.#catalogue, signal, go});
    this.#more.addEventListener('click', () => this.#showMore());
    this.#searchAsTyped();
    basket.addEventListener('change', () => this.#cards.forEach((card) => card.show()), {signal});
    replace(root, h('div', {class: 'shop'}, this.#section(), checkout.panel), checkout.bar);
    this.#load(() => this.#catalogue.more());
  }

  #section() {
    const lead = 'Fill the basket, choose what should happen, and watch the order make its way.';
    const title = h('h1', {id: 'page-title', tabindex: -1}, 'Shop');
    const label = h('label', {for: 'search', class: 'visually-hidden'}, 'Search products');
    return h(
      'section',
      {class: 'catalogue', 'aria-labelledby': 'page-title'},
      h('div', {class: 'page-head'}, title, h('p', {class: 'lead'}, lead)),
      h('div', {class: 'search', role: 'search'}, label, this.#field, this.#status),
      this.#problem,
      this.#grid,
      this.#more
    );
  }

  #searchAsTyped() {
    let typing = 0;
    this.#field.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        this.#search = this.#field.value.trim();
        this.#wanted = SHOWN_AT_ONCE;
        this.#draw();
        if (this.#search && !this.#catalogue.complete) this.#load(() => this.#catalogue.all());
      }, SEARCH_DELAY_MS);
    });
  }

  #card(product) {
    if (!this.#cards.has(product.sku)) this.#cards.set(product.sku, new ProductCard(product));
    return this.#cards.get(product.sku);
  }

  #draw() {
    const found = this.#catalogue.matching(this.#search);
    const shown = found.slice(0, this.#wanted);
    replace(
      this.#grid,
      shown.map((product) => this.#card(product).element)
    );
    this.#grid.setAttribute('aria-busy', 'false');
    this.#more.hidden = found.length <= this.#wanted && (this.#catalogue.complete || this.#search !== '');
    this.#status.textContent = this.#statusText(shown.length, found.length);
  }

  #statusText(shown, found) {
    if (!this.#catalogue.complete) {
      return this.#search ? 'Searching all products…' : `The first ${number(shown)} products`;
    }
    if (found > 0) return `${number(shown)} of ${number(found)} products`;
    return this.#search ? `Nothing is called “${this.#search}”.` : 'There are no products yet.';
  }

  async #load(step) {
    try {
      replace(this.#problem);
      await step();
      basket.refresh(this.#catalogue.products);
      this.#draw();
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#status.textContent = '';
      this.#grid.setAttribute('aria-busy', 'false');
      replace(
        this.#problem,
        errorPanel(error, () => this.#load(step), this.#signal)
      );
    }
  }

  async #showMore() {
    const firstNew = this.#wanted;
    this.#wanted += SHOWN_AT_ONCE;
    const known = this.#catalogue.products.length >= this.#wanted;
    if (this.#search === '' && !known) await this.#load(() => this.#catalogue.more());
    else this.#draw();
    this.#grid.children[firstNew]?.querySelector('button, input')?.focus();
  }
}

export const shopView = (parameters) => new Shop(parameters);
