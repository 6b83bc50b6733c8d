// Pieces that several views share: status badges, the quantity stepper, and the panel that explains a
// failure.

import {apiKey} from './api.js';
import {announce, h, pause, replace} from './dom.js';
import {paymentName, statusName} from './format.js';

export const statusBadge = (status) => h('span', {class: 'badge', 'data-status': status}, statusName(status));
export const paymentBadge = (status) =>
  h('span', {class: 'badge quiet', 'data-payment': status}, paymentName(status));

/** − [ 2 ] +, for one product. `onChange` gets the wanted quantity; 0 takes the product out. */
export function stepper({label, value, max, onChange}) {
  const field = h('input', {
    type: 'number',
    inputmode: 'numeric',
    min: 0,
    max,
    value,
    'aria-label': `Quantity of ${label}`,
  });
  const change = (wanted) => {
    const quantity = Math.min(Math.max(0, Math.trunc(wanted) || 0), max);
    field.value = quantity;
    onChange(quantity);
  };
  field.addEventListener('change', () => change(Number(field.value)));
  return h(
    'div',
    {class: 'stepper', role: 'group', 'aria-label': label},
    h(
      'button',
      {type: 'button', 'aria-label': `One less of ${label}`, onclick: () => change(Number(field.value) - 1)},
      '−'
    ),
    field,
    h(
      'button',
      {type: 'button', 'aria-label': `One more of ${label}`, onclick: () => change(Number(field.value) + 1)},
      '+'
    )
  );
}

function keyForm(onKey) {
  const field = h('input', {
    id: 'api-key',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'ok_…',
    value: apiKey.get(),
  });
  return h(
    'form',
    {
      class: 'key-form',
      onsubmit: (event) => {
        event.preventDefault();
        apiKey.set(field.value.trim());
        onKey();
      },
    },
    h('label', {for: 'api-key'}, 'API key'),
    h('div', {class: 'row'}, field, h('button', {class: 'button', type: 'submit'}, 'Use this key')),
    h('p', {class: 'hint'}, 'Made with “orderctl keys”. It stays in this tab and is forgotten with it.')
  );
}

function explanation(error) {
  if ([0, 502, 504].includes(error.status))
    return ['No answer from the host', 'It may be restarting, or the network is down.'];
  if (error.status === 401) return ['This host asks for an API key', 'Enter one to go on.'];
  if (error.status === 403) return ['This key may not do that', error.message];
  if (error.status === 429)
    return ['That was a little fast', 'The host limits how often one caller may ask.'];
  if (error.status === 503) return ['The shop is taking a short break', error.message];
  return [error.title || 'That did not work', error.message];
}

/** Explains a failure inside a view. A passing one is tried again by itself, any other by the button. */
export function errorPanel(error, retry, signal) {
  const [title, text] = explanation(error);
  const wait = h('p', {class: 'hint'});
  const again = h('button', {class: 'button', type: 'button', onclick: retry}, 'Try again');
  const panel = h(
    'div',
    {class: 'panel notice error', role: 'alert'},
    h('h2', {}, title),
    h('p', {}, text),
    error.errors?.length
      ? h(
          'ul',
          {},
          error.errors.map(({pointer, message}) => h('li', {}, h('code', {}, pointer), ` ${message}`))
        )
      : null,
    error.status === 401 || error.status === 403 ? keyForm(retry) : h('div', {class: 'row'}, again, wait),
    error.requestId ? h('p', {class: 'hint'}, 'Request ', h('code', {}, error.requestId)) : null
  );
  if (error.passing)
    countDown(error.waitMs, wait, signal).then((due) => {
      if (due && panel.isConnected) retry();
    });
  return panel;
}

async function countDown(milliseconds, element, signal) {
  for (let seconds = Math.max(1, Math.ceil(milliseconds / 1000)); seconds > 0; seconds -= 1) {
    element.textContent = `Trying again in ${seconds} s`;
    if (!(await pause(1000, signal))) return false;
  }
  return true;
}

/** Copies a text and says so, on the button and to a screen reader. */
export function copyButton(label, text) {
  const button = h('button', {class: 'button quiet small', type: 'button'}, label);
  button.addEventListener('click', async () => {
    // Without https the clipboard is closed to pages; then the text is offered for copying by hand.
    try {
      await navigator.clipboard.writeText(text);
      replace(button, 'Copied');
      announce('Copied');
    } catch {
      button.replaceWith(h('input', {class: 'copy-field', readonly: true, value: text, 'aria-label': label}));
    }
  });
  return button;
}
