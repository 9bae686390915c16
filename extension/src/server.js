// The server that the person chose, and its HTTP API. Nothing else here reaches the network.

import { Failure, message } from "./page.js";

const API = "/api/v1";
const MILLISECONDS = 30_000;
const PROBLEM = "urn:genre-detector:problem:";
// What to do next about a problem, by the end of its type, and whether in the options. Details of the others say it.
const NEXT = {
  "no-key": ["next_key", true],
  "wrong-key": ["next_key", true],
  "missing-scope": ["next_scopes", true],
  "not-found": ["next_address", true],
  "invalid": ["next_shorter", false],
  "unknown-prediction": ["next_show_again", false],
};
const SAY_IT_THEMSELVES = ["refused", "too-many", "too-large", "no-model"];

export async function readSettings() {
  return await chrome.storage.local.get({ address: "", key: "" });
}

/** Return the pattern of exactly this server. Firefox's patterns know no ports: there it is the host. */
export function permissionFor(address) {
  const { protocol, host, hostname } = new URL(address);
  const ports = !chrome.runtime.getURL("").startsWith("moz-extension:");
  return { origins: [`${protocol}//${ports ? host : hostname}/*`] };
}

export async function suggest(settings, text) {
  return await ask(settings, "/models/champion/suggest", { answers: "results", body: { text } });
}

export async function genres(settings) {
  return (await ask(settings, "/genres", { answers: "genres" })).genres;
}

export async function correct(settings, correction) {
  return await ask(settings, "/feedback", { answers: "url", body: correction });
}

/** Ask for `path`, posting `body` if there is one; the answer has the field `answers`. */
async function ask({ address, key }, path, { answers, body }) {
  if (!address) throw new Failure(message("failed_no_server"), { options: true });
  if (!(await chrome.permissions.contains(permissionFor(address)))) {
    throw new Failure(message("failed_no_permission", address), { options: true });
  }
  const headers = { "Accept": "application/json" };
  if (key) headers["Authorization"] = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  let response, said;
  try {
    response = await fetch(address + API + path, {
      method: body ? "POST" : "GET",
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      // A text must not follow a server to another one.
      redirect: "manual",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(MILLISECONDS),
    });
    said = await response.text();
  } catch (error) {
    throw new Failure(message(error.name === "TimeoutError" ? "failed_slow" : "failed_unreachable", address), { options: true });
  }
  if (response.type === "opaqueredirect") throw new Failure(message("failed_moved", address), { options: true });
  const answer = parsed(said);
  if (response.ok && answer?.[answers] !== undefined) return answer;
  throw problem(address, response, answer);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Return what a problem of the API (RFC 9457) says, and what to do next. */
function problem(address, response, answer) {
  if (response.ok || !String(answer?.type).startsWith(PROBLEM) || !answer.detail) {
    return new Failure(message("failed_stranger", address, response.status), { options: true });
  }
  const name = answer.type.slice(PROBLEM.length);
  if (SAY_IT_THEMSELVES.includes(name)) return new Failure(answer.detail);
  const [next, options] = NEXT[name] ?? ["next_operator", false];
  return new Failure(answer.detail, { next: message(next), options });
}
