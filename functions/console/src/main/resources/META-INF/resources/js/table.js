// All that is known of one table, and what can be done to it.
import {api} from './api.js';
import {confirmActions} from './confirm.js';
import {html, nothing, ref, render, repeat} from './lib.js';
import {icon} from './icons.js';
import {announce, toast} from './notify.js';
import {ACTIONS, stateBadge, verificationBadge} from './states.js';
import * as format from './format.js';

const TICK_MILLIS = 1_000;
const PLOTTED_MAX = 600;
const STATUS = {copied: 'copied', inFlight: 'in flight', waiting: 'waiting', failing: 'failing'};

export function tablePage(name, store, root) {
  return new TablePage(name, store, root).start();
}

class TablePage {
  #name;
  #store;
  #root;
  #table;
  #trouble;
  #chart;
  #plotted = [];

  constructor(name, store, root) {
    this.#name = name;
    this.#store = store;
    this.#root = root;
  }

  start() {
    const endWatch = this.#store.watch(this.#name, (table) => {
      this.#table = table;
      this.#trouble = undefined;
      this.#draw();
    });
    const endStore = this.#store.subscribe(() => this.#draw());
    const ticking = setInterval(() => this.#tick(), TICK_MILLIS);
    this.#draw();
    this.#load();
    return () => {
      endWatch();
      endStore();
      clearInterval(ticking);
      this.#chart?.then((chart) => chart.end());
    };
  }

  async #load() {
    try {
      this.#table = await api.table(this.#name);
    } catch (e) {
      this.#trouble = e;
    }
    this.#draw();
  }

  #tick() {
    const t = this.#summary();
    if (t) {
      const point = [Date.now(), t.rowsPerSecond, t.queue?.waiting];
      this.#plotted.push(point);
      this.#plotted.splice(0, this.#plotted.length - PLOTTED_MAX);
      this.#chart?.then((chart) => chart.add(...point));
    }
    this.#draw();
  }

  /** What changes every second comes with the overview; the rest with the details. */
  #summary() {
    const live = this.#store.tables.get(this.#name);
    return live ?? (this.#store.loaded ? undefined : this.#table);
  }

  #draw() {
    const t = this.#summary();
    render(html`<p class="crumbs"><a href="#/">Overview</a></p>
      <div class="page-head"><h1 tabindex="-1">${this.#name}</h1>${t ? stateBadge(t.state) : nothing}</div>
      ${t === undefined ? this.#absent() : html`${this.#head(t)}${this.#table ? this.#details(t, this.#table) : html`<div class="skeleton wide"></div>`}`}`,
      this.#root);
  }

  #absent() {
    if (this.#store.loaded) {
      return html`<div class="empty panel"><h2>No such table</h2>
        <p>The pipeline has no table of this name: it was never added, or has been removed.</p><a class="button" href="#/">Go to the overview</a></div>`;
    }
    return this.#trouble ? html`<div class="notice bad" role="alert"><p>${this.#trouble.message}</p></div>`
      : html`<div class="loading"><p class="visually-hidden" role="status">Loading the table</p><div class="skeleton wide"></div></div>`;
  }

  #head(t) {
    const facts = [
      ['In this state', 'for ' + format.age(t.since)],
      ['Rows copied', format.number(t.rows.copied) + (t.rows.estimated ? ' of about ' + format.number(t.rows.estimated) : '')],
      ['Rows a second', format.number(t.rowsPerSecond)],
      ['Ready', t.eta ? `${format.time(t.eta)} (${format.remaining(t.eta)})` : format.NONE],
      ['Changes waiting', t.queue ? format.number(t.queue.waiting) : format.NONE],
      ['Oldest of them', t.queue?.oldest ? format.age(t.queue.oldest) : format.NONE],
      ['Delay', t.queue ? format.duration(t.queue.delayMillis) : format.NONE],
      ['Run', format.number(t.run)],
      ['Place in the queue', t.position === undefined ? format.NONE : format.number(t.position)],
      ['Asked for', t.asked ? `${t.asked.command}${t.asked.by ? ' by ' + t.asked.by : ''}, ${format.ago(t.asked.at)}` : format.NONE],
    ];
    return html`
      ${this.#store.mayAct ? html`<div class="table-actions" role="group" aria-label="Actions">${t.actions.map((action) => {
        const {label, icon: drawing, harsh} = ACTIONS[action] ?? {label: action, icon: 'gear'};
        return html`<button class=${harsh ? 'harsh' : ''} @click=${() => this.#act(action)}>${icon(drawing)}${label}</button>`;
      })}</div>` : nothing}
      ${t.paused ? html`<div class="notice warn"><p>${t.paused.resuming ? 'Goes on as soon as there is room among the tables at once.'
        : `Paused${t.paused.by ? ' by ' + t.paused.by : ''} since ${format.time(t.paused.since)}.`}</p></div>` : nothing}
      ${t.error ? html`<section class="notice bad" aria-label="The last error"><div><p><strong>${t.error.hint}</strong></p>
        <pre tabindex="0">${t.error.phase.toLowerCase()}: ${t.error.reason}</pre>
        <p><button @click=${(e) => copyError(e.currentTarget)}>Copy the error</button></p></div></section>` : nothing}
      ${t.queue?.trouble ? html`<div class="notice bad"><p>${t.queue.trouble}</p></div>` : nothing}
      ${t.waitingFor ? html`<div class="notice"><p>Waits for ${t.waitingFor}</p></div>` : nothing}
      ${t.incomplete ? html`<div class="notice warn"><p>The destination is incomplete: rows of it are missing there.</p></div>` : nothing}
      <dl class="facts panel">${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>
      ${progress(t)}`;
  }

  #details(t, detail) {
    return html`
      ${this.#strip(detail.strip)}
      <section class="panel"><h2>Speed and queue</h2><p class="soft">Since this page is open: ${format.number(t.rowsPerSecond ?? 0)}
        rows/s now, ${format.count(t.queue?.waiting ?? 0, 'change')} waiting.</p>
        <div class="chart" aria-hidden="true" ${ref((element) => this.#plot(element))}></div></section>
      ${this.#verification(t, detail)}
      ${this.#store.mayAct ? this.#part(t, detail) : nothing}
      ${this.#columns(detail)}
      ${this.#runs(detail.runs)}
      <section class="panel"><h2>What happened</h2>${detail.events.length === 0 ? html`<p class="soft">Nothing since the console runs.</p>`
        : html`<ol class="events">${detail.events.map((e) => html`<li class=${e.kind}><time datetime=${e.at}
            title=${format.fullTime(e.at)}>${format.time(e.at)}</time> ${e.text}</li>`)}</ol>`}</section>`;
  }

  #plot(element) {
    if (element && !this.#chart) {
      this.#chart = import('./chart.js').then(({Chart}) => {
        const chart = new Chart(element);
        this.#plotted.forEach((point) => chart.add(...point));
        return chart;
      });
    }
  }

  #strip({chunks, more, planned}) {
    if (chunks.length === 0) {
      return nothing;
    }
    const count = (status) => chunks.filter((c) => c.status === status).length + (status === 'copied' ? more : 0);
    return html`<section class="panel"><h2>Chunks of the run</h2>
      <p class="soft">${Object.entries(STATUS).map(([status, word]) => html`<span class="key"><i class="chunk ${status}"></i>
        ${format.number(count(status))} ${word}</span> `)}${planned ? 'All are planned.' : 'More are planned as these come back.'}</p>
      <div class="strip" aria-hidden="true">${repeat(chunks, (c) => c.chunk, (c) => html`<i class="chunk ${c.status}" title=${chunkText(c)}></i>`)}</div>
      <details><summary>As a table</summary><div class="scroll-x" tabindex="0" role="region" aria-label="Chunks">
        <table class="plain"><caption class="visually-hidden">Chunks of the run</caption><thead><tr><th scope="col">Chunk</th>
          <th scope="col">Status</th><th scope="col">Keys above</th><th scope="col">up to</th><th scope="col" class="number">Rows</th>
          <th scope="col" class="number">Time</th><th scope="col">Attempt</th></tr></thead>
        <tbody>${chunks.map((c) => html`<tr><th scope="row">${c.chunk}</th><td>${STATUS[c.status]}${c.failure ? ': ' + c.failure : ''}</td>
          <td>${key(c.from, 'lowest')}</td><td>${key(c.to, 'highest')}</td><td class="number">${format.number(c.rows)}</td>
          <td class="number">${format.duration(c.millis)}</td><td>${c.attempt}</td></tr>`)}</tbody></table></div></details></section>`;
  }

  #verification(t, {verificationFound: found}) {
    const v = t.verification;
    return html`<section class="panel"><h2>Compared with the source</h2>
      ${v === undefined ? html`<p class="soft">Never. Verify compares every row while the table streams on.</p>`
        : html`<p>${verificationBadge(v)} ${format.ago(v.at)}${v.by ? ' by ' + v.by : ''}${v.rowsCompared === undefined ? ''
          : `, ${format.count(v.rowsCompared, 'row')} compared`}</p>`}
      ${found ? html`<p>${format.count(found.differing, 'row')} differ, ${format.number(found.unsettled)} could not be settled.</p>
        ${found.keys.length > 0 ? html`<div class="scroll-x" tabindex="0" role="region" aria-label="Keys that differ"><table class="plain">
          <caption class="visually-hidden">Keys that differ</caption><thead><tr><th scope="col">Key</th><th scope="col">Difference</th></tr></thead>
          <tbody>${found.keys.map((d) => html`<tr><th scope="row" class="mono">${d.key.join(', ')}</th><td>${d.kind.toLowerCase().replaceAll('_', ' ')}</td></tr>`)}
          </tbody></table></div>${found.more > 0 ? html`<p class="soft">And ${format.number(found.more)} more.</p>` : nothing}` : nothing}
        ${this.#store.mayAct && t.state === 'Streaming' ? html`<div class="table-actions">${found.repairs.map((r) => html`<button
          @click=${() => this.#act('backfill', {keys: {from: r.from, to: r.to}})}>${icon('copy')}Backfill ${r.from.join(', ')} to
          ${r.to.join(', ')}</button>`)}</div>` : nothing}` : nothing}</section>`;
  }

  #part(t, {columns}) {
    const keys = columns.filter((c) => c.key).map((c) => c.name);
    const send = (event) => {
      event.preventDefault();
      const form = new FormData(event.target);
      const where = form.get('where').trim();
      const ends = ['from', 'to'].map((end) => [end, keys.map((_, i) => form.get(end + i) ?? '')])
        .filter(([, values]) => values.some((value) => value !== ''));
      if (ends.some(([, values]) => values.includes(''))) {
        toast('Fill in every column of the key, or leave the whole end out.', 'bad');
      } else if (where !== '' && ends.length > 0) {
        toast('Name keys or a condition, not both: a condition holds for all rows.', 'bad');
      } else if (where !== '') {
        this.#act('backfill', {options: {...this.#table.options, where}});
      } else if (ends.length > 0) {
        this.#act('backfill', {keys: Object.fromEntries(ends)});
      } else {
        toast('Say from which key to which, or which rows.', 'bad');
      }
    };
    return html`<details class="panel"><summary><h2>Backfill a part</h2></summary>
      <form class="part" @submit=${send}>
        ${t.state === 'Streaming' && keys.length > 0 ? html`<fieldset><legend>Only these keys</legend>${['from', 'to'].map((end) =>
          keys.map((column, i) => html`<label>${end === 'from' ? 'From' : 'To'} ${column}<input type="text" name=${end + i}
            autocomplete="off" spellcheck="false"></label>`))}</fieldset>`
          : html`<p class="soft">Keys can be named while the table streams.</p>`}
        <fieldset><legend>Only rows where …</legend><label>Condition<input type="text" name="where" autocomplete="off"
          spellcheck="false" aria-describedby="where-hint"></label>
          <p class="soft small" id="where-hint">An SQL condition. It holds for the table from then on: all of it is copied anew.</p></fieldset>
        <button type="submit">${icon('copy')}Backfill this part</button>
      </form></details>`;
  }

  #columns({columns, columnsTrouble, options, optionsAsked}) {
    return html`<section class="panel"><h2>Columns</h2>
      ${Object.keys(options).length > 0 ? html`<p>Options that hold: <code>${JSON.stringify(options)}</code></p>` : nothing}
      ${optionsAsked ? html`<p>From the next run on: <code>${JSON.stringify(optionsAsked)}</code></p>` : nothing}
      ${columnsTrouble ? html`<p class="soft">${columnsTrouble}</p>`
      : html`<div class="scroll-x" tabindex="0" role="region" aria-label="Columns"><table class="plain">
        <caption class="visually-hidden">Columns and how they travel</caption>
        <thead><tr><th scope="col">Column</th><th scope="col">Type</th><th scope="col">Arrives</th></tr></thead>
        <tbody>${columns.map((c) => html`<tr><th scope="row">${c.name}${c.key ? html` <span class="badge neutral">key</span>` : nothing}</th>
          <td class="mono">${c.type}</td><td>${c.travels}${c.note ? html` <span class="soft">${c.note}</span>` : nothing}</td></tr>`)}
        </tbody></table></div>`}</section>`;
  }

  #runs(runs) {
    return runs.length === 0 ? nothing : html`<section class="panel"><h2>Runs</h2>
      <div class="scroll-x" tabindex="0" role="region" aria-label="Runs"><table class="plain"><caption class="visually-hidden">Runs, newest first</caption>
        <thead><tr><th scope="col">Run</th><th scope="col">Began</th><th scope="col">Took</th><th scope="col">Outcome</th>
          <th scope="col" class="number">Rows</th><th scope="col" class="number">Size</th><th scope="col">Asked by</th></tr></thead>
        <tbody>${runs.map((r) => html`<tr><th scope="row">${r.run}</th><td>${format.time(r.began)}</td>
          <td>${r.ended ? format.duration(Date.parse(r.ended) - Date.parse(r.began)) : 'under way'}</td>
          <td>${r.outcome.toLowerCase()}${r.reason ? html`<br><span class="soft">${r.reason}</span>` : nothing}</td>
          <td class="number">${format.number(r.rows)}</td><td class="number">${format.bytes(r.bytes)}</td><td>${r.by ?? format.NONE}</td></tr>`)}
        </tbody></table></div></section>`;
  }

  async #act(action, extra = {}) {
    try {
      await confirmActions(action, [this.#name], extra);
    } catch (e) {
      toast((e.field ? `${e.field}: ` : '') + e.message, 'bad');
    }
  }
}

function key(values, open) {
  return values === undefined ? open : html`<span class="mono">${values.join(', ')}</span>`;
}

function progress(t) {
  if (t.state === 'Draining') {
    const {percent, left} = t.drain ?? {};
    return html`<progress class="good" max="100" value=${Math.min(100, percent ?? 0)} aria-label=${'Drain of ' + t.name}
      aria-valuetext=${`${format.percent(percent)} drained, ${format.count(left ?? 0, 'change')} left`}></progress>`;
  }
  return t.rows.percent !== undefined && t.state !== 'Streaming' ? html`<progress max="100" value=${t.rows.percent}
    aria-label=${'Backfill of ' + t.name} aria-valuetext=${format.percent(t.rows.percent)}></progress>` : nothing;
}

/** Where the browser refuses the clipboard, the text is selected, so that one key copies it. */
async function copyError(button) {
  const text = button.closest('section').querySelector('pre');
  try {
    await navigator.clipboard.writeText(text.textContent);
    announce('Copied');
  } catch {
    text.focus();
    getSelection().selectAllChildren(text);
    announce('The clipboard is refused. The error is selected: copy it with the keyboard.');
  }
}

function chunkText(c) {
  return `Chunk ${c.chunk}: ${STATUS[c.status]}, keys above ${c.from?.join(', ') ?? 'the lowest'} up to ${c.to?.join(', ') ?? 'the highest'}`
    + (c.rows === undefined ? '' : `, ${format.count(c.rows, 'row')}`) + (c.millis === undefined ? '' : `, ${format.duration(c.millis)}`);
}
