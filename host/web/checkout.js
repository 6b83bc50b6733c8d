// The basket panel: lines, the scenario to play, the total and the button that places the order. On a phone a
// bar at the bottom of the screen leads to it.

import {basket} from './basket.js';
import {drawLines} from './basket_lines.js';
import {announce, h, keep, replace} from './dom.js';
import {money, number} from './format.js';
import {placing} from './place.js';
import {scenarios} from './scenarios.js';
import {errorPanel} from './ui.js';

const SAMPLE_LINES = 2;
const CUSTOMER_PROBLEM = 'Enter a customer: 1 to 200 characters.';

function scenarioPicker(onChange) {
  const about = h('p', {class: 'hint', id: 'scenario-about', 'aria-live': 'polite'});
  const chosen = scenarios.find(({id}) => id === keep.get('scenario')) ?? scenarios[0];
  const choose = (scenario) => {
    keep.set('scenario', scenario.id);
    about.textContent = scenario.about;
    onChange(scenario);
  };
  const options = scenarios.map((scenario) => {
    const radio = h('input', {
      type: 'radio',
      name: 'scenario',
      value: scenario.id,
      checked: scenario === chosen,
      'aria-describedby': 'scenario-about',
      onchange: () => choose(scenario),
    });
    return h('label', {class: 'choice'}, radio, h('span', {}, scenario.name));
  });
  const legend = h('legend', {}, 'What should happen?');
  const element = h('fieldset', {class: 'scenarios'}, legend, h('div', {class: 'choices'}, options), about);
  return {element, start: () => choose(chosen)};
}

function startingCustomer() {
  const known = keep.get('customer');
  if (known && typeof known === 'string') return known;
  const name = `guest-${Math.random().toString(36).slice(2, 8)}`;
  keep.set('customer', name);
  return name;
}

/** What is to be said about the order that is on its way. */
function placingText() {
  const {waitMs, error, givenUp} = placing;
  if (givenUp) return 'That order may have been placed all the same; look at the orders before trying again.';
  if (waitMs === null) return '';
  const why = error.status === 0 || !error.problem ? 'No answer yet' : 'The host is busy';
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return `${why}. Asking again in ${seconds} s; the order is still placed only once.`;
}

function placedNotice({id}) {
  const link = h('a', {href: `#/orders/${id}`, onclick: () => placing.seen()}, 'Follow it');
  return h('p', {class: 'placed', id: 'placed'}, h('strong', {}, 'Order placed.'), ' ', link);
}

function customerField() {
  const field = h('input', {
    id: 'customer',
    maxlength: 200,
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'customer-problem',
    value: startingCustomer(),
    onchange: () => keep.set('customer', field.value.trim() || null),
  });
  return field;
}

export class Checkout {
  #catalogue;
  #signal;
  #go;
  #scenario = scenarios[0];
  #soldOut = null;
  #startedHere = false;
  #remark = '';

  #title = h('h2', {id: 'basket-title', tabindex: -1}, 'Basket');
  #lines = h('ul', {class: 'lines', 'aria-labelledby': 'basket-title'});
  #empty = h('div', {class: 'empty'}, h('p', {}, 'Nothing in it yet.'));
  #customer = customerField();
  #customerProblem = h('p', {class: 'hint bad', id: 'customer-problem'});
  #total = h('output', {class: 'total', id: 'total'});
  #place = h('button', {class: 'button primary wide', type: 'submit', id: 'place'}, 'Place order');
  #note = h('p', {class: 'hint', role: 'status', id: 'place-note'});
  #giveUp = h(
    'button',
    {class: 'button quiet', type: 'button', id: 'give-up', hidden: true, onclick: () => placing.giveUp()},
    'Stop asking'
  );
  #placed = h('div', {});
  #problem = h('div', {});
  #barText = h('span', {});
  #picker = scenarioPicker((scenario) => this.#chooseScenario(scenario));

  constructor({catalogue, signal, go}) {
    this.#catalogue = catalogue;
    this.#signal = signal;
    this.#go = go;
    this.panel = this.#makePanel();
    this.bar = this.#makeBar();
    basket.addEventListener('change', () => this.#draw(), {signal});
    placing.addEventListener('change', () => this.#onPlacing(), {signal});
    this.#picker.start();
    this.#explainRefusal();
  }

  #makePanel() {
    const sample = {class: 'button', type: 'button', id: 'sample', onclick: () => this.#fillSample()};
    this.#empty.append(h('button', sample, 'Fill it for me'));
    const sum = h('div', {class: 'sum'}, h('span', {}, 'Total'), this.#total);
    const customerLabel = h('label', {for: 'customer'}, 'Customer');
    const panel = h(
      'form',
      {class: 'panel basket', 'aria-labelledby': 'basket-title', novalidate: true},
      this.#title,
      this.#placed,
      this.#empty,
      this.#lines,
      this.#picker.element,
      h('div', {class: 'field'}, customerLabel, this.#customer, this.#customerProblem),
      this.#problem,
      h('div', {class: 'basket-foot'}, sum, this.#place, this.#note, this.#giveUp)
    );
    panel.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#place.disabled) this.#submit();
    });
    return panel;
  }

  #makeBar() {
    const lead = () => {
      this.#title.scrollIntoView({block: 'start'});
      this.#title.focus({preventScroll: true});
    };
    const button = h('button', {class: 'button primary', type: 'button', onclick: lead}, 'Go to basket');
    const bar = h('div', {class: 'bar', hidden: true}, this.#barText, button);
    // The bar would hide what it leads to.
    const watcher = new IntersectionObserver(([entry]) => bar.classList.toggle('away', entry.isIntersecting));
    watcher.observe(this.#title);
    this.#signal.addEventListener('abort', () => watcher.disconnect());
    return bar;
  }

  /** What is ordered: the basket and, if the scenario asks for it, one of what nobody has. */
  get #ordered() {
    const adds = this.#soldOut && !basket.quantity(this.#soldOut.sku);
    return adds ? [...basket.lines, {...this.#soldOut, quantity: 1}] : basket.lines;
  }

  async #chooseScenario(scenario) {
    this.#scenario = scenario;
    this.#soldOut = null;
    this.#remark = '';
    this.#draw();
    if (!scenario.addsSoldOut) return;
    try {
      const found =
        (await this.#catalogue.find(({sku}) => sku === 'SKU-SOLD-OUT')) ??
        (await this.#catalogue.find(({available}) => available <= 0));
      if (this.#scenario !== scenario) return;
      this.#soldOut = found;
      this.#remark = found ? '' : 'Every product is in stock, so there is nothing to add.';
      this.#draw();
    } catch (error) {
      this.#explain(error, () => this.#chooseScenario(scenario));
    }
  }

  async #fillSample() {
    try {
      await this.#catalogue.find(({available}) => available > 0);
    } catch (error) {
      this.#explain(error, () => this.#fillSample());
      return;
    }
    const products = this.#catalogue.products.filter(({available}) => available > 1).slice(0, SAMPLE_LINES);
    products.forEach((product, index) => {
      if (!basket.refusal(product)) basket.set(product, index + 1);
    });
    this.#title.focus();
    announce(`${basket.count} items in the basket`);
  }

  #draw() {
    const ordered = this.#ordered;
    const amount = ordered.reduce((sum, line) => sum + line.unitPrice * line.quantity, 0);
    const items = ordered.reduce((sum, line) => sum + line.quantity, 0);
    const total = ordered.length ? money(amount, ordered[0].currency) : '–';
    drawLines(this.#lines, basket.lines, this.#soldOut, () => this.#title.focus());
    this.#empty.hidden = ordered.length > 0;
    this.#lines.hidden = ordered.length === 0;
    this.#total.textContent = total;
    const waitsForItem = this.#scenario.addsSoldOut && !this.#soldOut;
    this.#place.disabled = placing.pending || ordered.length === 0 || waitsForItem;
    this.#drawPlacing();
    this.bar.hidden = ordered.length === 0 && !placing.order;
    const count = `${number(items)} ${items === 1 ? 'item' : 'items'} · ${total}`;
    this.#barText.textContent = placing.order ? 'Order placed' : count;
  }

  #drawPlacing() {
    this.#place.textContent = placing.pending ? 'Placing…' : 'Place order';
    this.#giveUp.hidden = !placing.open;
    const note = placingText() || this.#remark;
    // Setting the same text again would have a screen reader say it again.
    if (this.#note.textContent !== note) this.#note.textContent = note;
    replace(this.#placed, placing.order && placedNotice(placing.order));
  }

  #body() {
    const ordered = this.#ordered;
    return {
      customerId: this.#customer.value.trim(),
      currency: ordered[0].currency,
      items: ordered.map(({sku, quantity, unitPrice}) => ({sku, quantity, unitPrice})),
      payment: {method: 'card', token: this.#scenario.token},
      metadata: {scenario: this.#scenario.id},
    };
  }

  #submit() {
    for (const field of this.panel.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
    this.#customerProblem.textContent = '';
    const body = this.#body();
    if (!body.customerId) return this.#askForCustomer();
    this.#startedHere = true;
    placing.start(body);
  }

  #onPlacing() {
    const {order, error} = placing;
    this.#draw();
    if (!error) replace(this.#problem);
    if (order && this.#startedHere) {
      placing.seen();
      this.#go(`#/orders/${order.id}`);
    }
    const aboutCustomer = error?.errors.some(({pointer}) => pointer.startsWith('/customerId'));
    if (aboutCustomer && !placing.pending) return this.#askForCustomer();
    const panel = this.#explainRefusal();
    if (panel) this.#markFields(error, panel);
  }

  #askForCustomer() {
    this.#customerProblem.textContent = CUSTOMER_PROBLEM;
    this.#customer.setAttribute('aria-invalid', 'true');
    this.#customer.focus();
  }

  /** Explains why the last order was not placed; one that is asked for again is not refused yet. */
  #explainRefusal() {
    if (!placing.error || placing.waitMs !== null) return null;
    return this.#explain(placing.error, () => this.#tryAgain());
  }

  #tryAgain() {
    if (placing.pending) placing.ask();
    else this.panel.requestSubmit();
  }

  #markFields(error, panel) {
    const field = error.errors.map(({pointer}) => this.#fieldFor(pointer)).find(Boolean);
    field?.setAttribute('aria-invalid', 'true');
    (field ?? panel.querySelector('input, button'))?.focus();
  }

  /** Which field of the panel an error pointer of the host is about. */
  #fieldFor(pointer) {
    const line = /^\/items\/(\d+)/.exec(pointer);
    return line ? (this.#lines.children[Number(line[1])]?.querySelector('input') ?? null) : null;
  }

  #explain(error, retry) {
    if (this.#signal.aborted) return null;
    const panel = errorPanel(error, retry, this.#signal);
    replace(this.#problem, panel);
    return panel;
  }
}
