// The dialog that asks why an order is cancelled, and asks the host for it. All attempts of one dialog have
// one key, so that trying again is safe.

import {cancelOrder, newKey} from './api.js';
import {h, pause, replace} from './dom.js';

const REASON_CHARACTERS_MAX = 200;
const ATTEMPTS_MAX = 5;

export class CancelDialog {
  #id;
  #signal;
  #onAccepted;
  #key = '';

  #problem = h('div', {});
  #confirm = h('button', {class: 'button danger', type: 'submit', id: 'confirm-cancel'}, 'Cancel the order');
  #reason = h('input', {
    id: 'reason',
    maxlength: REASON_CHARACTERS_MAX,
    autocomplete: 'off',
    placeholder: 'For example: ordered twice',
  });

  constructor(id, {signal, onAccepted}) {
    this.#id = id;
    this.#signal = signal;
    this.#onAccepted = onAccepted;
    this.element = h('dialog', {class: 'dialog', 'aria-labelledby': 'cancel-title'}, this.#form());
  }

  #form() {
    const close = h(
      'button',
      {class: 'button', type: 'button', onclick: () => this.element.close()},
      'Keep it'
    );
    const form = h(
      'form',
      {},
      h('h2', {id: 'cancel-title'}, 'Cancel this order?'),
      h('p', {}, 'Payment and stock are released or refunded. This cannot be taken back.'),
      h('div', {class: 'field'}, h('label', {for: 'reason'}, 'Reason (optional)'), this.#reason),
      this.#problem,
      h('div', {class: 'row end'}, close, this.#confirm)
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    return form;
  }

  open() {
    this.#key = newKey();
    replace(this.#problem);
    this.element.showModal();
    this.#reason.focus();
  }

  async #send() {
    replace(this.#problem);
    this.#confirm.disabled = true;
    try {
      await this.#ask();
      this.element.close();
      this.#onAccepted();
    } catch (error) {
      if (this.#signal.aborted) return;
      replace(this.#problem, h('p', {class: 'notice error', role: 'alert'}, error.message));
    } finally {
      this.#confirm.disabled = false;
    }
  }

  async #ask() {
    for (let left = ATTEMPTS_MAX; ; left -= 1) {
      try {
        return await cancelOrder(this.#id, this.#reason.value.trim(), this.#key, this.#signal);
      } catch (error) {
        if (!error.passing || left === 1 || this.#signal.aborted) throw error;
        await pause(error.waitMs, this.#signal);
      }
    }
  }
}
