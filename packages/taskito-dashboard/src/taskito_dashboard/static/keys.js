// Single keys, as "?" lists them; off while typing, and for good on wish.
// What has data-key is what its key presses: in the chosen row, else on the page.

const SETTING = "taskito-dashboard-keys";
const PLACES = "#side a, .choice a:not([hidden]), main .headline :is(a, button), main td > a";
const dialog = document.getElementById("keys");
const palette = document.getElementById("palette");
const toggle = document.getElementById("keys-on");
const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const chosen = () => document.activeElement.closest("main tbody tr");
const tick = () => chosen()?.querySelector('[type="checkbox"]');
let isGoing = false;
let places = [];

const deeds = {
  __proto__: null,
  "/": () => find(".search input").focus(),
  ".": () => find("#live").click(),
  "?": () => dialog.showModal(),
  "[": () => find('.pager a:not([rel="next"])')?.click(),
  "]": () => find('.pager a[rel="next"]')?.click(),
  j: () => step(1),
  k: () => step(-1),
  x: () => tick()?.click(),
  e: unfold,
  r: () => press("r"),
  c: () => press("c"),
  t: () => next("#themes a"),
  z: () => next("#zones a:not([hidden])"),
  Enter: () => chosen()?.querySelector("a")?.click(),
  g: () => { isGoing = true; },
};

function step(by) {
  const ticks = all("main tbody tr:has([name=ids])");
  const rows = ticks.length ? ticks : all("main tbody tr");
  const row = rows[rows.indexOf(chosen()) + by] ?? rows.at(by > 0 ? 0 : -1);
  if (!row) return;
  row.tabIndex = -1;
  row.focus();
}

function press(key) {
  const inRow = chosen()?.querySelector(`[data-key="${key}"]`);
  if (!inRow && tick()?.checked === false) tick().click();
  (inRow ?? find(`main [data-key="${key}"]`))?.click();
}

// The error of the row, else what the page folds.
function unfold() {
  const error = chosen()?.querySelector(".error");
  if (error) error.toggleAttribute("data-whole");
  else for (const fold of all("main details")) fold.open = !fold.open;
}

function next(links) {
  const found = all(links);
  const here = found.findIndex((link) => link.ariaCurrent);
  found[(here + 1) % found.length].click();
}

// Places and actions of this page by name; the browser completes them.
function goAnywhere() {
  places = all(PLACES).map((element) => [named(element), element]);
  find("#palette-list").replaceChildren(...places.map(([name]) => new Option(name)));
  palette.showModal();
}

function named(element) {
  const text = (element.firstElementChild ?? element).textContent.trim();
  const group = element.closest(".choice")?.ariaLabel;
  return group ? `${group}: ${text}` : text;
}

palette.addEventListener("submit", (event) => {
  const typed = find("#palette input").value.trim().toLowerCase();
  const place = typed && places.find(([name]) => name.toLowerCase().startsWith(typed));
  if (!place) return;
  event.preventDefault();
  palette.close();
  place[1].click();
});

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isChord = event.ctrlKey || event.metaKey;
  const isTyping = target.closest('input:not([type="checkbox"]), select, textarea, dialog[open]');
  const place = isGoing && find(`#side [data-key="${CSS.escape(key)}"]`);
  let deed = deeds[key];
  if (isChord) deed = key.toLowerCase() === "k" ? goAnywhere : null;
  else if (isTyping || event.altKey || !toggle.checked) return;
  else if (place) deed = () => place.click();
  // Enter on a link or button does what it always does.
  else if (key === "Enter" && !target.matches("tr")) return;
  isGoing = false;
  if (!deed) return;
  deed();
  event.preventDefault();
});

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const local = find("#zones [data-zone]");
if (!all("#zones a").some((link) => link.textContent === zone)) {
  local.href += `&set=${encodeURIComponent(zone)}`;
  local.hidden = false;
}
const opener = find("#keys-open");
opener.hidden = false;
opener.addEventListener("click", deeds["?"]);
toggle.checked = localStorage.getItem(SETTING) !== "off";
toggle.addEventListener("change", () => localStorage.setItem(SETTING, toggle.checked ? "on" : "off"));
