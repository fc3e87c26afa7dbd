// How the pipeline is, at the top of the overview: one word, its figures, and what is wrong and what to do.
import {html, nothing} from './lib.js';
import {icon} from './icons.js';
import * as format from './format.js';

const WORDS = {
  ok: ['good', 'check', 'Healthy'],
  degraded: ['warn', 'warning', 'Degraded'],
  down: ['bad', 'error', 'Down'],
};

const CHECKS = {
  ok: ['good', 'check', 'fine'],
  warning: ['warn', 'warning', 'warning'],
  down: ['bad', 'error', 'down'],
  unknown: ['neutral', 'question', 'unknown'],
};

/** The word of a health status, for reading aloud. */
export function healthWord(status) {
  return WORDS[status]?.[2] ?? status;
}

export function healthSection(store) {
  const {health, pipeline} = store;
  const [tone, drawing, word] = WORDS[health.status] ?? ['neutral', 'question', health.status];
  const wrong = health.checks.filter((c) => c.status === 'warning' || c.status === 'down');
  return html`
    <section class="health panel" aria-labelledby="health-title">
      <div class="health-head">
        <h2 id="health-title" class="health-word ${tone}">
          <span class="visually-hidden">Health:</span>${icon(drawing)}<span>${word}</span></h2>
        <dl class="figures">${figures(store)}</dl>
      </div>
      ${wrong.length === 0 ? nothing : html`<ul class="wrong" aria-label="What is wrong">${wrong.map(wrongCheck)}</ul>`}
      <div class="health-more">
        ${allChecks(health.checks)}
        ${refused(pipeline.rejections ?? [])}
      </div>
    </section>`;
}

function figures({health, pipeline, tables}) {
  const {slot, workers} = health;
  let waitingChanges = 0;
  for (const table of tables.values()) {
    waitingChanges += table.queue?.waiting ?? 0;
  }
  return html`
    ${figure('Tables', format.number(tables.size), `${format.number(pipeline.waiting)} waiting`)}
    ${figure('Under way', outOf(pipeline.active, pipeline.tablesAtOnce), 'tables at once')}
    ${figure('Copying', format.number(pipeline.rowsPerSecond), 'rows/s')}
    ${figure('Workers busy', outOf(workers?.busy, workers?.slots), 'slots')}
    ${figure('Changes queued', format.number(waitingChanges), 'of all tables')}
    ${slot ? html`
      ${figure('Slot lag', format.bytes(slot.lagBytes), slot.active ? 'slot in use' : 'slot not in use', !slot.active)}
      ${figure('WAL retained', format.bytes(slot.retainedBytes),
        slot.safeBytes === undefined ? walStatus(slot) : `${format.bytes(slot.safeBytes)} to spare`,
        slot.walStatus === 'unreserved' || slot.walStatus === 'lost')}`
      : figure('Slot lag', format.NONE, 'no slot yet')}`;
}

function outOf(part, whole) {
  return `${format.number(part)} of ${format.number(whole)}`;
}

function walStatus(slot) {
  return slot.walStatus ? `status ${slot.walStatus}` : 'at the source';
}

function figure(name, value, note, bad = false) {
  return html`<div class="figure"><dt>${name}</dt><dd class="value">${value}</dd>
    <dd class="note ${bad ? 'bad' : ''}">${bad ? icon('warning') : nothing}${note}</dd></div>`;
}

function wrongCheck(check) {
  const [tone, drawing, word] = CHECKS[check.status];
  return html`<li class="notice ${tone}">${icon(drawing)}
    <p><strong>${check.name} (${word}):</strong> ${check.summary} ${check.hint ?? nothing}</p></li>`;
}

function allChecks(checks) {
  const fine = checks.filter((c) => c.status === 'ok').length;
  return html`<details>
    <summary>${fine} of ${checks.length} checks are fine</summary>
    <ul class="checks">${checks.map((check) => {
      const [tone, drawing, word] = CHECKS[check.status] ?? CHECKS.unknown;
      return html`<li><span class="badge ${tone}">${icon(drawing)}${word}</span>
        <p><strong>${check.name}</strong> ${check.summary}
          ${check.hint ? html`<em>${check.hint}</em>` : nothing}</p></li>`;
    })}</ul>
  </details>`;
}

function refused(rejections) {
  return rejections.length === 0 ? nothing : html`<details>
    <summary>Refused lately: ${format.count(rejections.length, 'command')}</summary>
    <ul class="refused">${rejections.map((r) => html`<li>
      <p><strong>${r.what}</strong> ${r.by ? `by ${r.by}` : nothing}
        <span class="soft">${r.at ? html`<time datetime=${r.at}
          title=${format.fullTime(r.at)}>${format.time(r.at)}</time>, ` : nothing}offset ${r.offset}</span></p>
      <p>${r.reason}</p></li>`)}</ul>
  </details>`;
}
