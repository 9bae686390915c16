// The form in which a person corrects the genres of a text, and the receipt.

import { make, message, once } from "./page.js";
import { correct, genres } from "./server.js";

const MOST_LETTERS_OF_A_NOTE = 1000;

/** Return the form, closed. It asks the server for the genres when it is opened. */
export function correctionOf(settings, text, said) {
  const status = make("p", { role: "status", className: "hint" });
  const problems = make("div", { role: "alert" });
  const place = make("div");
  const summary = make("summary", { textContent: message(said.abstained ? "name_genres" : "correct") });
  const details = make("details", { className: "correct" }, summary, place, status, problems);
  const fill = once({ status, problems }, async () => {
    const form = formOf(settings, await genres(settings));
    form.addEventListener("submit", once({ status, problems }, async () => {
      const stored = await correct(settings, { text, prediction_id: said.prediction_id, ...answerIn(form) });
      const receipt = receiptOf(settings, stored);
      details.replaceWith(receipt);
      receipt.querySelector("h2").focus();
    }));
    form.append(make("button", { className: "primary", textContent: message("send") }));
    place.replaceChildren(form);
  });
  details.addEventListener("toggle", () => {
    if (details.open && !place.hasChildNodes()) fill();
  });
  return details;
}

/** Return the form with nothing ticked: a prefilled answer biases people. */
function formOf(settings, all) {
  const ticks = all.map(({ slug, name, description }) => tick("genres", slug, name, description));
  const note = make("textarea", { name: "note", rows: 2, maxLength: MOST_LETTERS_OF_A_NOTE });
  return make(
    "form",
    { autocomplete: "off" },
    group("which_genres", make("div", { className: "ticks" }, ...ticks)),
    group("or", tick("none_fits", "on", message("none_fits")), tick("not_sure", "on", message("not_sure"))),
    make("label", { className: "line" }, message("note"), note),
    make("p", { className: "consent", textContent: message("consent", settings.address) }),
  );
}

function group(legend, ...children) {
  return make("fieldset", {}, make("legend", { textContent: message(legend) }), ...children);
}

function tick(name, value, words, title = "") {
  return make("label", { title }, make("input", { type: "checkbox", name, value }), ` ${words}`);
}

function answerIn(form) {
  const data = new FormData(form);
  return {
    genres: data.getAll("genres"),
    none_fits: data.has("none_fits"),
    not_sure: data.has("not_sure"),
    note: data.get("note").toWellFormed(),
  };
}

function receiptOf(settings, stored) {
  // The link stays on the server that was chosen, whatever the answer names.
  const url = new URL(new URL(stored.url).pathname, settings.address).href;
  const status = make("span", { role: "status", className: "hint" });
  const copy = make("button", { type: "button", textContent: message("copy") });
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(url);
      status.textContent = message("copied");
    } catch {
      status.textContent = message("copy_failed");
    }
  });
  return make(
    "section",
    { className: "message done" },
    make("h2", { tabIndex: -1, textContent: message("stored") }),
    make("p", { textContent: message("receipt") }),
    make("p", {}, make("a", { className: "receipt", href: url, target: "_blank", rel: "noopener noreferrer", textContent: url })),
    make("p", {}, copy, " ", status),
  );
}
