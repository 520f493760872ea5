// Only comfort: everything works without this file. It keeps the numbers fresh, remembers the colours at once,
// and tells times in the reader's own zone.
"use strict";

const EVERY_MS = 30_000;
const root = document.body.dataset.root;

function tellLocalTimes(within) {
  const now = new Date();
  for (const element of within.querySelectorAll("time[datetime]")) {
    if (element.dataset.told) continue;
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime()) || at.getTimezoneOffset() === 0) continue;
    const near = at.toDateString() === now.toDateString();
    const local = at.toLocaleString(undefined, near ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
    element.dataset.told = "yes";
    element.textContent = `${local} (${element.textContent.trim()})`;
  }
}

function rememberTheme(form) {
  form.addEventListener("submit", (event) => {
    const chosen = event.submitter?.value;
    if (!chosen) return;
    event.preventDefault();
    document.documentElement.dataset.theme = chosen;
    document.cookie = `flyball_theme=${chosen}; path=${root}/; max-age=31536000; samesite=lax`;
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.value === chosen));
    }
  });
}

// Where the focus is, in words that find the same place in the new content.
function placeOfFocus(within) {
  const active = document.activeElement;
  if (!active || active === within || !within.contains(active)) return null;
  const all = [...within.querySelectorAll("a, button, summary, [tabindex]")];
  return { href: active.getAttribute("href"), index: all.indexOf(active) };
}

function restoreFocus(within, place) {
  const all = [...within.querySelectorAll("a, button, summary, [tabindex]")];
  const same = place.href && all.find((element) => element.getAttribute("href") === place.href);
  (same || all[place.index])?.focus({ preventScroll: true });
}

function exchange(old, fresh) {
  const source = fresh.innerHTML;
  if (shown.get(old.id) === source) return;
  const selection = document.getSelection();
  if (selection && !selection.isCollapsed && old.contains(selection.anchorNode)) return;
  shown.set(old.id, source);
  const place = placeOfFocus(old);
  const open = [...old.querySelectorAll("details")].map((element) => element.open);
  const scrolled = [...old.querySelectorAll(".scroll")].map((element) => element.scrollTop);
  old.replaceChildren(...document.importNode(fresh, true).childNodes);
  old.querySelectorAll("details").forEach((element, index) => { element.open = open[index] ?? false; });
  old.querySelectorAll(".scroll").forEach((element, index) => { element.scrollTop = scrolled[index] ?? 0; });
  tellLocalTimes(old);
  if (place) restoreFocus(old, place);
}

function say(before, after) {
  if (before === after) return;
  document.getElementById("said").textContent = after === "0" ? "No alert is firing now." : `Firing alerts: ${after}.`;
}

async function refresh() {
  if (document.hidden || paused) return;
  let page;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    status(`Not updated since ${lastGood.toLocaleTimeString()}: Flyball does not answer.`);
    return;
  }
  lastGood = new Date();
  const firing = document.querySelector("[data-firing]");
  const firingNow = page.querySelector("[data-firing]");
  if (firing && firingNow) {
    say(firing.dataset.firing, firingNow.dataset.firing);
    firing.dataset.firing = firingNow.dataset.firing;
  }
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (fresh) exchange(old, fresh);
  }
  document.title = page.title;
  status("Updates every 30 seconds.");
}

function status(text) {
  const line = updates.querySelector("span");
  if (line && line.textContent !== text) line.textContent = text;
}

const shown = new Map(); // what each live part was when it came, before times were told
const updates = document.getElementById("updates");
let paused = false;
let lastGood = new Date();

function offerPause() {
  const line = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Pause";
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Resume" : "Pause";
    status(paused ? "Updates are paused." : "Updates every 30 seconds.");
    if (!paused) refresh();
  });
  updates.append(line, " ", button);
  status("Updates every 30 seconds.");
}

for (const element of document.querySelectorAll("[data-live]")) shown.set(element.id, element.innerHTML);
tellLocalTimes(document);
for (const form of document.querySelectorAll("form.themes")) rememberTheme(form);
if (document.querySelector("main [data-live]")) {
  offerPause();
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
}
