// The HTTP API under /api/v1, as promises.

/** What the API refused, or that it could not be reached. `field` names the bad field of a request, if one is. */
export class ApiError extends Error {
  constructor(status, title, detail, field) {
    super(detail || title);
    this.name = 'ApiError';
    this.status = status;
    this.title = title;
    this.field = field;
  }

  /** True if no answer came at all. */
  get unreachable() {
    return this.status === 0;
  }
}

const BASE = '/api/v1';

/** Sends the browser to the page for signing in, which leads back to where it was. */
export function toLogin() {
  const here = location.pathname + location.hash;
  location.assign('/login.html?from=' + encodeURIComponent(here));
}

async function call(method, path, body, millis = 30_000) {
  const headers = {Accept: 'application/json', 'X-Sluice': '1'};
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
  }
  let response;
  let text;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(millis),
    });
    text = await response.text();
  } catch (e) {
    const late = e.name === 'TimeoutError';
    throw new ApiError(0, late ? 'No answer in time' : 'The console cannot be reached',
      late ? `The console gave no answer within ${millis / 1000} s. Look whether it runs, then try again.`
        : 'The console cannot be reached. Look whether it runs and whether you are connected, then try again.');
  }
  if (response.status === 401) {
    toLogin();
    throw new ApiError(401, 'Not signed in', 'You are not signed in. Sign in, then try again.');
  }
  const data = parsed(text);
  if (!response.ok) {
    const title = data?.title ?? (response.statusText || 'Status ' + response.status);
    throw new ApiError(response.status, title, data?.detail, data?.field);
  }
  return data;
}

function parsed(text) {
  if (!text) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const api = {
  me: (millis) => call('GET', '/me', undefined, millis),
  logout: () => call('POST', '/logout', {}),
  overview: () => call('GET', '/overview'),
  table: (name) => call('GET', '/tables/' + encodeURIComponent(name)),
  /** {action, tables?, dryRun?, options?, keys?, dropQueue?}: consequences of a dry run, otherwise results. */
  act: (request) => call('POST', '/actions', request),
  sourceTables: (search) =>
    call('GET', '/source/tables' + (search ? '?search=' + encodeURIComponent(search) : '')),
  settings: () => call('GET', '/settings'),
  changeSettings: (changes) => call('PATCH', '/settings', changes),
  eventsPath: (table) => BASE + '/events' + (table ? '?table=' + encodeURIComponent(table) : ''),
};
