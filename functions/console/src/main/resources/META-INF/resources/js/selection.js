// What the list of the overview shows, and in which order.
import {STATES, verificationWord} from './states.js';

const collator = new Intl.Collator(undefined, {numeric: true});

/** Columns to sort by: the key in the address, the heading, and the value; an undefined value stands last. */
export const COLUMNS = [
  {key: 'name', title: 'Table', value: (t) => t.name},
  {key: 'state', title: 'State', value: (t) => STATES.indexOf(t.state)},
  {key: 'progress', title: 'Progress', value: progressOf, moves: true},
  {key: 'rate', title: 'Rows/s', value: (t) => t.rowsPerSecond, moves: true},
  {key: 'eta', title: 'ETA', value: (t) => t.eta && Date.parse(t.eta), moves: true},
  {key: 'queue', title: 'Queue', value: (t) => t.queue?.waiting, moves: true},
  {key: 'delay', title: 'Delay', value: (t) => t.queue?.delayMillis, moves: true},
  {key: 'verified', title: 'Compared', value: (t) => t.verification && verificationWord(t.verification.status)},
  {key: 'place', title: 'Place', value: (t) => t.position},
];

function progressOf(t) {
  switch (t.state) {
    case 'Draining': return 100 + (t.drain?.percent ?? 0);
    case 'Streaming': return 300;
    default: return t.rows.percent;
  }
}

/** Filters by state, and two that a table may have in any state. */
export const FILTERS = [
  {key: 'trouble', title: 'Needs a look', has: needsALook, alarm: true},
  ...STATES.map((state) => ({key: state, title: state, has: (t) => t.state === state})),
  {key: 'paused', title: 'Paused', has: (t) => t.paused !== undefined},
];

/** True if somebody should do something about the table. */
export function needsALook(t) {
  return t.state === 'Failed' || t.queue?.trouble !== undefined || (t.chunks?.failing ?? 0) > 0
    || t.verification?.status === 'differs';
}

/** What is asked for in the address: text, states, column and direction. */
export class Selection {
  constructor(query = new URLSearchParams()) {
    this.text = query.get('q') ?? '';
    this.states = new Set((query.get('state') ?? '').split(',').filter((s) => FILTERS.some((f) => f.key === s)));
    this.sort = COLUMNS.some((c) => c.key === query.get('sort')) ? query.get('sort') : 'name';
    this.down = query.get('dir') === 'desc';
  }

  /** The address of this selection. */
  hash() {
    const query = new URLSearchParams();
    if (this.text) {
      query.set('q', this.text);
    }
    if (this.states.size > 0) {
      query.set('state', [...this.states].join(','));
    }
    if (this.sort !== 'name' || this.down) {
      query.set('sort', this.sort);
      query.set('dir', this.down ? 'desc' : 'asc');
    }
    const text = query.toString();
    return '#/' + (text ? '?' + text : '');
  }

  get narrowed() {
    return this.text !== '' || this.states.size > 0;
  }

  /** True if the order changes by itself while the pipeline works. */
  get moves() {
    return this.column.moves === true;
  }

  get column() {
    return COLUMNS.find((c) => c.key === this.sort);
  }

  /** Tables whose name holds the text. */
  named(tables) {
    const text = this.text.trim().toLowerCase();
    return text === '' ? tables : tables.filter((t) => t.name.toLowerCase().includes(text));
  }

  /** Of these, those in one of the chosen states. */
  chosen(tables) {
    if (this.states.size === 0) {
      return tables;
    }
    const filters = FILTERS.filter((f) => this.states.has(f.key));
    return tables.filter((t) => filters.some((f) => f.has(t)));
  }

  sorted(tables) {
    const sign = this.down ? -1 : 1;
    const {key, value} = this.column;
    if (key === 'name') {
      return [...tables].sort((a, b) => sign * collator.compare(a.name, b.name));
    }
    return tables.map((table) => ({table, by: value(table)})).sort((a, b) => {
      if (a.by !== b.by) {
        if (a.by === undefined) {
          return 1;
        }
        if (b.by === undefined) {
          return -1;
        }
        return sign * (a.by < b.by ? -1 : 1);
      }
      return collator.compare(a.table.name, b.table.name);
    }).map((entry) => entry.table);
  }
}
