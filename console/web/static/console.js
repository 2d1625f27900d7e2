// The console's page script. Pages work without it; with it they follow the ledger and ask
// "sure?" without a detour. Everything shown comes from the server as a whole page of its own.
"use strict";

const parser = new DOMParser();
let busy = false, again = false;

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.redirected) { location.assign(answer.url); return; }
    if (answer.ok) swap(parser.parseFromString(await answer.text(), "text/html"));
  } catch { /* The stream says when the server is back. */ }
  busy = false;
  if (again) { again = false; refresh(); }
}

function swap(page) {
  document.body.dataset.at = page.body.dataset.at ?? "0";
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (!fresh || fresh.isEqualNode(old) || held(old)) continue;
    for (const box of old.querySelectorAll("details[open][id]")) {
      fresh.querySelector(`#${CSS.escape(box.id)}`)?.setAttribute("open", "");
    }
    old.replaceWith(document.adoptNode(fresh));
  }
}

// What somebody is in the middle of stays under their hands.
function held(part) {
  const at = document.activeElement;
  const typing = part.contains(at) && at.matches("input, textarea, select, button, summary, a");
  return typing || document.getElementById("sure").open;
}

function say(state) {
  const place = document.querySelector("[data-state]");
  if (place) { place.textContent = state; place.dataset.state = state; }
}

function follow(address) {
  const stream = new EventSource(address);
  stream.addEventListener("error", () => say("reconnecting"));
  stream.addEventListener("moved", refresh);
  // What came between the page and the stream, or while the stream was broken, is not told again.
  stream.addEventListener("at", (event) => {
    say("live");
    if (event.data !== document.body.dataset.at) refresh();
  });
  stream.addEventListener("over", () => { stream.close(); location.assign("/sign-in"); });
  // A page that leaves must not keep its place among the few connections a browser allows.
  addEventListener("pagehide", () => stream.close());
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.sure || form.elements.sure) return;
  event.preventDefault();
  const dialog = document.getElementById("sure");
  dialog.querySelector("#sure-text").textContent = form.dataset.sure;
  dialog.querySelector("[data-no]").onclick = () => dialog.close();
  dialog.querySelector("[data-yes]").onclick = () => {
    const sure = document.createElement("input");
    Object.assign(sure, { type: "hidden", name: "sure", value: "yes" });
    form.append(sure);
    dialog.close();
    form.submit();
  };
  dialog.showModal();
});

// What changes beside the ledger is asked for again while it is under way.
setInterval(() => { if (document.querySelector("[data-again]")) refresh(); }, 2000);

const address = document.body.dataset.follow;
if (address) follow(address);
