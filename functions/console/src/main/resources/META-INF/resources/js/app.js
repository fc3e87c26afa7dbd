// The shell: who is there, the head of the page, the connection, and which page the address names.
//
// A page is a function that draws into a root element of its own and returns what ends it:
//   overviewPage(query, store, root)     #/?q=…&state=…&sort=…&dir=…
//   tablePage(name, store, root)         #/table/<encodeURIComponent(name)>
//   settingsPage(store, root)            #/settings
// Each draws exactly one <h1 tabindex="-1">, which gets the focus after a change of the page.
import {api} from './api.js';
import {html, nothing, render} from './lib.js';
import {icon} from './icons.js';
import {newsOf, newsOfHealth} from './changes.js';
import {announce, toast} from './notify.js';
import {Store} from './store.js';
import {overviewPage} from './overview.js';
import * as format from './format.js';

const main = document.getElementById('main');
const masthead = document.getElementById('masthead');
const connection = document.getElementById('connection');
let store;
let shown;          // {page, leave}
let visits = 0;

/** The page and its arguments that a hash names. */
export function routeOf(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?', 2);
  const table = /^\/table\/(.+)$/.exec(path);
  if (table) {
    try {
      return {page: 'table', key: path, name: decodeURIComponent(table[1]), title: decodeURIComponent(table[1])};
    } catch {
      return {page: 'unknown', key: path, title: 'No such page'};
    }
  }
  switch (path) {
    case '': case '/':
      return {page: 'overview', key: '/', query: new URLSearchParams(query), title: 'Overview'};
    case '/settings':
      return {page: 'settings', key: path, title: 'Settings'};
    default:
      return {page: 'unknown', key: path, title: 'No such page'};
  }
}

async function start() {
  const waiting = document.createElement('div');
  main.replaceChildren(waiting);
  render(skeleton(), waiting);
  try {
    store = new Store(await api.me());
  } catch (e) {
    if (e.status !== 401) {
      render(failure('The console gives no answer', e.message, () => location.reload()), waiting);
    }
    return;
  }
  store.subscribe(onChange);
  addEventListener('hashchange', route);
  drawMasthead();
  await route();
  store.start();
  setInterval(drawConnection, 1_000);
}

async function route(event) {
  const to = routeOf(location.hash);
  const visit = ++visits;
  if (shown?.key === to.key && to.page !== 'overview') {
    return;
  }
  shown?.leave?.();
  const root = document.createElement('div');
  root.className = 'page page-' + to.page;
  main.replaceChildren(root);
  document.title = to.title + ' · Sluice';
  shown = {key: to.key};
  drawMasthead();
  scrollTo(0, 0);
  try {
    const leave = await open(to, root);
    if (visit !== visits) {
      leave?.();
      return;
    }
    shown.leave = leave;
  } catch (e) {
    console.error(e);
    render(failure('This page cannot be shown', e.message, () => location.reload()), root);
  }
  if (event) {
    (root.querySelector('h1') ?? main).focus({preventScroll: true});
  }
}

async function open(to, root) {
  switch (to.page) {
    case 'overview':
      return overviewPage(to.query, store, root);
    case 'table':
      return (await import('./table.js')).tablePage(to.name, store, root);
    case 'settings':
      return (await import('./settings.js')).settingsPage(store, root);
    default:
      render(html`<div class="empty"><h1 tabindex="-1">No such page</h1>
        <p>The address names no page of this console. <a href="#/">Go to the overview</a></p></div>`, root);
      return undefined;
  }
}

function onChange(change) {
  drawConnection();
  if (change.kind === 'connection') {
    announceConnection();
  } else {
    drawMasthead();
    newsOfHealth(lastHealth, store.health?.status).forEach(announce);
    lastHealth = store.health?.status;
    newsOf(change.before, store.tables).forEach(announce);
  }
}

let lastHealth;
let wasLost = false;

function announceConnection() {
  const lost = store.connection.status === 'lost';
  if (lost && !wasLost) {
    announce('Connection lost. What is shown may be old.');
  } else if (!lost && wasLost) {
    announce('Connected again.');
  }
  wasLost = lost;
}

function drawMasthead() {
  const page = shown?.key ?? '/';
  render(html`
    <a class="brand" href="#/">
      <img src="/favicon.svg" alt="" width="28" height="28">
      <span class="brand-name">Sluice</span>
      <span class="pipeline-name">${store.pipeline?.name ?? nothing}</span>
    </a>
    <nav aria-label="Pages">
      <a href="#/" aria-current=${page === '/' ? 'page' : 'false'}>Overview</a>
      <a href="#/settings" aria-current=${page === '/settings' ? 'page' : 'false'}>Settings</a>
    </nav>
    <div class="who">
      ${store.me.user ? html`<span class="user" title=${'Signed in as ' + store.me.user}>
        ${icon('user')}<span class="user-name">${store.me.user}</span></span>` : nothing}
      ${store.mayAct ? nothing : html`<span class="badge neutral">Viewer</span>`}
      ${store.me.login === 'none' ? nothing
        : html`<button class="quiet" @click=${logout}>Sign out</button>`}
    </div>`, masthead);
}

async function logout() {
  try {
    await api.logout();
    location.assign('/login.html');
  } catch (e) {
    toast(e.message, 'bad');
  }
}

function drawConnection() {
  const {status, since, nextTry} = store.connection;
  const seconds = Math.max(0, Math.ceil((nextTry - Date.now()) / 1000));
  document.documentElement.classList.toggle('is-lost', status === 'lost');
  render(status !== 'lost' ? nothing : html`
    <div class="connection-lost">
      ${icon('plug')}
      <p><strong>Disconnected since ${format.time(new Date(since).toISOString())}.</strong>
        ${store.loaded ? 'What is shown is from then.' : ''}
        <span class="next-try">${seconds > 0 ? `Next try in ${seconds} s.` : 'Trying to connect…'}</span></p>
      <button @click=${() => store.reconnect()}>Try now</button>
    </div>`, connection);
}

function skeleton() {
  return html`<div class="loading"><p class="visually-hidden" role="status">Loading</p>
    <div class="skeleton wide"></div><div class="skeleton"></div><div class="skeleton"></div></div>`;
}

function failure(title, detail, again) {
  return html`<div class="empty bad" role="alert"><h1 tabindex="-1">${title}</h1><p>${detail}</p>
    <button class="primary" @click=${again}>Try again</button></div>`;
}

document.querySelector('.skip-link').addEventListener('click', (event) => {
  event.preventDefault();   // the hash names the page
  main.focus();
});
start();
