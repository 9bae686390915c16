// The options: which server to ask, and with which key.

import { Failure, message, once, translate } from "./page.js";
import { genres, permissionFor, readSettings } from "./server.js";

const [form, address, key, test, status, problems] = ["settings", "address", "key", "test", "status", "problems"].map((id) =>
  document.getElementById(id),
);

/** Return what is entered, the address as browsers write it. */
function entered() {
  const url = URL.parse(address.value.trim());
  const alone = url && url.pathname === "/" && !url.search && !url.hash && !url.username && !url.password;
  if (!alone || !["http:", "https:"].includes(url.protocol)) throw new Failure(message("failed_address"));
  const secret = key.value.trim();
  if (!/^[!-~]*$/.test(secret)) throw new Failure(message("failed_key"));
  return { address: url.origin, key: secret };
}

async function save() {
  const settings = entered();
  const wanted = permissionFor(settings.address);
  // First of all: browsers let an extension ask only in the very act of a person.
  if (!(await chrome.permissions.request(wanted))) throw new Failure(message("failed_refused"));
  const former = await readSettings();
  await chrome.storage.local.set(settings);
  address.value = settings.address;
  if (former.address) await giveBack(permissionFor(former.address), wanted);
  return message("saved");
}

async function giveBack(former, wanted) {
  if (former.origins[0] !== wanted.origins[0]) await chrome.permissions.remove(former);
}

form.addEventListener("submit", once({ status, problems, meanwhile: "" }, save));
test.addEventListener("click", once({ status, problems }, async () => message("test_passed", (await genres(entered())).length)));

translate();
const settings = await readSettings();
address.value = settings.address;
key.value = settings.key;
