// The dashboard's own interface; see pgcrew-dashboard(7).

const base = new URL('dashboard/api/', document.baseURI);
let csrf = null;
let onSignedOut = () => {};

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? `The daemon answered with status ${status}.`);
    this.status = status;
    this.hint = body?.hint ?? null;
    this.details = body?.details ?? null;
  }
}

export function address(path, query) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== '' && value !== null && value !== undefined) url.searchParams.set(name, value);
  return url;
}

async function send(url, options) {
  let answer;
  try {
    answer = await fetch(url, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { message: 'The daemon does not answer.', hint: 'It may be restarting; try again in a moment.' });
  }
  const text = await answer.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch { /* not ours: the status says enough */ }
  if (answer.ok) return body;
  if (answer.status === 401 && !url.pathname.endsWith('/login')) onSignedOut();
  throw new ApiError(answer.status, body);
}

export const get = (path, query, signal) => send(address(path, query), { signal });

export const post = (path, body = {}) => send(address(path), {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', ...(csrf ? { 'X-CSRF-Token': csrf } : {}) },
  body: JSON.stringify(body),
});

// Of who looks: {name, version, expires_at}; throws with status 401 when there is no session.
export async function session() {
  const found = await get('session');
  csrf = found.csrf;
  return found;
}

export async function login(token) {
  const found = await post('login', { token });
  csrf = found.csrf;
  return found;
}

export async function logout() {
  await post('logout');
  csrf = null;
}

export const whenSignedOut = (f) => { onSignedOut = f; };
