// The text that is selected in the page beside the popup, or in the one that was active before its tab.

import { Failure, message } from "./page.js";

/** Return what is selected; "" where nothing is. */
export async function selectedText() {
  const tab = await tabToRead();
  if (!tab) return "";
  let frames;
  try {
    frames = await chrome.scripting.executeScript({ target: { tabId: tab.id, allFrames: true }, func: selectedHere });
  } catch {
    throw new Failure(message("page_closed"));
  }
  const texts = frames.map((frame) => frame.result ?? "");
  // Half a character can't be sent.
  return (texts.find((text) => text.trim()) ?? "").toWellFormed();
}

/** Return the tab that this page is, or nothing where it is the popup. */
export async function ownTab() {
  return await chrome.tabs.getCurrent();
}

async function tabToRead() {
  const own = await ownTab();
  const tabs = await chrome.tabs.query({ currentWindow: true });
  if (!own) return tabs.find((tab) => tab.active);
  return tabs.filter((tab) => tab.id !== own.id).sort((one, other) => other.lastAccessed - one.lastAccessed)[0];
}

/** Runs in the page that is read. */
function selectedHere() {
  const box = document.activeElement;
  const typed = box instanceof HTMLTextAreaElement ? box.value.slice(box.selectionStart, box.selectionEnd) : "";
  return typed || String(getSelection() ?? "");
}
