// What the page knows of the pipeline, kept up by the event stream.
import {api, ApiError} from './api.js';

const FIRST_RETRY_MILLIS = 1_000;
const LONGEST_RETRY_MILLIS = 15_000;
const SILENCE_MILLIS = 40_000;
const PROBE_MILLIS = 8_000;

/** The summary as it was if nothing of it changed: who draws it then has nothing to do. */
function same(was, is) {
  return was !== undefined && JSON.stringify(was) === JSON.stringify(is) ? was : is;
}

/**
 * Reading: `me`, `pipeline`, `health`, `at`, `tables` (a Map from name to TableSummary; a summary that changed is
 * another object), `loaded` (the first overview has come), and `connection`:
 * `{status: 'connecting'|'live'|'lost', since: ms, nextTry?: ms}`.
 */
export class Store {
  me;
  at;
  pipeline;
  health;
  tables = new Map();
  loaded = false;
  connection = {status: 'connecting', since: Date.now()};

  #listeners = new Set();
  #watched;          // {name, listener}
  #source;
  #retryTimer;
  #retryMillis = FIRST_RETRY_MILLIS;
  #heardAt = 0;

  constructor(me) {
    this.me = me;
    setInterval(() => this.#listenForSilence(), 5_000);
    addEventListener('online', () => this.reconnect());
    addEventListener('offline', () => this.#lost());
  }

  /** True if this person may give commands. */
  get mayAct() {
    return this.me.role === 'operator';
  }

  /**
   * Calls the listener after each change with `{kind: 'overview'|'change'|'connection', before: Map}`; `before` holds
   * the summaries of those tables that changed, came (undefined) or went, as they were. Returns what ends it.
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener with the TableDetail of one table whenever it changes. Returns what ends it. */
  watch(name, listener) {
    this.#watched = {name, listener};
    this.#open();
    return () => {
      if (this.#watched?.listener === listener) {
        this.#watched = undefined;
        this.#open();
      }
    };
  }

  start() {
    this.#open();
  }

  /** Tries again now. */
  reconnect() {
    if (this.connection.status !== 'live') {
      this.#open();
    }
  }

  #open() {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    const source = new EventSource(api.eventsPath(this.#watched?.name));
    this.#source = source;
    this.#heardAt = Date.now();
    const on = (type, take) => source.addEventListener(type, (event) => {
      if (source !== this.#source) {
        return;
      }
      this.#heardAt = Date.now();
      this.#live();
      take(JSON.parse(event.data));
    });
    on('overview', (data) => this.#takeOverview(data));
    on('change', (data) => this.#takeChange(data));
    on('table', (data) => this.#watched?.name === data.name && this.#watched.listener(data));
    source.onopen = () => {
      this.#heardAt = Date.now();
    };
    source.onerror = () => source === this.#source && this.#lost();
  }

  #takeOverview(data) {
    const known = this.tables;
    this.tables = new Map(data.tables.map((t) => [t.name, same(known.get(t.name), t)]));
    const before = new Map([...known].filter(([name, t]) => this.tables.get(name) !== t));
    this.at = data.at;
    this.pipeline = data.pipeline;
    this.health = data.health;
    this.loaded = true;
    this.#tell({kind: 'overview', before});
  }

  #takeChange(data) {
    const before = new Map();
    for (const table of data.tables ?? []) {
      before.set(table.name, this.tables.get(table.name));
      this.tables.set(table.name, table);
    }
    for (const name of data.gone ?? []) {
      before.set(name, this.tables.get(name));
      this.tables.delete(name);
    }
    this.at = data.at;
    this.pipeline = data.pipeline ?? this.pipeline;
    this.health = data.health ?? this.health;
    this.#tell({kind: 'change', before});
  }

  #live() {
    if (this.connection.status !== 'live') {
      this.#retryMillis = FIRST_RETRY_MILLIS;
      this.connection = {status: 'live', since: Date.now()};
      this.#tell({kind: 'connection', before: new Map()});
    }
  }

  /** Closes the stream and tries again later; what the page shows stays, marked as old. */
  #lost() {
    this.#source?.close();
    this.#source = undefined;
    const since = this.connection.status === 'lost' ? this.connection.since : Date.now();
    const wait = this.#retryMillis;
    this.#retryMillis = Math.min(LONGEST_RETRY_MILLIS, wait * 2);
    this.connection = {status: 'lost', since, nextTry: Date.now() + wait};
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#tryAgain(), wait);
    this.#tell({kind: 'connection', before: new Map()});
  }

  /** Asks who we are first: an event stream does not say that the session has ended, this answer does. */
  async #tryAgain() {
    try {
      this.me = await api.me(PROBE_MILLIS);
      if (this.connection.status === 'lost') {
        this.#open();
      }
    } catch (e) {
      this.#failed(e);
    }
  }

  /** A connection that died without a word is noticed by asking, once nothing was heard for long. */
  async #listenForSilence() {
    if (!this.#source || Date.now() - this.#heardAt < SILENCE_MILLIS) {
      return;
    }
    this.#heardAt = Date.now();
    const asked = this.#source;
    try {
      await api.me(PROBE_MILLIS);
      // The console says something every 15 seconds: a stream that does not is cut.
      if (asked === this.#source) {
        this.#open();
      }
    } catch (e) {
      if (asked === this.#source) {
        this.#failed(e);
      }
    }
  }

  #failed(e) {
    if (!(e instanceof ApiError)) {
      throw e;
    }
    if (e.status !== 401) {
      this.#lost();
    }
  }

  #tell(change) {
    for (const listener of this.#listeners) {
      listener(change);
    }
  }
}
