// Run inside the page by shop_test.py: returns what is wrong with the page as it is shown, one sentence each.

const visible = (element) =>
  element.checkVisibility({visibilityProperty: true}) && element.getClientRects().length > 0;
const describe = (element) => element.outerHTML.slice(0, 90).replace(/\s+/g, ' ');
const wrong = [];

const ids = [...document.querySelectorAll('[id]')].map(({id}) => id);
for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index)))
  wrong.push(`two elements have the id ${id}`);

if (!document.documentElement.lang) wrong.push('the page names no language');
if (document.querySelectorAll('h1').length !== 1)
  wrong.push(`there are ${document.querySelectorAll('h1').length} h1`);
if (document.querySelectorAll('main').length !== 1) wrong.push('there is not one main');
for (const image of document.images) if (!image.hasAttribute('alt')) wrong.push(`no alt: ${describe(image)}`);

if (document.documentElement.scrollWidth > window.innerWidth) {
  const widest = [...document.querySelectorAll('main *')].find(
    (element) => element.getBoundingClientRect().right > innerWidth + 1
  );
  wrong.push(
    `${document.documentElement.scrollWidth} wide on ${innerWidth}: ${widest ? describe(widest) : ''}`
  );
}

// A finger needs 44 by 44 CSS pixels; links inside a sentence are exempt.
const TARGET = 44;
for (const element of document.querySelectorAll(
  'button, input, select, .button, .tab, .order-row, .foot a, .back a'
)) {
  if (!visible(element)) continue;
  const {width, height} = element.getBoundingClientRect();
  if (width < TARGET - 0.5 || height < TARGET - 0.5)
    wrong.push(`${Math.round(width)}×${Math.round(height)} is too small: ${describe(element)}`);
}

// WCAG 2.2 contrast of every text against the first opaque ground behind it.
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
function channels(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}
function luminance([red, green, blue]) {
  const linear = [red, green, blue]
    .map((value) => value / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
function ground(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
}
for (const element of document.querySelectorAll('body *')) {
  const speaks = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!speaks || !visible(element) || element.closest('.visually-hidden, .skip, :disabled, noscript, option'))
    continue;
  const style = getComputedStyle(element);
  const pair = [luminance(channels(style.color)), luminance(ground(element))].sort((a, b) => b - a);
  const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
  const large =
    parseFloat(style.fontSize) >= 24 ||
    (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  if (contrast < (large ? 3 : 4.5)) wrong.push(`contrast ${contrast.toFixed(2)}: ${describe(element)}`);
}

return wrong;
