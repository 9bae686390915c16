/* What the pages do beyond plain forms: a word count, a keyboard short cut, and words while the server is slow or away. */
(function () {
  "use strict";
  // Shorter waits need no words.
  var SLOW = 4000;
  var KEPT = "Nothing that you entered is lost. ";
  var waiting;

  function count() {
    var box = document.getElementById("text");
    var line = document.getElementById("text-count");
    if (!box || !line) return;
    var words = box.value.trim() ? box.value.trim().split(/\s+/).length : 0;
    line.textContent = words ? words.toLocaleString("en") + (words === 1 ? " word" : " words") : "";
  }

  function say(title, message) {
    var notice = document.getElementById("notice");
    if (!notice) return;
    var box = document.createElement("div");
    box.className = "message problem";
    box.setAttribute("role", "alert");
    var heading = document.createElement("h2");
    heading.textContent = title;
    var words = document.createElement("p");
    words.textContent = message;
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
    waiting = setTimeout(wait, SLOW, "The server is slow at the moment. Still waiting…");
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
    say("The server can't be reached", KEPT + "Check the connection and send it again.");
  });

  document.addEventListener("htmx:timeout", function () {
    say("The server does not answer", KEPT + "Wait a moment and send it again.");
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    // An error that this site did not write comes from what stands in front of it, while it is away.
    var reply = event.detail;
    if (!reply.isError || reply.xhr.getResponseHeader("X-Request-ID")) return;
    reply.shouldSwap = false;
    say("The site is away for a moment", KEPT + "Wait a minute and send it again.");
  });

  count();
})();
