// What may be done to the tables that are selected.
import {html, nothing} from './lib.js';
import {icon} from './icons.js';
import {ACTIONS} from './states.js';
import * as format from './format.js';

const ORDER = ['backfill', 'cancel', 'pause', 'resume', 'retry', 'verify', 'remove', 'to-front'];

/**
 * A button for each action that is possible for one of the tables at least, with how many those are.
 * @param away how many of the tables the filter hides
 * @param act takes the action and the names of the tables for which it is possible
 */
export function bulkBar(tables, away, act, selectNone) {
  return html`<div class="bulk" role="region" aria-label="Actions for the selected tables">
    <p><strong>${format.number(tables.length)}</strong> selected${away > 0
      ? `, ${format.number(away)} not shown` : ''}</p>
    <div class="bulk-actions">${ORDER.map((action) => button(action, tables, act))}</div>
    <button class="quiet" @click=${selectNone}>Select none</button>
  </div>`;
}

function button(action, tables, act) {
  const names = tables.filter((t) => t.actions.includes(action)).map((t) => t.name);
  if (names.length === 0) {
    return nothing;
  }
  const {label, icon: drawing, harsh} = ACTIONS[action];
  const some = names.length < tables.length;
  return html`<button class=${harsh ? 'harsh' : ''}
    title=${some ? `Possible for ${names.length} of the ${tables.length} selected tables` : nothing}
    @click=${() => act(action, names)}>${icon(drawing)}${label}
    <span class="chip-count">${format.number(names.length)}</span></button>`;
}
