// Keeps a page current: asks for it again with its ETag, and puts in what changed.
import { morph } from "./morph.js";

const EVERY_MS = 2000;
const button = document.getElementById("live");
let etag = null;
let isPaused = false;
let seen = Date.now();

async function look() {
  if (isPaused || document.hidden || isSelecting()) return;
  try {
    const headers = { Accept: "text/html", ...(etag && { "If-None-Match": etag }) };
    const answer = await fetch(location.href, { headers, cache: "no-store" });
    if (answer.status === 401) location.reload();
    if (answer.status !== 304 && !answer.ok) throw new Error(answer.statusText);
    if (answer.ok) {
      etag = answer.headers.get("ETag");
      show(await answer.text());
    }
    seen = Date.now();
  } catch {
    // The age on the button says it; the next look may succeed.
  }
  tell();
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const now of page.querySelectorAll("[data-live][id]")) {
    const old = document.getElementById(now.id);
    if (old) morph(old, now);
    else document.getElementById("main").append(document.importNode(now, true));
  }
  for (const old of document.querySelectorAll("main [data-live][id]")) {
    if (!page.getElementById(old.id)) old.remove();
  }
  document.title = page.title;
  addCopies();
}

function isSelecting() {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed;
}

function tell() {
  const age = Math.round((Date.now() - seen) / 1000);
  const isStale = age > 10;
  button.classList.toggle("stale", isStale);
  button.setAttribute("aria-pressed", String(!isPaused));
  const word = isPaused ? "paused" : "live";
  button.querySelector(".word").textContent = isStale ? `${word} · ${age} s old` : word;
}

function addCopies() {
  for (const source of document.querySelectorAll("[data-copy]")) {
    if (source.nextElementSibling?.classList.contains("copy")) continue;
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = "Copy";
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(source.textContent);
      copy.textContent = "Copied";
    });
    source.after(copy);
  }
}

function tickTogether(box) {
  box.closest("label").hidden = false;
  box.addEventListener("change", () => {
    for (const tick of document.querySelectorAll('input[name="ids"]')) tick.checked = box.checked;
  });
}

button.hidden = false;
button.addEventListener("click", () => {
  isPaused = !isPaused;
  tell();
  look();
});
document.addEventListener("visibilitychange", look);
document.querySelectorAll("[data-ticks]").forEach(tickTogether);
addCopies();
setInterval(() => { look(); tell(); }, EVERY_MS);
