// One product of the shop: picture, price, stock, and the control that puts it into the basket.

import {basket, quantityMax} from './basket.js';
import {announce, foreign, h, replace} from './dom.js';
import {money, number} from './format.js';
import {stepper} from './ui.js';

const LOW_STOCK = 10;

function stock(available) {
  if (available <= 0) return h('p', {class: 'stock none'}, 'Sold out');
  if (available <= LOW_STOCK) return h('p', {class: 'stock low'}, `Only ${available} left`);
  return h('p', {class: 'stock'}, `${number(available)} in stock`);
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

export class ProductCard {
  #product;
  #control = h('div', {class: 'control'});
  #message = h('p', {class: 'hint warn', role: 'status'});

  constructor(product) {
    this.#product = product;
    const {sku, name, unitPrice, currency, available} = product;
    const price = h('p', {class: 'price'}, money(unitPrice, currency));
    const title = h('h3', {}, foreign(name));
    const code = h('p', {class: 'sku'}, foreign(sku));
    const text = h('div', {class: 'product-text'}, title, code, price, stock(available));
    const parts = [artwork(sku), text, this.#control, this.#message];
    this.element = h('li', {class: 'product', 'data-sku': sku}, parts);
    this.show();
  }

  /** Shows what the basket holds of it: a button to add it, or how many. Keeps the focus where it was. */
  show() {
    const quantity = basket.quantity(this.#product.sku);
    const field = this.#control.querySelector('input');
    if (quantity > 0 && field) field.value = quantity;
    if (this.#control.firstChild && quantity > 0 === (field !== null)) return;
    const hadFocus = this.#control.contains(document.activeElement);
    replace(this.#control, quantity > 0 ? this.#stepper(quantity) : this.#addButton());
    if (hadFocus) this.#control.querySelector('button:last-of-type').focus();
  }

  #stepper(quantity) {
    const label = this.#product.name;
    const max = quantityMax(this.#product);
    return stepper({label, value: quantity, max, onChange: (wanted) => this.#change(wanted)});
  }

  #addButton() {
    const {sku, name, available} = this.#product;
    const onclick = () => {
      if (this.#change(1)) announce(`${name} added to the basket`);
    };
    const attributes = {
      class: 'button add',
      type: 'button',
      'data-add': sku,
      disabled: available <= 0,
      onclick,
    };
    const which = h('span', {class: 'visually-hidden'}, ` ${name}`);
    return h('button', attributes, available > 0 ? 'Add' : 'Sold out', which);
  }

  #change(quantity) {
    const refusal = quantity > 0 ? basket.refusal(this.#product) : null;
    this.#message.textContent = refusal ?? '';
    if (!refusal) basket.set(this.#product, quantity);
    return !refusal;
  }
}
