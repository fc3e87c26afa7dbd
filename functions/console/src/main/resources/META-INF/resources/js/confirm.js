// Asking before an action: what will happen to each table, then sending it, then what became of it.
import {api} from './api.js';
import {html, nothing, render} from './lib.js';
import {icon} from './icons.js';
import {toast} from './notify.js';
import {ACTIONS} from './states.js';
import * as format from './format.js';

const LABELS = {
  'pause-pipeline': {label: 'Pause all', icon: 'pause'},
  'resume-pipeline': {label: 'Resume all', icon: 'play'},
  add: {label: 'Add tables', icon: 'plus'},
};
const SHOWN = 50;

/** Shows the consequences of an action and sends it if it is confirmed. True once it was sent. */
export async function confirmActions(action, tables, extra = {}) {
  const request = {action, ...(tables.length > 0 ? {tables} : {}), ...extra};
  const {consequences} = await api.act({...request, dryRun: true});
  return new Promise((resolve) => open(request, consequences, resolve));
}

function open(request, consequences, resolve) {
  const {label, icon: drawing, harsh} = LABELS[request.action] ?? ACTIONS[request.action];
  const n = request.tables?.length ?? 0;
  const title = n === 0 ? label : n === 1 ? `${label}: ${request.tables[0]}` : `${label}: ${format.count(n, 'table')}`;
  const dialog = document.createElement('dialog');
  let sent = false;
  let trouble;
  let busy = false;
  let drops = false;
  dialog.setAttribute('aria-labelledby', 'confirm-title');
  const draw = () => render(html`
    <div class="dialog-head"><h2 id="confirm-title">${title}</h2></div>
    <div class="dialog-body">
      ${consequences.slice(0, SHOWN).map((c) => html`<div class=${'notice ' + (c.warning ? 'warn' : '')}>
        ${icon(c.possible ? (c.warning ? 'warning' : 'info') : 'error')}
        <p>${n > 1 && c.table ? html`<strong>${c.table}</strong> ` : nothing}${c.possible ? nothing : 'Not possible: '}${c.text}</p></div>`)}
      ${consequences.length > SHOWN
        ? html`<p class="soft">And ${format.number(consequences.length - SHOWN)} more.</p>` : nothing}
      ${request.action === 'cancel' ? html`<label class="check"><input type="checkbox" .checked=${drops} ?disabled=${busy}
        @change=${(e) => dropQueue(e.target.checked)}>Of a first backfill, stop queueing its changes, too</label>` : nothing}
      ${trouble ? html`<p class="field-error" role="alert">${trouble}</p>` : nothing}
    </div>
    <div class="dialog-foot">
      <button ?disabled=${busy} @click=${() => dialog.close()}>Do nothing</button>
      <button class=${'primary' + (harsh ? ' harsh' : '')} ?disabled=${busy || !consequences.some((c) => c.possible)} @click=${send}>
        ${icon(drawing)}${label}</button>
    </div>`, dialog);
  /** What would happen is another thing then, so it is asked anew. */
  const dropQueue = async (on) => {
    busy = true;
    drops = on;
    draw();
    try {
      ({consequences} = await api.act({...request, dropQueue: on, dryRun: true}));
      trouble = undefined;
    } catch (e) {
      trouble = e.message;
      drops = !on;
    }
    busy = false;
    draw();
  };
  const send = async () => {
    busy = true;
    trouble = undefined;
    draw();
    try {
      // What was said to be impossible is left out.
      const tables = request.tables?.filter((name) => consequences.find((c) => c.table === name)?.possible !== false);
      const {results} = await api.act({...request, ...(n > 0 && request.action !== 'add' ? {tables} : {}),
        ...(drops ? {dropQueue: true} : {})});
      const rejected = results.filter((r) => r.outcome === 'rejected');
      if (rejected.length === results.length) {
        // Nothing was done: that is no message in passing.
        trouble = rejected.map((r) => (r.table && n > 1 ? r.table + ': ' : '') + r.reason).join('; ');
        busy = false;
        draw();
        dialog.querySelector('.dialog-foot button').focus();
        return;
      }
      report(label, results);
      sent = true;
      dialog.close();
    } catch (e) {
      trouble = e.message;
      busy = false;
      draw();
      dialog.querySelector('.dialog-foot button').focus();
    }
  };
  dialog.addEventListener('close', () => {
    dialog.remove();
    resolve(sent);
  });
  draw();
  document.body.append(dialog);
  dialog.showModal();
}

/** Says what became of an action. */
export function report(label, results) {
  const rejected = results.filter((r) => r.outcome === 'rejected');
  const pending = results.filter((r) => r.outcome === 'pending').length;
  if (rejected.length > 0) {
    const first = rejected[0];
    toast(`${label} was refused${first.table ? ' for ' + first.table : ''}: ${first.reason}`
      + (rejected.length > 1 ? ` (and ${rejected.length - 1} more)` : ''), 'bad');
  } else if (pending > 0) {
    toast(`${label} is sent; the scheduler has not taken it yet.`, 'info');
  } else {
    toast(results.length > 1 ? `${label}: ${format.count(results.length, 'table')}.` : `${label}: done as asked.`, 'good');
  }
}
