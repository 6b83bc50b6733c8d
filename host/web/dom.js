// Small helpers to build elements and to speak to screen readers. Text only ever enters the page as text
// nodes and attributes, so nothing that came over the network is parsed as markup.

/** h('a', {href: '#/', onclick: go}, 'Shop'): an element, its attributes and listeners, its children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  add(element, children);
  return element;
}

/**
 * Text that someone else wrote, as part of a line. Set apart, so that writing direction characters in it do
 * not turn around what comes after it, a price for example.
 */
export const foreign = (text) => h('bdi', {}, text);

/** Appends children, leaving out those that are null or false. */
export function add(element, ...children) {
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
  );
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

/** Has a screen reader say a sentence when it is next silent. */
export function announce(text) {
  const announcer = document.getElementById('announcer');
  // The same sentence twice is only heard twice if the text node is a new one.
  announcer.replaceChildren(text);
}

/** Resolves after a while, or at once (as `false`) when the signal is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const timer = setTimeout(() => resolve(true), milliseconds);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve(false);
      },
      {once: true}
    );
  });
}

/** Resolves once the tab is in view, or with `false` when the signal is aborted. */
export function inView(signal) {
  return new Promise((resolve) => {
    const look = () => {
      if (!document.hidden || signal.aborted) resolve(!signal.aborted);
    };
    document.addEventListener('visibilitychange', look, {signal});
    signal.addEventListener('abort', look, {once: true});
    look();
  });
}

/** A value kept for the life of the tab. Storage may be switched off; the page works without it. */
export const keep = {
  get(name) {
    try {
      return JSON.parse(sessionStorage.getItem(`orderd.${name}`));
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(`orderd.${name}`);
      else sessionStorage.setItem(`orderd.${name}`, JSON.stringify(value));
    } catch {
      /* Private mode with storage off: only this page view remembers. */
    }
  },
};
