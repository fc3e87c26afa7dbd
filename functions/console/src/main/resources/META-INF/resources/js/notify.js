// Telling the viewer something in passing: aloud for a screen reader, and in a corner of the page.
import {html, render, repeat} from './lib.js';
import {icon} from './icons.js';

const WAIT_MILLIS = 400;
const TOAST_MILLIS = 8_000;
let waiting = [];
let timer;
let toasts = [];
let nextToast = 1;

/** Says a sentence in the polite live region. What comes at once is said at once, at most three sentences. */
export function announce(text) {
  waiting.push(text);
  timer ??= setTimeout(() => {
    const more = waiting.length > 3 ? ` And ${waiting.length - 3} more changes.` : '';
    document.getElementById('announcer').textContent = waiting.slice(0, 3).join(' ') + more;
    waiting = [];
    timer = undefined;
  }, WAIT_MILLIS);
}

/** Shows a message in the corner and says it; kind is `good`, `info` or `bad`. A bad one stays until it is closed. */
export function toast(text, kind = 'info') {
  const id = nextToast++;
  toasts = [...toasts, {id, text, kind}].slice(-4);
  show();
  announce(text);
  if (kind !== 'bad') {
    setTimeout(() => close(id), TOAST_MILLIS);
  }
}

function close(id) {
  toasts = toasts.filter((t) => t.id !== id);
  show();
}

function show() {
  render(repeat(toasts, (t) => t.id, (t) => html`
    <div class="toast ${t.kind}">
      ${icon(t.kind === 'bad' ? 'warning' : t.kind === 'good' ? 'check' : 'info')}
      <p>${t.text}</p>
      <button class="icon-button" aria-label="Close this message" @click=${() => close(t.id)}>${icon('close')}</button>
    </div>`), document.getElementById('toasts'));
}
