// What the buyer wants: lines by SKU, kept for the life of the tab. Tells listeners by a 'change' event.

import {keep} from './dom.js';

const QUANTITY_MAX = 1_000_000;
export const LINES_MAX = 199; // The host takes 200; a scenario may add one.

const isText = (value) => typeof value === 'string' && value !== '';

const isSound = (line) =>
  isText(line?.sku) &&
  isText(line.name) &&
  /^[A-Z]{3}$/.test(line.currency) &&
  Number.isSafeInteger(line.unitPrice) &&
  Number.isSafeInteger(line.quantity) &&
  line.quantity > 0;

/** What the tab remembers, as far as it makes sense: the storage is open to everyone. */
function keptLines() {
  const kept = keep.get('basket');
  const lines = Array.isArray(kept) ? kept.filter(isSound) : [];
  return lines.filter(({currency}) => currency === lines[0].currency);
}

/** How many of a product one order can have; of one whose stock is not known, as many as the host takes. */
export const quantityMax = ({available}) => Math.min(Math.max(available ?? QUANTITY_MAX, 1), QUANTITY_MAX);

class Basket extends EventTarget {
  #lines = new Map(keptLines().map((line) => [line.sku, line]));

  get lines() {
    return [...this.#lines.values()];
  }
  get empty() {
    return this.#lines.size === 0;
  }
  get currency() {
    return this.lines[0]?.currency ?? null;
  }
  get count() {
    return this.lines.reduce((sum, line) => sum + line.quantity, 0);
  }

  quantity(sku) {
    return this.#lines.get(sku)?.quantity ?? 0;
  }

  /** Why this product cannot join what is already there, or null. */
  refusal({sku, currency}) {
    if (this.#lines.has(sku)) return null;
    if (this.currency && this.currency !== currency) {
      return `One order has one currency, and this basket is in ${this.currency}.`;
    }
    return this.#lines.size >= LINES_MAX ? `A basket holds ${LINES_MAX} different products.` : null;
  }

  set({sku, name, unitPrice, currency, available}, quantity) {
    if (quantity > 0) this.#lines.set(sku, {sku, name, unitPrice, currency, available, quantity});
    else this.#lines.delete(sku);
    this.#changed();
  }

  /** Another quantity of what is there, at the price that is known now. */
  change(sku, quantity) {
    const line = this.#lines.get(sku);
    if (line) this.set(line, quantity);
  }

  /** Takes over what changed of the products since a line was added: price, name, stock. */
  refresh(products) {
    const stale = products.filter((product) => {
      const line = this.#lines.get(product.sku);
      return line && ['unitPrice', 'name', 'available'].some((fact) => line[fact] !== product[fact]);
    });
    for (const product of stale) this.set(product, this.quantity(product.sku));
  }

  /** Takes out what was ordered; what was added since then stays. */
  take(ordered) {
    for (const {sku, quantity} of ordered) this.change(sku, this.quantity(sku) - quantity);
  }

  #changed() {
    keep.set('basket', this.lines);
    this.dispatchEvent(new Event('change'));
  }
}

export const basket = new Basket();
