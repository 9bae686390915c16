// The popup: the selection, and after a click its genres. Until then nothing is sent anywhere.

import { answerOf } from "./answer.js";
import { correctionOf } from "./correction.js";
import { Failure, message, once, tell, translate } from "./page.js";
import { ownTab, selectedText } from "./selection.js";
import { readSettings, suggest } from "./server.js";

const SHOWN_LETTERS = 300;
const [selection, start, words, before, goesTo, show, status, problems, answer, inTab] = [
  "selection", "start", "words", "before", "goes-to", "show", "status", "problems", "answer", "in-tab",
].map((id) => document.getElementById(id));

async function begin() {
  const tab = await ownTab();
  document.body.classList.toggle("popup", !tab);
  inTab.hidden = Boolean(tab);
  const text = await selectedText();
  if (!text) throw new Failure(message("nothing_selected"));
  const letters = [...text.trim()];
  start.textContent = letters.slice(0, SHOWN_LETTERS).join("") + (letters.length > SHOWN_LETTERS ? "…" : "");
  words.textContent = message("selection_words", text.trim().split(/\s+/u).length);
  words.hidden = letters.length <= SHOWN_LETTERS;
  selection.hidden = false;
  const settings = await readSettings();
  if (!settings.address) throw new Failure(message("failed_no_server"), { options: true });
  goesTo.textContent = message("goes_to", settings.address);
  before.hidden = false;
  show.addEventListener("click", once({ status, problems }, async () => showAnswer(settings, text, await suggest(settings, text))));
  show.focus();
}

function showAnswer(settings, text, said) {
  answer.replaceChildren(...answerOf(said));
  // What no model read can't be corrected either.
  if (said.prediction_id) answer.append(correctionOf(settings, text, said));
  before.hidden = true;
  answer.querySelector("h2").focus();
}

inTab.addEventListener("click", async () => {
  await chrome.tabs.create({ url: chrome.runtime.getURL("popup.html") });
  close();
});

translate();
begin().catch((error) => tell(problems, error));
