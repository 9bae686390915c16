/* What the pages do beyond plain forms: a word count, a keyboard short cut, and words while the server is slow or away. */
(function () {
  "use strict";
  // Shorter waits need no words.
  var SLOW = 4000;
  var LANGUAGE = document.documentElement.lang;
  var LANGUAGE_RULES = new Intl.PluralRules(LANGUAGE);
  var waiting;

  function count() {
    var box = document.getElementById("text");
    var line = document.getElementById("text-count");
    if (!box || !line) return;
    var words = box.value.trim() ? box.value.trim().split(/\s+/).length : 0;
    // The sentences are the template's, in the page's language.
    var said = LANGUAGE_RULES.select(words) === "one" ? line.dataset.one : line.dataset.other;
    line.textContent = words ? said.replace("{n}", words.toLocaleString(LANGUAGE)) : "";
  }

  function say(problem) {
    var notice = document.getElementById("notice");
    if (!notice) return;
    var box = document.createElement("div");
    box.className = "message problem";
    box.setAttribute("role", "alert");
    var heading = document.createElement("h2");
    heading.textContent = notice.dataset[problem];
    var words = document.createElement("p");
    words.textContent = notice.dataset[problem + "More"];
    box.append(heading, words);
    notice.replaceChildren(box);
  }

  function wait(words) {
    var line = document.getElementById("waiting");
    if (line) line.textContent = words;
  }

  function done() {
    clearTimeout(waiting);
    wait("");
    // Of an error the event names another target than the one that waited.
    document.querySelectorAll("[aria-busy]").forEach(function (part) { part.removeAttribute("aria-busy"); });
  }

  document.addEventListener("input", function (event) {
    if (event.target.id === "text") count();
  });

  document.addEventListener("change", function (event) {
    // A chosen file wins over the box; forget it once somebody types again.
    if (event.target.id === "file" && event.target.files.length) event.target.form.requestSubmit();
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "text") {
      event.target.form.requestSubmit();
    }
  });

  document.addEventListener("htmx:beforeRequest", function (event) {
    document.getElementById("notice").replaceChildren();
    event.detail.target.setAttribute("aria-busy", "true");
    clearTimeout(waiting);
    wait("");
    waiting = setTimeout(wait, SLOW, document.getElementById("waiting").dataset.slow);
  });

  document.addEventListener("htmx:afterRequest", done);

  document.addEventListener("htmx:afterSettle", function (event) {
    count();
    if (event.detail.target && event.detail.target.id === "result") {
      var file = document.getElementById("file");
      if (file) file.value = "";
      event.detail.target.scrollIntoView({ block: "nearest" });
    }
  });

  document.addEventListener("htmx:sendError", function () {
    say("unreachable");
  });

  document.addEventListener("htmx:timeout", function () {
    say("silent");
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    // An error that this site did not write comes from what stands in front of it, while it is away.
    var reply = event.detail;
    if (!reply.isError || reply.xhr.getResponseHeader("X-Request-ID")) return;
    reply.shouldSwap = false;
    say("away");
  });

  /* Another language loads the page anew. A text in the box goes with it, and is read again. */
  document.addEventListener("submit", function (event) {
    var box = document.getElementById("text");
    if (!event.target.matches(".languages") || !box || !box.value.trim()) return;
    event.preventDefault();
    var choice = new URLSearchParams(new FormData(event.target, event.submitter));
    fetch(event.target.action, { method: "POST", body: choice, redirect: "manual" }).then(
      function () { box.form.submit(); },
      function () { say("unreachable"); }
    );
  });

  if (document.getElementById("text")) {
    document.querySelectorAll(".languages[hidden]").forEach(function (form) { form.hidden = false; });
  }
  count();
})();
