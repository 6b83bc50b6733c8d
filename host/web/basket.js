// What the buyer wants: lines by SKU, kept for the life of the tab. Tells listeners by a 'change' event.

import {keep} from './dom.js';

export const QUANTITY_MAX = 1_000_000;
export const LINES_MAX = 199; // The host takes 200; a scenario may add one.

class Basket extends EventTarget {
  #lines = new Map((keep.get('basket') ?? []).map((line) => [line.sku, line]));

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

  set({sku, name, unitPrice, currency}, quantity) {
    if (quantity > 0)
      this.#lines.set(sku, {sku, name, unitPrice, currency, quantity: Math.min(quantity, QUANTITY_MAX)});
    else this.#lines.delete(sku);
    this.#changed();
  }

  /** Takes over prices and names that changed since a line was added. */
  refresh(products) {
    const stale = products.filter((product) => {
      const line = this.#lines.get(product.sku);
      return line && (line.unitPrice !== product.unitPrice || line.name !== product.name);
    });
    for (const product of stale) this.set(product, this.quantity(product.sku));
  }

  /** Takes out what was ordered; what was added since then stays. */
  take(ordered) {
    for (const {sku, quantity} of ordered) {
      const line = this.#lines.get(sku);
      if (line) this.set(line, line.quantity - quantity);
    }
  }

  #changed() {
    keep.set('basket', this.lines);
    this.dispatchEvent(new Event('change'));
  }
}

export const basket = new Basket();
