// The words, colours and drawings of states and actions, for every page.
import {html} from './lib.js';
import {icon} from './icons.js';

/** In the order of a table's life. */
export const STATES = ['Queued', 'Preparing', 'Backfilling', 'Completing', 'Draining', 'Streaming',
  'Cancelled', 'Failed', 'Leaving'];

const LOOK = {
  Queued: ['neutral', 'clock'],
  Preparing: ['work', 'gear'],
  Backfilling: ['work', 'copy'],
  Completing: ['work', 'gear'],
  Draining: ['work', 'drain'],
  Streaming: ['good', 'stream'],
  Cancelled: ['neutral', 'stop'],
  Failed: ['bad', 'error'],
  Leaving: ['neutral', 'leave'],
};

/** The state as a badge: word, drawing and colour. */
export function stateBadge(state) {
  const [tone, drawing] = LOOK[state] ?? ['neutral', 'question'];
  return html`<span class="badge ${tone}">${icon(drawing)}${state}</span>`;
}

const VERIFIED = {
  running: ['work', 'gear', 'Comparing'],
  verified: ['good', 'verify', 'Verified'],
  differs: ['bad', 'warning', 'Differs'],
  unsettled: ['warn', 'question', 'Unsettled'],
  stale: ['neutral', 'clock', 'Stale'],
  failed: ['warn', 'error', 'Not compared'],
};

/** What the last comparison of source and destination said, as a badge. */
export function verificationBadge(verification) {
  const [tone, drawing, word] = VERIFIED[verification.status] ?? ['neutral', 'question', verification.status];
  return html`<span class="badge ${tone}">${icon(drawing)}${word}</span>`;
}

/** The word of a verification's status, for sorting and reading aloud. */
export function verificationWord(status) {
  return VERIFIED[status]?.[2] ?? status;
}

/** Actions on tables: what the button says, its drawing, and whether it destroys something. */
export const ACTIONS = {
  backfill: {label: 'Backfill', icon: 'copy'},
  cancel: {label: 'Cancel', icon: 'stop', harsh: true},
  pause: {label: 'Pause', icon: 'pause'},
  resume: {label: 'Resume', icon: 'play'},
  retry: {label: 'Retry', icon: 'retry'},
  verify: {label: 'Verify', icon: 'verify'},
  'cancel-verification': {label: 'Stop verifying', icon: 'stop'},
  'to-front': {label: 'To the front', icon: 'front'},
  remove: {label: 'Remove', icon: 'bin', harsh: true},
};
