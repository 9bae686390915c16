// What the model says of a text, as elements.

import { make, message } from "./page.js";

// Lower bounds, as the site has them (classifier/wording.py).
const WORDS = [[0.8, "score_very_likely"], [0.5, "score_likely"], [0.2, "score_possibly"], [0.0, "score_unlikely"]];
const REASONS = {
  "no-words": "reason_no_words",
  "too-short": "reason_too_short",
  "not-prose": "reason_not_prose",
  "not-english": "reason_not_english",
  "no-genre": "reason_no_genre",
  "nothing-known": "reason_nothing_known",
};

/** Return the elements of an answer; the first is its heading. */
export function answerOf(said) {
  const heading = make("h2", { tabIndex: -1, textContent: message(said.abstained ? "unsure_heading" : "answer_heading") });
  const elements = [heading];
  if (said.abstained) elements.push(make("p", { className: "message", textContent: reasonOf(said.reason) }));
  const chosen = said.results.filter((result) => result.chosen);
  const others = said.results.filter((result) => !result.chosen);
  // A model without thresholds chooses none and does not abstain: then all are its genres.
  const all = !said.abstained && !chosen.length;
  if (chosen.length) elements.push(listOf(chosen, "genres"));
  if (others.length) {
    if (!all) elements.push(make("h3", { textContent: message(said.abstained ? "closest_heading" : "below_heading") }));
    elements.push(listOf(others, all ? "genres" : "genres unsure"));
  }
  if (said.results.length) elements.push(make("p", { className: "hint", textContent: message("read_by", said.model.version) }));
  return elements;
}

function reasonOf(reason) {
  return reason in REASONS ? message(REASONS[reason]) : message("reason_other", reason);
}

function listOf(results, className) {
  return make("ol", { className }, ...results.map(lineOf));
}

function lineOf({ name, score }) {
  const words = message(WORDS.find(([bound]) => score >= bound)[1]);
  return make(
    "li",
    {},
    make("span", { className: "name", textContent: name }),
    " ",
    make("span", { className: "score", textContent: message("score", words, Math.round(score * 100)) }),
  );
}
