// What a change of the pipeline means to somebody who does not see the page: said only if it matters.
import {healthWord} from './health.js';

/** Sentences on what happened to tables between two looks; `before` maps names to the summaries as they were. */
export function newsOf(before, tables) {
  const news = [];
  for (const [name, was] of before) {
    const is = tables.get(name);
    if (!was || !is) {
      continue;
    }
    if (was.state !== is.state) {
      news.push(...newsOfState(name, was, is));
    }
    if (was.verification?.status === 'running' && is.verification && is.verification.status !== 'running') {
      news.push(newsOfVerification(name, is.verification));
    }
  }
  return news;
}

function newsOfState(name, was, is) {
  if (is.state === 'Failed') {
    return [`${name} failed. ${is.error?.reason ?? ''}`.trim()];
  }
  if (is.state === 'Streaming' && (was.state === 'Draining' || was.state === 'Completing')) {
    return [`${name} has caught up and streams.`];
  }
  if (was.state === 'Backfilling' && is.state === 'Completing') {
    return [`The backfill of ${name} is copied.`];
  }
  return [];
}

function newsOfVerification(name, verification) {
  return verification.status === 'differs' ? `${name} differs from the source.`
    : verification.status === 'verified' ? `${name} is verified.`
      : `The comparison of ${name} ended without a result.`;
}

/** A sentence if the health has another word now. */
export function newsOfHealth(was, is) {
  return was && was !== is ? [`Health: ${healthWord(is)}.`] : [];
}
