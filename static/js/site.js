/* What the pages do beyond plain forms: a word count, a keyboard short cut, and words when the network fails. */
(function () {
  "use strict";

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

  document.addEventListener("htmx:beforeRequest", function () {
    document.getElementById("notice").replaceChildren();
  });

  document.addEventListener("htmx:afterSettle", function (event) {
    count();
    if (event.detail.target && event.detail.target.id === "result") {
      var file = document.getElementById("file");
      if (file) file.value = "";
      event.detail.target.scrollIntoView({ block: "nearest" });
    }
  });

  document.addEventListener("htmx:sendError", function () {
    say("The server can't be reached", "Your text is still in the box. Check the connection and send it again.");
  });

  count();
})();
