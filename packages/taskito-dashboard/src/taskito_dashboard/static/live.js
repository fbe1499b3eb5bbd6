// Keeps a page current. htmx asks for it again and changes what differs (attributes of #main);
// here is when it does not, what it sends along, and what the page says about its age.

const main = document.getElementById("main");
const button = document.getElementById("live");
let etag = null;
let isPaused = false;
let seen = Date.now();

const look = () => htmx.trigger(main, "look");

function isBusy() {
  const isSelecting = getSelection()?.isCollapsed === false;
  return document.hidden || isSelecting || document.querySelector("dialog[open]") !== null;
}

function tell() {
  const age = Math.round((Date.now() - seen) / 1000);
  const isStale = age > 10;
  const word = isPaused ? "paused" : "live";
  button.classList.toggle("stale", isStale);
  button.ariaPressed = String(!isPaused);
  button.querySelector(".word").textContent = isStale ? `${word} · ${age} s old` : word;
}

// What only scripts can serve is added to what the server sent, before the two are compared.
function prepare(root) {
  for (const source of root.querySelectorAll("[data-copy]")) {
    source.insertAdjacentHTML("afterend", '<button type="button" class="copy">Copy</button>');
  }
  for (const box of root.querySelectorAll("[data-ticks]")) box.closest("label").hidden = false;
}

document.addEventListener("htmx:before:request", (event) => {
  const { request, sourceElement } = event.detail.ctx;
  if (sourceElement !== main) return;
  if (isPaused || isBusy()) event.preventDefault();
  request.cache = "no-store";
  if (etag) request.headers["If-None-Match"] = etag;
});
document.addEventListener("htmx:after:request", (event) => {
  const { response, sourceElement } = event.detail.ctx;
  if (sourceElement !== main) return;
  if (response.status === 401) location.reload();
  if (response.status === 200) etag = response.headers.get("ETag");
  if (response.status < 400) seen = Date.now();
  tell();
});
document.addEventListener("htmx:before:swap", (event) => {
  for (const { fragment } of event.detail.tasks) prepare(fragment);
});
document.addEventListener("click", async ({ target }) => {
  if (!target.matches(".copy")) return;
  await navigator.clipboard.writeText(target.previousElementSibling.textContent);
  target.textContent = "Copied";
});
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-ticks]")) return;
  for (const tick of document.querySelectorAll('[name="ids"]')) tick.checked = target.checked;
});
document.addEventListener("visibilitychange", look);
button.hidden = false;
button.addEventListener("click", () => {
  isPaused = !isPaused;
  tell();
  look();
});
prepare(main);
setInterval(tell, 1000);
