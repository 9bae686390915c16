/* The keys of the review queue. Without this file the page is plain forms, and nothing is missing but the keys. */
(function () {
  "use strict";

  // The sentences are the template's, in the page's language.
  function said(name) { return document.querySelector(".review").dataset[name]; }
  function card() { return document.getElementById("card"); }
  function finder() { return document.getElementById("find"); }
  function keys() { return document.getElementById("keys"); }
  function form(name) { return card().querySelector('form[data-review="' + name + '"]'); }
  function labels() { return Array.from(card().querySelectorAll(".ticks label")); }

  /* The first nine genres that can be seen have a number, which is also their key. */
  function number() {
    var seen = 0;
    labels().forEach(function (label) {
      var mark = label.querySelector("kbd");
      if (!mark) {
        mark = document.createElement("kbd");
        mark.setAttribute("aria-hidden", "true");
        label.append(mark);
      }
      seen += label.hidden ? 0 : 1;
      var key = !label.hidden && seen <= 9 ? String(seen) : "";
      mark.textContent = key;
      mark.hidden = !key;
      var box = label.querySelector("input");
      if (key) box.setAttribute("aria-keyshortcuts", key);
      else box.removeAttribute("aria-keyshortcuts");
    });
  }

  function find() {
    var wanted = finder().value.trim().toLowerCase();
    var found = labels().filter(function (label) {
      var name = label.querySelector("span").textContent.toLowerCase();
      label.hidden = wanted !== "" && !name.includes(wanted);
      return !label.hidden;
    });
    document.getElementById("found").textContent = wanted ? said("found").replace("{n}", found.length) : "";
    number();
    return found;
  }

  function say(words) {
    document.getElementById("said").replaceChildren();
    var line = document.createElement("p");
    line.textContent = words;
    document.getElementById("said").append(line);
  }

  function toggle(box, name) {
    box.checked = !box.checked;
    say(said(box.checked ? "ticked" : "unticked").replace("{name}", function () { return name; }));
  }

  function toggleLabel(label) {
    if (label) toggle(label.querySelector("input"), label.querySelector("span").textContent);
  }

  function leaveFinder() {
    finder().value = "";
    find();
    document.getElementById("card-heading").focus();
  }

  function prepare() {
    document.getElementById("keys-button").hidden = false;
    if (!finder()) return;
    finder().closest(".find").hidden = false;
    number();
  }

  function inFinder(event) {
    if (event.key === "Escape") {
      leaveFinder();
    } else if (event.key === "Enter") {
      if (finder().value.trim() === "") { form("save").requestSubmit(); }
      else { toggleLabel(find()[0]); leaveFinder(); }
    } else { return; }
    event.preventDefault();
  }

  var KEYS = {
    "/": function () { if (finder()) finder().focus(); },
    "?": function () { keys().showModal(); },
    "s": function () { if (form("skip")) form("skip").requestSubmit(); },
    "u": function () { form("undo").requestSubmit(); },
    "r": function () {
      if (!card().querySelector("[data-given]")) return;
      labels().forEach(function (label) { label.querySelector("input").checked = "given" in label.dataset; });
      say(said("justGiven"));
    },
    "0": function () { toggleBox("none_fits"); },
    "x": function () { toggleBox("unusable"); }
  };

  function toggleBox(name) {
    var box = card().querySelector('input[name="' + name + '"]');
    if (box) toggle(box, box.parentElement.querySelector("span").textContent);
  }

  document.addEventListener("input", function (event) {
    if (event.target.id === "find") find();
  });

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (keys().open) {
      // Esc and Enter close it by themselves.
      if (event.key === "?") { event.preventDefault(); keys().close(); }
      return;
    }
    if (event.target.id === "find") { inFinder(event); return; }
    var active = event.target.closest("a, button, summary, textarea, select");
    if (event.key === "Enter") {
      if (active || !form("save")) return;
      event.preventDefault();
      form("save").requestSubmit();
    } else if (/^[1-9]$/.test(event.key)) {
      event.preventDefault();
      toggleLabel(labels().filter(function (label) { return !label.hidden; })[Number(event.key) - 1]);
    } else if (KEYS[event.key]) {
      event.preventDefault();
      // A key that is held down must not undo or skip one card after the other.
      if (!event.repeat) KEYS[event.key]();
    }
  });

  /* A save that nobody confirmed: the card stays as it is, ticks and all, and the same key tries again. */
  function notConfirmed() {
    var notice = document.querySelector("#notice .problem p");
    if (notice) notice.textContent = said("notConfirmed");
  }

  document.addEventListener("htmx:sendError", notConfirmed);
  document.addEventListener("htmx:timeout", notConfirmed);
  document.addEventListener("htmx:beforeSwap", function (event) {
    // Nothing of ours: what stands in front of the server answers in its place.
    if (event.detail.isError && !event.detail.xhr.getResponseHeader("X-Request-ID")) notConfirmed();
  });

  /* At once and not when it has settled: who types on fast would lose the focus again. */
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target && event.detail.target.id === "card") {
      prepare();
      document.getElementById("card-heading").focus();
      window.scrollTo(0, 0);
    }
  });

  document.querySelector("#keys-button button").addEventListener("click", KEYS["?"]);
  prepare();
})();
