/* Buttons that copy what a field or a link holds. Without them it can be selected and copied by hand. */
(function () {
  "use strict";

  function held(source) {
    return "value" in source ? source.value : source.href;
  }

  /* What browsers had before the clipboard, which they keep from pages without HTTPS. */
  function copyBySelection(source) {
    if ("select" in source) source.select();
    else window.getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }

  function copy(source) {
    if (!navigator.clipboard) return Promise.resolve(copyBySelection(source));
    return navigator.clipboard.writeText(held(source)).then(
      function () { return true; },
      function () { return copyBySelection(source); }
    );
  }

  function offer() {
    document.querySelectorAll("[data-copies][hidden]").forEach(function (button) { button.hidden = false; });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copies]");
    var source = button && document.getElementById(button.dataset.copies);
    if (!source) return;
    var said = button.parentElement.querySelector("[role=status]");
    said.textContent = "";
    copy(source).then(function (done) {
      said.textContent = done ? document.body.dataset.copied : document.body.dataset.copyByHand;
    });
  });

  document.addEventListener("htmx:afterSettle", offer);
  offer();
})();
