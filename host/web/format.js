// Words and numbers as people read them: money from minor units, times, and the names of statuses.

// The minor units of ISO 4217, as the host counts in them. Intl has digits of its own, those of everyday use:
// none for RSD or IQD, which would make an amount 100 or 1000 times too large.
const noDigits = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
const threeDigits = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

function minorDigits(currency) {
  if (noDigits.includes(currency)) return 0;
  return threeDigits.includes(currency) ? 3 : 2;
}

const moneyFormats = new Map();

function moneyFormat(currency) {
  if (!moneyFormats.has(currency)) {
    const digits = minorDigits(currency);
    const options = {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    };
    moneyFormats.set(currency, new Intl.NumberFormat(undefined, options));
  }
  return moneyFormats.get(currency);
}

/** 4188, 'EUR' → €41.88. Amounts are integers in the currency's minor unit. */
export const money = (amount, currency) => moneyFormat(currency).format(amount / 10 ** minorDigits(currency));

const numberFormat = new Intl.NumberFormat();
export const number = (value) => numberFormat.format(value);

const dayFormat = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'short'});
const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});
export const dateTime = (at) => dayFormat.format(new Date(at));
export const clock = (at) => clockFormat.format(new Date(at));

const relativeFormat = new Intl.RelativeTimeFormat('en', {numeric: 'auto', style: 'short'});

/** '2 min. ago', and a date once that says more. */
export function ago(at, now = Date.now()) {
  const seconds = Math.round((new Date(at) - now) / 1000);
  if (seconds > -5) return 'just now';
  if (seconds > -60) return relativeFormat.format(seconds, 'second');
  if (seconds > -3600) return relativeFormat.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86400) return relativeFormat.format(Math.round(seconds / 3600), 'hour');
  return dateTime(at);
}

/** The time between two moments, as short as it reads well. */
export function elapsed(from, to) {
  const ms = Math.max(0, new Date(to) - new Date(from));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** The last characters of an id are its random ones, and so tell two orders of one moment apart. */
export const shortId = (id) => id.slice(-8);

const statusWords = {
  PENDING: 'Placed',
  PAYMENT_AUTHORIZED: 'Payment authorised',
  INVENTORY_RESERVED: 'Stock reserved',
  CONFIRMED: 'Confirmed',
  CANCELLING: 'Cancelling',
  CLOSED: 'Closed',
  CANCELLED: 'Cancelled',
  REJECTED: 'Rejected',
};

const paymentWords = {
  NONE: 'No payment yet',
  PENDING: 'Payment pending',
  ACTION_REQUIRED: 'Waiting for the buyer',
  AUTHORIZED: 'Payment authorised',
  CAPTURED: 'Payment captured',
  VOIDED: 'Payment released',
  PARTIALLY_REFUNDED: 'Partly refunded',
  REFUNDED: 'Refunded',
  FAILED: 'Payment failed',
  UNKNOWN: 'Payment being checked',
  NOT_REQUIRED: 'Nothing to pay',
};

const reasonWords = {
  OUT_OF_STOCK: 'An item is out of stock',
  PAYMENT_DECLINED: 'The card was declined',
  INSUFFICIENT_FUNDS: 'There was not enough money on the card',
  PAYMENT_EXPIRED: 'The payment was not completed in time',
  CANCELLED_BY_REQUEST: 'Cancelled on request',
  STEP_DECLINED: 'A step was declined',
};

// A saga may name statuses of its own; those are shown as they read.
const sentence = (code) => code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ');

export const statusName = (status) => statusWords[status] ?? sentence(status);
export const paymentName = (status) => paymentWords[status] ?? sentence(status);

/** A reason as one sentence: `{code, message}`, a code alone, or null. */
export function reasonText(reason) {
  if (!reason) return '';
  const {code, message} = typeof reason === 'string' ? {code: reason} : reason;
  const words = reasonWords[code] ?? (code ? sentence(code) : '');
  const saysMore =
    message && ![words, sentence(code ?? '')].some((known) => known.toLowerCase() === message.toLowerCase());
  return saysMore ? `${words}${words && ': '}${message}` : words;
}

export const isFinal = (status) => status === 'CANCELLED' || status === 'REJECTED';
