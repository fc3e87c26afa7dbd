// One table of the overview as a row.
import {html, nothing} from './lib.js';
import {icon} from './icons.js';
import {stateBadge, verificationBadge} from './states.js';
import * as format from './format.js';

/** What of a row depends on the time of day; the row is drawn anew when this text is another. */
export function agesOf(t, now) {
  return format.age(t.since, now) + (t.queue?.oldest ? format.age(t.queue.oldest, now) : '')
    + (t.verification ? format.ago(t.verification.at, now) : '') + (t.asked ? format.ago(t.asked.at, now) : '');
}

/** @param list what the row calls: `{mayAct, onSelect(name, on, range), onMenu(event, table)}` */
export function row(t, selected, now, list) {
  const note = noteOf(t);
  const streams = t.state === 'Streaming' || t.streamsMeanwhile;
  return html`<tr role="row" class=${'row' + (selected ? ' selected' : '') + (t.state === 'Failed' ? ' failed' : '')}>
    <td role="cell" class="c-check">${list.mayAct ? html`<input type="checkbox" aria-label=${'Select ' + t.name}
      .checked=${selected} @click=${(e) => list.onSelect(t.name, e.target.checked, e.shiftKey)}>` : nothing}</td>
    <th role="rowheader" scope="row" class="c-name">
      <a href=${'#/table/' + encodeURIComponent(t.name)} title=${t.name}>${t.name}</a>
      <span class="sub">${askedOf(t, now)}</span></th>
    <td role="cell" class="c-state">${stateBadge(t.state)}<span class="sub">${underState(t, now)}</span></td>
    ${cell('progress', 'Progress', t.rows.copied > 0 || t.rows.estimated > 0 || t.drain, () => progress(t))}
    ${cell('rate number', 'Rows/s', t.rowsPerSecond !== undefined, () => format.number(t.rowsPerSecond))}
    ${cell('eta number', 'ETA', t.eta, () => eta(t, now))}
    ${cell('queue number', 'Queue', t.queue, () => queue(t, now))}
    ${cell('delay number', 'Delay', streams && t.queue, () => format.brief(t.queue.delayMillis))}
    ${cell('verified', 'Compared', t.verification, () => verified(t, now))}
    ${cell('place number', 'Place', t.position !== undefined, () => format.number(t.position))}
    <td role="cell" class="c-menu">${list.mayAct && t.actions.length > 0 ? html`<button class="icon-button"
      aria-haspopup="menu" aria-label=${'Actions for ' + t.name}
      @click=${(e) => list.onMenu(e, t)}>${icon('more')}</button>` : nothing}</td>
    <td role="cell" class=${'c-note ' + (note?.tone ?? 'without')}>${note === undefined ? nothing
      : html`${icon(note.icon)}<span>${note.text}</span>`}</td>
  </tr>`;
}

/** A cell; cards leave out those that have no value. */
function cell(column, label, has, content) {
  return has ? html`<td role="cell" class=${'c-' + column} data-label=${label}>${content()}</td>`
    : html`<td role="cell" class=${'c-' + column + ' blank'} data-label=${label}>${format.NONE}</td>`;
}

function askedOf(t, now) {
  const part = t.part ? 'part of the keys · ' : '';
  return t.asked ? `${part}${t.asked.command}${t.asked.by ? ' by ' + t.asked.by : ''} · ${format.ago(t.asked.at, now)}`
    : `${part}run ${t.run}`;
}

function underState(t, now) {
  if (t.paused) {
    return html`<span class="badge warn">${icon('pause')}${t.paused.resuming ? 'Resuming'
      : t.paused.by ? `Paused by ${t.paused.by}` : 'Paused'}</span>`;
  }
  const since = format.age(t.since, now);
  return t.streamsMeanwhile ? `streams on · ${since}`
    : t.incomplete && (t.state === 'Cancelled' || t.state === 'Failed') ? `incomplete · ${since}` : 'for ' + since;
}

function progress(t) {
  if (t.state === 'Draining') {
    const {percent, left} = t.drain ?? {};
    const said = `${format.percent(percent)} drained, ${format.count(left ?? 0, 'change')} left`;
    return html`${bar('Drain of ' + t.name, percent, said, 'good')}
      <span class="sub">drained ${format.percent(percent)} · ${format.number(left)} left</span>`;
  }
  const {copied, estimated, percent} = t.rows;
  if (t.state === 'Streaming' || (copied === 0 && percent === undefined)) {
    return html`<span class="sub">${copied > 0 ? format.count(copied, 'row') + ' copied'
      : estimated > 0 ? 'about ' + format.count(estimated, 'row') : ''}</span>`;
  }
  const rows = estimated === undefined ? format.count(copied, 'row')
    : `${format.number(copied)} of about ${format.count(estimated, 'row')}`;
  const tone = t.paused || t.state === 'Cancelled' || t.state === 'Failed' ? 'idle' : '';
  return html`${bar('Backfill of ' + t.name, percent, `${format.percent(percent)}, ${rows}`, tone)}
    <span class="sub" title=${rows}><b>${format.percent(percent)}</b>
      ${format.number(copied)}${estimated === undefined ? '' : ' of ~' + format.compact(estimated)}</span>`;
}

function bar(label, percent, said, tone) {
  return html`<progress class=${tone} max="100" value=${percent === undefined ? 0 : Math.min(100, percent)}
    aria-label=${label} aria-valuetext=${said}></progress>`;
}

function eta(t, now) {
  return html`<time datetime=${t.eta} title=${format.fullTime(t.eta)}>${format.shortTime(t.eta, now)}</time>
    <span class="sub">${format.remaining(t.eta, now)}</span>`;
}

function queue(t, now) {
  const {oldest, waiting} = t.queue;
  return html`${format.number(waiting)}${oldest ? html`<span class="sub"
    title=${'Waits since ' + format.fullTime(oldest)}>oldest ${format.age(oldest, now)}</span>` : nothing}`;
}

function verified(t, now) {
  const v = t.verification;
  const found = v.status === 'differs' && v.differing !== undefined;
  const differing = found ? ' · ' + format.count(v.differing, 'row') : '';
  return html`${verificationBadge(v)}<span class="sub"><time datetime=${v.at}
    title=${format.fullTime(v.at)}>${format.ago(v.at, now)}</time>${differing}</span>`;
}

function noteOf(t) {
  if (t.error) {
    return {tone: 'bad', icon: 'error', text: html`<strong>${t.error.reason}</strong> ${t.error.hint}`};
  }
  if (t.queue?.trouble) {
    return {tone: 'bad', icon: 'warning', text: t.queue.trouble};
  }
  if (t.chunks?.failing > 0) {
    return {tone: 'warn', icon: 'retry', text: `${format.count(t.chunks.failing, 'chunk')} failed and is tried again.`};
  }
  if (t.waitingFor) {
    return {tone: 'soft', icon: 'clock', text: 'Waits for ' + t.waitingFor};
  }
  return undefined;
}
