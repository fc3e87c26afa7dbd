// The overview: health, totals and the tables.
import {guard, html, live, nothing, render, repeat} from './lib.js';
import {bulkBar} from './bulk.js';
import {healthSection} from './health.js';
import {icon} from './icons.js';
import {menuIsOpen, openMenu} from './menu.js';
import {toast} from './notify.js';
import {agesOf, row} from './row.js';
import {COLUMNS, Selection} from './selection.js';
import {heading, stateFilters, toolbar} from './toolbar.js';
import * as format from './format.js';

const TICK_MILLIS = 1_000;
/** Rows that are sorted by what moves change places no more often than this. */
const ORDER_MILLIS = 3_000;
/** From this many rows on, the browser lays out only those that are in sight. */
const LONG_ROWS = 100;
/** One drawing adds no more rows than this; the next ones, a moment later, add the others. */
const NEW_ROWS = 200;

export function overviewPage(query, store, root) {
  const page = new Overview(new Selection(query), store, root);
  return page.start();
}

class Overview {
  #selection;
  #store;
  #root;
  #selected = new Set();
  #shown = [];
  #shownFor;
  #orderedAt = 0;
  #drawnRows = 0;
  #drawnAt = 0;
  #lastSelected;
  #frame;
  #list;

  constructor(selection, store, root) {
    this.#selection = selection;
    this.#store = store;
    this.#root = root;
    this.#list = {
      onSelect: (name, on, range) => this.#select(name, on, range),
      onMenu: (event, table) => openMenu(event.currentTarget, 'Actions for ' + table.name, table.actions,
        (action) => this.#act(action, [table.name])),
    };
  }

  start() {
    const unsubscribe = this.#store.subscribe(() => this.#later());
    const ticking = setInterval(() => this.#tick(), TICK_MILLIS);
    this.#draw();
    return () => {
      unsubscribe();
      clearInterval(ticking);
      cancelAnimationFrame(this.#frame);
    };
  }

  /** Ages grow also when nothing else changes. */
  #tick() {
    if (performance.now() - this.#drawnAt > TICK_MILLIS * 0.8) {
      this.#later();
    }
  }

  #later() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  #draw() {
    const start = performance.now();
    this.#drawnAt = start;
    this.#list.mayAct = this.#store.mayAct;
    render(this.#page(), this.#root);
    performance.measure('sluice-overview', {start, end: performance.now()});
    performance.clearMeasures('sluice-overview');
  }

  #page() {
    const {loaded, connection, tables} = this.#store;
    if (!loaded) {
      return html`${this.#head()}${connection.status === 'lost' ? unreachable(this.#store) : loading()}`;
    }
    return html`
      ${this.#head()}
      ${this.#banners()}
      ${healthSection(this.#store)}
      ${tables.size === 0 ? this.#noTables() : this.#tables([...tables.values()])}`;
  }

  #head() {
    const {loaded, mayAct, pipeline} = this.#store;
    return html`<div class="page-head">
      <h1 tabindex="-1">Overview</h1>
      <div class="page-actions">
        ${mayAct ? html`
          <button class="primary" ?disabled=${!loaded} @click=${() => this.#add()}>${icon('plus')}Add tables</button>
          ${pipeline?.paused
            ? html`<button @click=${() => this.#act('resume-pipeline', [])}>${icon('play')}Resume all</button>`
            : html`<button ?disabled=${!loaded} @click=${() => this.#act('pause-pipeline', [])}>
                ${icon('pause')}Pause all</button>`}`
          : html`<p class="soft viewer-note">You may look. Actions need the role operator.</p>`}
        <a class="button to-settings" href="#/settings">${icon('gear')}Settings</a>
      </div>
    </div>`;
  }

  #banners() {
    const {mayAct, pipeline} = this.#store;
    const {paused, requests = [], resting} = pipeline;
    return html`
      ${paused ? html`<div class="notice warn banner">${icon('pause')}
        <p><strong>The whole pipeline is paused</strong>${paused.by ? ` by ${paused.by}` : ''} since
          <time datetime=${paused.since} title=${format.fullTime(paused.since)}>${format.time(paused.since)}</time>.
          Changes go on queueing in Kafka; nothing is written to the destination.</p>
        ${mayAct ? html`<button @click=${() => this.#act('resume-pipeline', [])}>
          ${icon('play')}Resume</button>` : nothing}
      </div>` : nothing}
      ${resting ? html`<div class="notice banner">${icon('clock')}
        <p><strong>Backfills rest:</strong> ${resting}. They go on by themselves.</p></div>` : nothing}
      ${requests.map((r) => html`<div class="notice banner">${icon('clock')}
        <p>Looking for tables: <strong>${r.tables.join(', ')}</strong>${r.by ? ', asked by ' + r.by : ''}.</p>
      </div>`)}`;
  }

  #noTables() {
    return html`<section class="empty panel"><h2>No tables yet</h2>
      <p>Add tables of the source: each is copied to the destination, and then kept in step with every change.</p>
      ${this.#store.mayAct ? html`<button class="primary" @click=${() => this.#add()}>
        ${icon('plus')}Add the first tables</button>` : nothing}</section>`;
  }

  #tables(all) {
    const selection = this.#selection;
    const named = selection.named(all);
    const shown = this.#inOrder(selection.chosen(named));
    this.#shown = shown;
    for (const name of this.#selected) {
      if (!this.#store.tables.has(name)) {
        this.#selected.delete(name);
      }
    }
    return html`<section class="tables" aria-labelledby="tables-title">
      ${toolbar(selection, all, shown, this.#change, this.#clearFilter)}
      ${stateFilters(selection, named, this.#change)}
      ${shown.length === 0 ? this.#noMatch() : this.#listOf(shown)}
      ${this.#bulk(shown)}
    </section>`;
  }

  /** Rows that move by themselves change places now and then, and not while somebody is at them. */
  #inOrder(tables) {
    const selection = this.#selection;
    const body = this.#root.querySelector('.grid tbody');
    const held = selection.moves && this.#shownFor === selection.hash() && body
      && (performance.now() - this.#orderedAt < ORDER_MILLIS || menuIsOpen() || body.matches(':hover')
        || body.contains(document.activeElement));
    if (!held) {
      this.#shownFor = selection.hash();
      this.#orderedAt = performance.now();
      return selection.sorted(tables);
    }
    const left = new Map(tables.map((t) => [t.name, t]));
    const kept = [];
    for (const {name} of this.#shown) {
      if (left.has(name)) {
        kept.push(left.get(name));
        left.delete(name);
      }
    }
    return [...kept, ...left.values()];
  }

  #noMatch() {
    this.#drawnRows = 0;
    return html`<div class="empty panel"><h3>No table matches</h3>
      <p>None of the pipeline's tables has this name and state now.</p>
      <button @click=${this.#clearFilter}>Clear the filter</button></div>`;
  }

  #listOf(shown) {
    const now = Date.now();
    const list = this.#list;
    const rows = shown.slice(0, this.#drawnRows + NEW_ROWS);
    this.#drawnRows = rows.length;
    if (rows.length < shown.length) {
      this.#later();
    }
    const chosen = this.#selectedOf(shown);
    const selectAll = (id) => html`<input type="checkbox" id=${id}
      aria-label=${`Select all ${format.number(shown.length)} shown tables`}
      .checked=${live(chosen === shown.length)} .indeterminate=${chosen > 0 && chosen < shown.length}
      @change=${(e) => this.#selectAll(e.target.checked)}>`;
    return html`
      ${list.mayAct ? html`<p class="select-all-small"><label class="check">${selectAll('select-all-small')}
        Select all ${format.number(shown.length)}</label></p>` : nothing}
      <table class=${'grid' + (shown.length > LONG_ROWS ? ' long' : '')} role="table">
        <caption class="visually-hidden">Tables of the pipeline, sorted by ${this.#selection.column.title},
          ${this.#selection.down ? 'descending' : 'ascending'}</caption>
        <thead role="rowgroup"><tr role="row">
          <td role="cell" class="c-check">${list.mayAct ? selectAll('select-all') : nothing}</td>
          ${COLUMNS.map((column) => heading(column, this.#selection, this.#change))}
          <th role="columnheader" scope="col" class="c-menu"><span class="visually-hidden">Actions</span></th>
          <th role="columnheader" scope="col" class="c-note"><span class="visually-hidden">Note</span></th>
        </tr></thead>
        <tbody role="rowgroup">${repeat(rows, (t) => t.name, (t) => {
          const selected = this.#selected.has(t.name);
          return guard([t, selected, list.mayAct, agesOf(t, now)], () => row(t, selected, now, list));
        })}</tbody>
      </table>`;
  }

  #bulk(shown) {
    if (this.#selected.size === 0 || !this.#store.mayAct) {
      return nothing;
    }
    const chosen = [...this.#selected].map((name) => this.#store.tables.get(name));
    return bulkBar(chosen, chosen.length - this.#selectedOf(shown), (action, names) => this.#act(action, names),
      () => this.#selectNone());
  }

  #selectedOf(tables) {
    return tables.reduce((sum, t) => sum + (this.#selected.has(t.name) ? 1 : 0), 0);
  }

  /** Selects one table, or all from the one before to this one. */
  #select(name, on, range) {
    const names = this.#shown.map((t) => t.name);
    const from = names.indexOf(this.#lastSelected);
    const to = names.indexOf(name);
    const marked = range && from >= 0 ? names.slice(Math.min(from, to), Math.max(from, to) + 1) : [name];
    for (const each of marked) {
      this.#mark(each, on);
    }
    this.#lastSelected = name;
    this.#draw();
  }

  #mark(name, on) {
    if (on) {
      this.#selected.add(name);
    } else {
      this.#selected.delete(name);
    }
  }

  #selectAll(on) {
    this.#shown.forEach((t) => this.#mark(t.name, on));
    this.#draw();
  }

  #selectNone() {
    this.#selected.clear();
    this.#draw();
    this.#root.querySelector('#search')?.focus({preventScroll: true});
  }

  #change = (edit) => {
    edit();
    history.replaceState(null, '', this.#selection.hash());
    this.#draw();
  };

  #clearFilter = () => {
    this.#change(() => {
      this.#selection.text = '';
      this.#selection.states.clear();
    });
    this.#root.querySelector('#search')?.focus();
  };

  async #act(action, names) {
    try {
      const {confirmActions} = await import('./confirm.js');
      if (await confirmActions(action, names) && names.length > 1) {
        this.#selected.clear();
        this.#draw();
      }
    } catch (e) {
      toast(e.message, 'bad');
    }
  }

  async #add() {
    try {
      const {addTables} = await import('./add.js');
      await addTables(this.#store);
    } catch (e) {
      toast(e.message, 'bad');
    }
  }
}

function loading() {
  return html`<div class="loading"><p class="visually-hidden" role="status">Loading the overview</p>
    <div class="skeleton wide"></div>${Array.from({length: 6}, () => html`<div class="skeleton"></div>`)}</div>`;
}

function unreachable(store) {
  return html`<div class="empty panel"><h2>No overview yet</h2>
    <p>The console was reached, but its stream of events was not. It is tried again by itself.</p>
    <button class="primary" @click=${() => store.reconnect()}>Try now</button></div>`;
}
