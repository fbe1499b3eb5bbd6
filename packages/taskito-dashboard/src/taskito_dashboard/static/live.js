// Keeps a page current: when htmx does not ask for it, what it sends along, how old the page is.

const main = document.getElementById("main");
const button = document.getElementById("live");
let etag = null;
let isPaused = false;
let seen = Date.now();

const on = (name, listener) => document.addEventListener(name, listener);
const look = () => htmx.trigger(main, "look");

const isSelecting = () => getSelection()?.isCollapsed === false;
const isBusy = () => document.hidden || isSelecting() || document.querySelector("dialog[open]");

function tell() {
  const age = Math.round((Date.now() - seen) / 1000);
  const isStale = age > 10;
  const word = isPaused ? "paused" : "live";
  button.classList.toggle("stale", isStale);
  button.ariaPressed = String(!isPaused);
  button.querySelector(".word").textContent = isStale ? `${word} · ${age} s old` : word;
}

// What only scripts serve is added before what the server sent is compared.
function prepare(root) {
  for (const source of root.querySelectorAll("[data-copy]")) {
    source.insertAdjacentHTML("afterend", '<button type="button" class="copy">Copy</button>');
  }
  for (const box of root.querySelectorAll("[data-ticks]")) box.closest("label").hidden = false;
}

on("htmx:before:request", (event) => {
  const { request, sourceElement } = event.detail.ctx;
  if (sourceElement !== main) return;
  if (isPaused || isBusy()) event.preventDefault();
  request.cache = "no-store";
  if (etag) request.headers["If-None-Match"] = etag;
});
on("htmx:after:request", (event) => {
  const { response, sourceElement } = event.detail.ctx;
  if (sourceElement !== main) return;
  if (response.status === 401) location.reload();
  if (response.status === 200) etag = response.headers.get("ETag");
  if (response.status < 400) seen = Date.now();
  tell();
});
on("htmx:before:swap", (event) => {
  for (const { fragment } of event.detail.tasks) prepare(fragment);
});
on("click", async ({ target }) => {
  if (!target.matches(".copy")) return;
  await navigator.clipboard.writeText(target.previousElementSibling.textContent);
  target.textContent = "Copied";
});
on("change", ({ target }) => {
  if (!target.matches("[data-ticks]")) return;
  for (const tick of document.querySelectorAll('[name="ids"]')) tick.checked = target.checked;
});
// Browsers complete whole lines: options get what stands before the last term.
on("input", ({ target: { list, value } }) => {
  for (const option of list?.querySelectorAll("[data-term]") ?? []) {
    option.value = value.slice(0, value.lastIndexOf(" ") + 1) + option.dataset.term;
  }
});
on("visibilitychange", look);
button.hidden = false;
button.addEventListener("click", () => {
  isPaused = !isPaused;
  tell();
  look();
});
prepare(main);
setInterval(tell, 1000);
