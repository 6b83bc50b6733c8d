// The products, read page by page from the host and kept while the shop is open. Searching happens here, over
// everything, because a shop of a thousand products is a few small pages.

import {listProducts} from './api.js';

const PAGE_PRODUCTS = 100;
const PAGES_MAX = 50;

/** Names by SKU of every product seen in this tab, for the pages that only know the SKU. */
export const productNames = new Map();

export class Catalogue {
  products = [];
  #cursor = null;
  #pages = 0;
  #loading = null;
  #signal;

  constructor(signal) {
    this.#signal = signal;
  }

  /** True when nothing is left to read (or so much was read that a search should not go on). */
  get complete() {
    return this.#pages > 0 && (this.#cursor === null || this.#pages >= PAGES_MAX);
  }

  /** Reads the next page. Callers that come while one is on its way share it. */
  more() {
    this.#loading ??= this.#read().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async all() {
    while (!this.complete) await this.more();
  }

  async find(matches) {
    for (;;) {
      const product = this.products.find(matches);
      if (product || this.complete) return product ?? null;
      await this.more();
    }
  }

  matching(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return this.products;
    return this.products.filter(({sku, name}) => {
      const haystack = `${sku} ${name}`.toLowerCase();
      return words.every((word) => haystack.includes(word));
    });
  }

  async #read() {
    if (this.complete) return;
    const page = await listProducts({limit: PAGE_PRODUCTS, cursor: this.#cursor}, this.#signal);
    for (const product of page.data) productNames.set(product.sku, product.name);
    this.products.push(...page.data);
    this.#cursor = page.nextCursor;
    this.#pages += 1;
  }
}
