// The lines of the basket as elements, redrawn without disturbing the one that is in use.

import {basket, QUANTITY_MAX} from './basket.js';
import {h} from './dom.js';
import {money} from './format.js';
import {stepper} from './ui.js';

function lineElement(line, onRemoved) {
  const onChange = (quantity) => {
    basket.set(line, quantity);
    if (quantity === 0) onRemoved();
  };
  return h(
    'li',
    {class: 'line', 'data-line': line.sku},
    lineText(line.name, `${money(line.unitPrice, line.currency)} each`),
    stepper({label: line.name, value: line.quantity, max: QUANTITY_MAX, onChange}),
    h('span', {class: 'line-price'})
  );
}

function lineText(name, hint) {
  const text = h('div', {class: 'line-text'}, h('span', {class: 'line-name'}, name));
  text.append(h('span', {class: 'hint'}, hint));
  return text;
}

function soldOutElement({name, sku, unitPrice, currency}) {
  const price = h('span', {class: 'line-price'}, money(unitPrice, currency));
  return h('li', {class: 'line'}, lineText(name, `${sku} · added by the scenario`), price);
}

/** Draws `lines` and, after them, the item a scenario adds (or null) into `list`. */
export function drawLines(list, lines, soldOut, onRemoved) {
  const old = new Map([...list.children].map((element) => [element.dataset.line, element]));
  const drawn = lines.map((line) => {
    const element = old.get(line.sku) ?? lineElement(line, onRemoved);
    element.querySelector('input').value = line.quantity;
    element.querySelector('.line-price').textContent = money(line.unitPrice * line.quantity, line.currency);
    return element;
  });
  if (soldOut) drawn.push(soldOutElement(soldOut));
  for (const element of [...list.children]) if (!drawn.includes(element)) element.remove();
  drawn.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}
