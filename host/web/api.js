// The HTTP API as functions. Every failure is one ApiError, whether the host refused, was overloaded or did
// not answer, so that a view has one way to show it.

import {keep} from './dom.js';

const ANSWER_TIMEOUT_MS = 15_000;
const DEFAULT_RETRY_MS = 2_000;
const RETRY_MAX_MS = 30_000;
const PASSING = [0, 408, 425, 429, 500, 502, 503, 504];

export class ApiError extends Error {
  /**
   * status 0: no answer came, so nobody knows whether the request took effect.
   * problem: the answer is a problem document, and so of the host rather than of something in between.
   */
  constructor({
    status,
    code = '',
    title = '',
    detail = '',
    errors = [],
    retryable = false,
    retryAfterMs = null,
    requestId = '',
    problem = false,
  }) {
    super(detail || title || `The host answered ${status}.`);
    Object.assign(this, {
      status,
      code,
      title,
      detail,
      errors,
      retryable,
      retryAfterMs,
      requestId,
      problem,
    });
  }

  /** True when the same request, sent again a little later, may well succeed. */
  get passing() {
    return PASSING.includes(this.status) || this.retryable;
  }

  get waitMs() {
    return Math.min(this.retryAfterMs ?? DEFAULT_RETRY_MS, RETRY_MAX_MS);
  }
}

/** The API key of this tab, for hosts that ask for one. */
export const apiKey = {
  get: () => keep.get('key') ?? '',
  set: (key) => keep.set('key', key || null),
};

/** A random key; crypto.randomUUID is only there on https and localhost, getRandomValues everywhere. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function retryAfter(headers) {
  const value = headers.get('Retry-After');
  if (!value) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : new Date(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(ms, 0) : null;
}

async function failure(response) {
  const told = await response.json().catch(() => ({}));
  const problem = (response.headers.get('Content-Type') ?? '').includes('problem+json');
  const retryAfterMs = retryAfter(response.headers);
  return new ApiError({...told, status: response.status, retryAfterMs, problem});
}

function timeLimit(signal) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, ANSWER_TIMEOUT_MS);
  signal?.addEventListener('abort', stop, {once: true});
  return {
    signal: limit.signal,
    done: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    },
  };
}

async function request(method, path, {query = {}, body, headers = {}, signal} = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  const url = parameters.size ? `${path}?${parameters}` : path;
  const sent = {Accept: 'application/json', ...headers};
  if (apiKey.get() && !query.token) sent.Authorization = `Bearer ${apiKey.get()}`;
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  const limit = timeLimit(signal);
  try {
    const response = await fetch(url, {
      method,
      headers: sent,
      cache: 'no-store',
      signal: limit.signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.status === 304) return null;
    if (!response.ok) throw await failure(response);
    return await response.json();
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    throw new ApiError({status: 0, title: 'No answer from the host'});
  } finally {
    limit.done();
  }
}

const orderPath = (id) => `/api/orders/${encodeURIComponent(id)}`;

export const listProducts = (query, signal) => request('GET', '/api/products', {query, signal});
export const listOrders = (query, signal) => request('GET', '/api/orders', {query, signal});

/** The order with its history, or null when it is still at `knownVersion`. */
export function getOrder(id, {token, knownVersion, signal}) {
  const headers = knownVersion ? {'If-None-Match': `"${knownVersion}"`} : {};
  return request('GET', orderPath(id), {query: {token}, headers, signal});
}

/** Safe to send again with the same key and body: the host then answers with the order it already has. */
export const placeOrder = (body, key, signal) =>
  request('POST', '/api/orders', {body, headers: {'Idempotency-Key': key}, signal});

export const cancelOrder = (id, reason, key, signal) =>
  request('POST', `${orderPath(id)}/cancel`, {
    body: reason ? {reason} : {},
    headers: {'Idempotency-Key': key},
    signal,
  });

export function streamUrl(id, token) {
  return `${orderPath(id)}/stream${token ? `?token=${encodeURIComponent(token)}` : ''}`;
}

/** Tracking tokens of the orders placed in this tab; they open one order each, without a key. */
export const trackingTokens = {
  get: (id) => (keep.get('tokens') ?? {})[id] ?? null,
  set(id, token) {
    if (token) keep.set('tokens', {...keep.get('tokens'), [id]: token});
  },
};
