// The lines of the basket as elements, redrawn without disturbing the one that is in use.

import {basket, quantityMax} from './basket.js';
import {foreign, h} from './dom.js';
import {money, number} from './format.js';
import {stepper} from './ui.js';

/** What the controls of a line are made of; when it changes, they are made anew. */
const facts = (line) => JSON.stringify([line.name, quantityMax(line)]);

function lineElement(line, onRemoved) {
  const {sku, name, quantity} = line;
  const onChange = (wanted) => {
    basket.change(sku, wanted);
    if (wanted === 0) onRemoved();
  };
  return h(
    'li',
    {class: 'line', 'data-line': sku, 'data-facts': facts(line)},
    lineText(name),
    stepper({label: name, value: quantity, max: quantityMax(line), onChange}),
    h('span', {class: 'line-price'})
  );
}

function lineText(name, ...hint) {
  const title = h('span', {class: 'line-name'}, foreign(name));
  return h('div', {class: 'line-text'}, title, h('span', {class: 'hint'}, hint));
}

function soldOutElement({name, sku, unitPrice, currency}) {
  const price = h('span', {class: 'line-price'}, money(unitPrice, currency));
  return h('li', {class: 'line'}, lineText(name, foreign(sku), ' · added by the scenario'), price);
}

/** Why no more of it can be had. */
function limitText({quantity, available}) {
  if (!(quantity >= available)) return '';
  return available > 0 ? ` · only ${number(available)} left` : ' · sold out';
}

function showFacts(element, line) {
  const {unitPrice, currency, quantity} = line;
  element.querySelector('input').value = quantity;
  element.querySelector('.hint').textContent = `${money(unitPrice, currency)} each${limitText(line)}`;
  element.querySelector('.line-price').textContent = money(unitPrice * quantity, currency);
}

/** The new element takes the place of the old one, and its focus. */
function renewed(old, line, onRemoved) {
  const controls = (element) => [...element.querySelectorAll('button, input')];
  const focused = controls(old).indexOf(document.activeElement);
  const element = lineElement(line, onRemoved);
  old.replaceWith(element);
  controls(element)[focused]?.focus();
  return element;
}

function upToDate(old, line, onRemoved) {
  if (!old) return lineElement(line, onRemoved);
  return old.dataset.facts === facts(line) ? old : renewed(old, line, onRemoved);
}

/** Draws `lines` and, after them, the item a scenario adds (or null) into `list`. */
export function drawLines(list, lines, soldOut, onRemoved) {
  const old = new Map([...list.children].map((element) => [element.dataset.line, element]));
  const drawn = lines.map((line) => {
    const element = upToDate(old.get(line.sku), line, onRemoved);
    showFacts(element, line);
    return element;
  });
  if (soldOut) drawn.push(soldOutElement(soldOut));
  for (const element of [...list.children]) if (!drawn.includes(element)) element.remove();
  drawn.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}
