// What is above the list: the filter by name, the order for narrow screens, and the filters by state.
import {html, live} from './lib.js';
import {icon} from './icons.js';
import {COLUMNS, FILTERS} from './selection.js';
import * as format from './format.js';

/** @param change takes a function that edits the selection, and shows what it leads to */
export function toolbar(selection, all, shown, change, clear) {
  return html`<div class="toolbar">
    <h2 id="tables-title">Tables</h2>
    <div class="search" role="search">
      <label class="visually-hidden" for="search">Filter by name</label>${icon('search')}
      <input id="search" type="search" placeholder="Filter by name" autocomplete="off" spellcheck="false"
        .value=${live(selection.text)} @input=${(e) => change(() => {
          selection.text = e.target.value;
        })}>
    </div>
    ${sortControls(selection, change)}
    <button class=${'quiet clear-filter' + (selection.narrowed ? '' : ' away')} ?disabled=${!selection.narrowed}
      @click=${clear}>Clear the filter</button>
    <p class="soft shown-count">${shown.length === all.length ? format.count(all.length, 'table')
      : `${format.number(shown.length)} of ${format.count(all.length, 'table')}`}</p>
  </div>`;
}

function sortControls(selection, change) {
  return html`<div class="sort-controls">
    <label for="sort">Sort by</label>
    <select id="sort" @change=${(e) => change(() => {
      selection.sort = e.target.value;
    })}>${COLUMNS.map((c) => html`<option value=${c.key}
      .selected=${live(selection.sort === c.key)}>${c.title}</option>`)}</select>
    <button class="icon-button direction" aria-label=${selection.down ? 'Descending; change to ascending'
      : 'Ascending; change to descending'} @click=${() => change(() => {
        selection.down = !selection.down;
      })}>${icon(selection.down ? 'down' : 'up')}</button>
  </div>`;
}

/** One button for each state, with how many of these tables are in it. */
export function stateFilters(selection, tables, change) {
  return html`<div class="filters" role="group" aria-label="Filter by state">
    ${FILTERS.map((filter) => {
      const n = tables.reduce((sum, t) => sum + (filter.has(t) ? 1 : 0), 0);
      const look = n === 0 ? 'chip zero' : filter.alarm ? 'chip alarm' : 'chip';
      return html`<button class=${look} aria-pressed=${selection.states.has(filter.key)}
        @click=${() => change(() => {
          if (!selection.states.delete(filter.key)) {
            selection.states.add(filter.key);
          }
        })}>${filter.title} <span class="chip-count">${format.number(n)}</span></button>`;
    })}
  </div>`;
}

/** The heading of a column; pressing it sorts by the column, pressing it again turns the order. */
export function heading({key, title}, selection, change) {
  const sorted = selection.sort === key;
  const order = selection.down ? 'descending' : 'ascending';
  return html`<th role="columnheader" scope="col" class=${'c-' + key + (sorted ? ' sorted' : '')}
    aria-sort=${sorted ? order : 'none'}>
    <button class="sort" @click=${() => change(() => {
      selection.down = sorted && !selection.down;
      selection.sort = key;
    })}>${title}${icon(sorted && selection.down ? 'down' : 'up')}</button></th>`;
}
