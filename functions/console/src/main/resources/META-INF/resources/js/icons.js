// Small drawings, 16 by 16, in the colour of the text; never the only carrier of a meaning.
import {html} from './lib.js';

const stroke = (d) => drawn(`<path d="${d}" fill="none" stroke="currentColor" stroke-width="1.6"
  stroke-linecap="round" stroke-linejoin="round"/>`);
const solid = (d) => drawn(`<path d="${d}" fill="currentColor"/>`);

/** A template without bindings, from these constants: a list of a thousand rows has thousands of icons. */
function drawn(path) {
  const strings = [`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">`
    + path + '</svg>'];
  strings.raw = strings;
  return html(strings);
}

const DRAWINGS = {
  check: stroke('M3 8.5l3.2 3.2L13 4.8'),
  close: stroke('M4 4l8 8M12 4l-8 8'),
  warning: stroke('M8 2.2l6.2 11.3H1.8zM8 6.4v3.2M8 11.6v.1'),
  error: stroke('M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4'),
  info: stroke('M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8zM8 7.3v3.6M8 5v.1'),
  question: stroke('M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8z'
    + 'M6.3 6.2a1.7 1.7 0 113 1.1c-.7.6-1.3.9-1.3 1.7M8 11.2v.1'),
  clock: stroke('M8 1.8a6.2 6.2 0 100 12.4A6.2 6.2 0 008 1.8zM8 4.6V8l2.4 1.5'),
  gear: stroke('M8 5.6a2.4 2.4 0 100 4.8 2.4 2.4 0 000-4.8zM8 1.6v2M8 12.4v2M1.6 8h2M12.4 8h2M3.5 3.5l1.4 1.4'
    + 'M11.1 11.1l1.4 1.4M3.5 12.5l1.4-1.4M11.1 4.9l1.4-1.4'),
  copy: stroke('M2.5 4.5c0-1.1 2.5-2 5.5-2s5.5.9 5.5 2-2.5 2-5.5 2-5.5-.9-5.5-2zM2.5 4.5v7c0 1.1 2.5 2 5.5 2s5.5-.9'
    + ' 5.5-2v-7M2.5 8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2'),
  drain: stroke('M8 2v7.5M4.8 6.5L8 9.7l3.2-3.2M2.5 13.3h11'),
  stream: stroke('M1.8 5.5c1-1 2.1-1 3.1 0s2.1 1 3.1 0 2.1-1 3.1 0 2.1 1 3.1 0M1.8 10.5c1-1 2.1-1 3.1 0s2.1 1 3.1 0'
    + ' 2.1-1 3.1 0 2.1 1 3.1 0'),
  stop: stroke('M4 4h8v8H4z'),
  leave: stroke('M6.5 2.5h-4v11h4M6.5 8h7M10.8 5.2L13.6 8l-2.8 2.8'),
  pause: stroke('M5.5 3.5v9M10.5 3.5v9'),
  play: solid('M4.5 2.8v10.4L13 8z'),
  retry: stroke('M13 8a5 5 0 11-1.5-3.6M13 2.4v2.9h-2.9'),
  verify: stroke('M8 1.7l5.3 2v4c0 3.2-2.2 5.6-5.3 6.6-3.1-1-5.3-3.4-5.3-6.6v-4zM5.6 7.9l1.8 1.8 3.1-3.4'),
  bin: stroke('M2.8 4.4h10.4M6.2 4.2V2.6h3.6v1.6M4.2 4.6l.6 8.8h6.4l.6-8.8'),
  front: stroke('M3 2.5h10M8 13.5V5.3M4.8 8.4L8 5.2l3.2 3.2'),
  plus: stroke('M8 3v10M3 8h10'),
  more: solid('M8 3.2a1.3 1.3 0 100 2.6 1.3 1.3 0 000-2.6zM8 6.7a1.3 1.3 0 100 2.6 1.3 1.3 0 000-2.6z'
    + 'M8 10.2a1.3 1.3 0 100 2.6 1.3 1.3 0 000-2.6z'),
  up: stroke('M8 13V3.5M4.2 7.2L8 3.4l3.8 3.8'),
  down: stroke('M8 3v9.5M4.2 8.8L8 12.6l3.8-3.8'),
  search: stroke('M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.3 10.3l3.4 3.4'),
  plug: stroke('M5.5 2v3.5M10.5 2v3.5M3.8 5.5h8.4v2.2a4.2 4.2 0 01-8.4 0zM8 12v2.4'),
  user: stroke('M8 8a2.8 2.8 0 100-5.6A2.8 2.8 0 008 8zM2.8 13.6c.6-2.5 2.6-3.8 5.2-3.8s4.6 1.3 5.2 3.8'),
};

/** An icon that a screen reader passes over; say its meaning in text beside it or in the control's name. */
export function icon(name) {
  return DRAWINGS[name] ?? DRAWINGS.question;
}
