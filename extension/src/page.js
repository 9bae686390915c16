// Words on a page. What comes from a server or another page is text and never markup.

export function message(id, ...values) {
  const text = chrome.i18n.getMessage(id, values.map(String));
  if (!text) throw new Error(`no message ${id}`);
  return text;
}

/** Fill in the words that the page names by data-text. */
export function translate() {
  document.documentElement.lang = message("language");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = message(element.dataset.text);
}

/** Make an element; children that are strings become text. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** What went wrong, in words for the person, and whether the options are where to go next. */
export class Failure extends Error {
  constructor(text, { next = "", options = false } = {}) {
    super(text);
    this.next = next;
    this.options = options;
  }
}

/** Say in `place` what went wrong. */
export function tell(place, error) {
  const failure = error instanceof Failure ? error : new Failure(message("failed_here", error));
  const said = [make("p", { textContent: failure.message })];
  if (failure.next) said.push(make("p", { textContent: failure.next }));
  const elsewhere = !location.pathname.endsWith("/options.html");
  if (failure.options && elsewhere) said.push(make("p", {}, optionsLink()));
  place.replaceChildren(make("div", { className: "message problem" }, ...said));
}

function optionsLink() {
  return make("a", { href: "options.html", target: "_blank", textContent: message("open_options") });
}

/** Return a function that does `work` once at a time; `status` says so and what came of it, `problems` what went wrong. */
export function once({ status, problems, meanwhile = message("asking") }, work) {
  let running = false;
  return async (event) => {
    event?.preventDefault();
    if (running) return;
    running = true;
    problems.replaceChildren();
    status.textContent = meanwhile;
    let said = "";
    try {
      said = (await work()) ?? "";
    } catch (error) {
      tell(problems, error);
    } finally {
      status.textContent = said;
      running = false;
    }
  };
}
