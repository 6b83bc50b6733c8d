// The basket panel: lines, the scenario to play, the total and the button that places the order. On a phone a
// bar at the bottom of the screen leads to it.

import {basket, QUANTITY_MAX} from './basket.js';
import {announce, h, keep, replace} from './dom.js';
import {money, number} from './format.js';
import {placeOnce} from './place.js';
import {scenarios} from './scenarios.js';
import {errorPanel, stepper} from './ui.js';

const SAMPLE_LINES = 2;

function scenarioPicker(onChange) {
  const about = h('p', {class: 'hint', id: 'scenario-about', 'aria-live': 'polite'});
  const chosen = scenarios.find(({id}) => id === keep.get('scenario')) ?? scenarios[0];
  const choose = (scenario) => {
    keep.set('scenario', scenario.id);
    about.textContent = scenario.about;
    onChange(scenario);
  };
  const options = scenarios.map((scenario) =>
    h(
      'label',
      {class: 'choice'},
      h('input', {
        type: 'radio',
        name: 'scenario',
        value: scenario.id,
        checked: scenario === chosen,
        'aria-describedby': 'scenario-about',
        onchange: () => choose(scenario),
      }),
      h('span', {}, scenario.name)
    )
  );
  const element = h(
    'fieldset',
    {class: 'scenarios'},
    h('legend', {}, 'What should happen?'),
    h('div', {class: 'choices'}, options),
    about
  );
  return {element, start: () => choose(chosen)};
}

/** Which field of the panel an error pointer of the host is about. */
function fieldFor(panel, pointer) {
  if (pointer.startsWith('/customerId')) return panel.querySelector('#customer');
  const line = /^\/items\/(\d+)/.exec(pointer);
  return line ? panel.querySelectorAll('.line')[Number(line[1])]?.querySelector('input') : null;
}

function startingCustomer() {
  const known = keep.get('customer');
  if (known) return known;
  const name = `guest-${Math.random().toString(36).slice(2, 8)}`;
  keep.set('customer', name);
  return name;
}

function soldOutLine({name, sku, unitPrice, currency}) {
  return h(
    'li',
    {class: 'line'},
    h(
      'div',
      {class: 'line-text'},
      h('span', {class: 'line-name'}, name),
      h('span', {class: 'hint'}, `${sku} · added by the scenario`)
    ),
    h('span', {class: 'line-price'}, money(unitPrice, currency))
  );
}

export function checkout({catalogue, signal, go}) {
  let scenario = scenarios[0];
  let soldOut = null;
  let placing = false;

  const title = h('h2', {id: 'basket-title', tabindex: -1}, 'Basket');
  const lines = h('ul', {class: 'lines', 'aria-labelledby': 'basket-title'});
  const empty = h(
    'div',
    {class: 'empty'},
    h('p', {}, 'Nothing in it yet.'),
    h('button', {class: 'button', type: 'button', id: 'sample', onclick: fillSample}, 'Fill it for me')
  );
  const customer = h('input', {
    id: 'customer',
    maxlength: 200,
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    value: startingCustomer(),
    onchange: () => keep.set('customer', customer.value.trim() || null),
  });
  const total = h('output', {class: 'total', id: 'total', for: 'basket-title'});
  const place = h('button', {class: 'button primary wide', type: 'submit', id: 'place'}, 'Place order');
  const note = h('p', {class: 'hint', role: 'status', id: 'place-note'});
  const problem = h('div', {});
  const picker = scenarioPicker(chooseScenario);
  const form = h(
    'form',
    {class: 'panel basket', 'aria-labelledby': 'basket-title', novalidate: true, onsubmit: submit},
    title,
    empty,
    lines,
    picker.element,
    h('div', {class: 'field'}, h('label', {for: 'customer'}, 'Customer'), customer),
    problem,
    h('div', {class: 'basket-foot'}, h('div', {class: 'sum'}, h('span', {}, 'Total'), total), place, note)
  );

  const barText = h('span', {});
  const bar = h(
    'div',
    {class: 'bar', hidden: true},
    barText,
    h(
      'button',
      {
        class: 'button primary',
        type: 'button',
        onclick: () => {
          title.scrollIntoView({block: 'start'});
          title.focus({preventScroll: true});
        },
      },
      'Go to basket'
    )
  );

  const orderLines = () =>
    soldOut && !basket.quantity(soldOut.sku) ? [...basket.lines, {...soldOut, quantity: 1}] : basket.lines;

  async function chooseScenario(next) {
    scenario = next;
    soldOut = null;
    draw();
    if (!next.addsSoldOut) return;
    try {
      const found =
        (await catalogue.find(({sku}) => sku === 'SKU-SOLD-OUT')) ??
        (await catalogue.find(({available}) => available <= 0));
      if (scenario !== next) return;
      soldOut = found;
      if (!found) note.textContent = 'Every product is in stock, so there is nothing to add.';
      draw();
    } catch (error) {
      if (!signal.aborted)
        replace(
          problem,
          errorPanel(error, () => chooseScenario(next), signal)
        );
    }
  }

  async function fillSample() {
    try {
      await catalogue.find(({available}) => available > 0);
    } catch (error) {
      replace(problem, errorPanel(error, fillSample, signal));
      return;
    }
    const products = catalogue.products.filter(({available}) => available > 1).slice(0, SAMPLE_LINES);
    products.forEach((product, index) => {
      if (!basket.refusal(product)) basket.set(product, index + 1);
    });
    title.focus();
    announce(`${basket.count} items in the basket`);
  }

  function lineElement(line) {
    return h(
      'li',
      {class: 'line', 'data-line': line.sku},
      h(
        'div',
        {class: 'line-text'},
        h('span', {class: 'line-name'}, line.name),
        h('span', {class: 'hint'}, `${money(line.unitPrice, line.currency)} each`)
      ),
      stepper({
        label: line.name,
        value: line.quantity,
        max: QUANTITY_MAX,
        onChange: (quantity) => {
          basket.set(line, quantity);
          if (quantity === 0) title.focus();
        },
      }),
      h('span', {class: 'line-price'}, money(line.unitPrice * line.quantity, line.currency))
    );
  }

  /** Redraws the lines, but leaves a stepper that is in use where it is, so that it keeps the focus. */
  function drawLines() {
    const old = new Map([...lines.children].map((element) => [element.dataset.line, element]));
    const drawn = basket.lines.map((line) => {
      const element = old.get(line.sku);
      if (!element) return lineElement(line);
      element.querySelector('input').value = line.quantity;
      element.querySelector('.line-price').textContent = money(line.unitPrice * line.quantity, line.currency);
      return element;
    });
    if (soldOut) drawn.push(soldOutLine(soldOut));
    for (const element of [...lines.children]) if (!drawn.includes(element)) element.remove();
    drawn.forEach((element, index) => {
      if (lines.children[index] !== element) lines.insertBefore(element, lines.children[index] ?? null);
    });
  }

  function draw() {
    const ordered = orderLines();
    const sum = ordered.reduce((amount, line) => amount + line.unitPrice * line.quantity, 0);
    const currency = ordered[0]?.currency;
    drawLines();
    empty.hidden = ordered.length > 0;
    lines.hidden = ordered.length === 0;
    total.textContent = currency ? money(sum, currency) : '–';
    place.disabled = placing || ordered.length === 0 || (scenario.addsSoldOut && !soldOut);
    place.textContent = placing ? 'Placing…' : 'Place order';
    bar.hidden = ordered.length === 0;
    const items = ordered.reduce((count, line) => count + line.quantity, 0);
    barText.textContent = currency
      ? `${number(items)} ${items === 1 ? 'item' : 'items'} · ${money(sum, currency)}`
      : '';
  }

  function showRefusal(error) {
    const panel = errorPanel(error, () => form.requestSubmit(), signal);
    replace(problem, panel);
    const field = (error.errors ?? []).map(({pointer}) => fieldFor(form, pointer)).find(Boolean);
    field?.setAttribute('aria-invalid', 'true');
    (field ?? panel.querySelector('input, button'))?.focus();
  }

  async function submit(event) {
    event.preventDefault();
    if (placing || place.disabled) return;
    for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
    replace(problem);
    placing = true;
    note.textContent = '';
    draw();
    const ordered = orderLines();
    const body = {
      customerId: customer.value.trim(),
      currency: ordered[0].currency,
      items: ordered.map(({sku, quantity, unitPrice}) => ({sku, quantity, unitPrice})),
      payment: {method: 'card', token: scenario.token},
      metadata: {scenario: scenario.id},
    };
    try {
      const order = await placeOnce(body, (error, waitMs) => {
        note.textContent =
          `${error.status === 0 ? 'No answer yet' : 'The host is busy'}. Asking again in ` +
          `${Math.ceil(waitMs / 1000)} s; the order is still placed only once.`;
      });
      basket.clear();
      announce('Order placed');
      if (!signal.aborted) go(`#/orders/${order.id}`);
    } catch (error) {
      showRefusal(error);
    } finally {
      placing = false;
      draw();
    }
  }

  basket.addEventListener('change', draw, {signal});
  picker.start();
  // The bar would hide what it leads to.
  const watcher = new IntersectionObserver(([entry]) => bar.classList.toggle('away', entry.isIntersecting));
  watcher.observe(title);
  signal.addEventListener('abort', () => watcher.disconnect());
  return {panel: form, bar};
}
