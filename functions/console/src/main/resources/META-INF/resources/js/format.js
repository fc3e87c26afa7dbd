// Numbers, sizes and times as people read them: grouped and in the zone of the viewer.

const LOCALE = undefined;   // the browser's own
const whole = new Intl.NumberFormat(LOCALE, {maximumFractionDigits: 0});
const tenth = new Intl.NumberFormat(LOCALE, {minimumFractionDigits: 1, maximumFractionDigits: 1});
const short = new Intl.NumberFormat(LOCALE, {notation: 'compact', maximumFractionDigits: 1});
const clock = new Intl.DateTimeFormat(LOCALE, {hour: '2-digit', minute: '2-digit', second: '2-digit'});
const dayClock = new Intl.DateTimeFormat(LOCALE,
  {month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit'});
const full = new Intl.DateTimeFormat(LOCALE, {dateStyle: 'full', timeStyle: 'long'});

/** What stands where there is no value. */
export const NONE = '–';

/** 1234567 → «1,234,567». */
export function number(n) {
  return n === undefined || n === null ? NONE : whole.format(n);
}

/** 182000000 → «182M», for what is an estimate anyway; small numbers as they are. */
export function compact(n) {
  return n === undefined || n === null ? NONE : (n < 1_000_000 ? whole : short).format(n);
}

/** «1 row», «1,200 rows». */
export function count(n, one, many = one + 's') {
  return number(n) + ' ' + (n === 1 ? one : many);
}

/** 62.41 → «62.4 %»; never «100 %» before it is. */
export function percent(p) {
  if (p === undefined || p === null) {
    return NONE;
  }
  if (p >= 100) {
    return '100 %';
  }
  return tenth.format(Math.min(99.9, Math.max(0, p))) + ' %';
}

const SIZES = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** 1536 → «1.5 KiB». */
export function bytes(n) {
  if (n === undefined || n === null) {
    return NONE;
  }
  let size = 0;
  let value = n;
  while (value >= 1024 && size < SIZES.length - 1) {
    value /= 1024;
    size++;
  }
  return (size === 0 ? whole : tenth).format(value) + ' ' + SIZES[size];
}

/** Milliseconds in the two largest units: «350 ms», «12 s», «3 min 20 s», «2 h 5 min», «4 d 3 h». */
export function duration(millis) {
  if (millis === undefined || millis === null) {
    return NONE;
  }
  if (millis < 1000) {
    return Math.max(0, Math.round(millis)) + ' ms';
  }
  const s = Math.floor(millis / 1000);
  if (s < 60) {
    return s + ' s';
  }
  if (s < 3600) {
    return two(Math.floor(s / 60), 'min', s % 60, 's');
  }
  if (s < 86_400) {
    return two(Math.floor(s / 3600), 'h', Math.floor(s % 3600 / 60), 'min');
  }
  return two(Math.floor(s / 86_400), 'd', Math.floor(s % 86_400 / 3600), 'h');
}

/** Milliseconds in one unit, for narrow columns: «350 ms», «15 min». */
export function brief(millis) {
  return millis === undefined || millis === null || millis < 1000 ? duration(millis) : oneUnit(millis);
}

function two(a, unitA, b, unitB) {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
}

/** How long ago, in one unit, so that it changes seldom: «now», «12 s ago», «3 min ago». */
export function ago(time, now = Date.now()) {
  if (!time) {
    return NONE;
  }
  const age = oneUnit(now - Date.parse(time));
  return age === '' ? 'now' : age + ' ago';
}

/** The age of what happened then, in one unit: «0 s», «12 s», «3 min». */
export function age(time, now = Date.now()) {
  return time ? oneUnit(now - Date.parse(time)) || '0 s' : NONE;
}

function oneUnit(millis) {
  const s = Math.floor(millis / 1000);
  if (s < 1) {
    return '';
  }
  if (s < 60) {
    return s + ' s';
  }
  if (s < 3600) {
    return Math.floor(s / 60) + ' min';
  }
  if (s < 86_400) {
    return Math.floor(s / 3600) + ' h';
  }
  return Math.floor(s / 86_400) + ' d';
}

/** Clock time today, else with the day; in the viewer's zone. */
export function time(iso) {
  if (!iso) {
    return NONE;
  }
  const at = new Date(iso);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : dayClock.format(at);
}

const minuteClock = new Intl.DateTimeFormat(LOCALE, {hour: '2-digit', minute: '2-digit'});
const day = new Intl.DateTimeFormat(LOCALE, {month: 'short', day: 'numeric'});

/** Hours and minutes within a day from now, else the day alone. */
export function shortTime(iso, now = Date.now()) {
  const at = Date.parse(iso);
  return (Math.abs(at - now) < 86_400_000 ? minuteClock : day).format(at);
}

/** What is left until then: «in 4 min». */
export function remaining(iso, now = Date.now()) {
  const text = oneUnit(Date.parse(iso) - now);
  return text === '' ? 'now' : 'in ' + text;
}

/** Day, time and zone, for tooltips. */
export function fullTime(iso) {
  return iso ? full.format(new Date(iso)) : '';
}
