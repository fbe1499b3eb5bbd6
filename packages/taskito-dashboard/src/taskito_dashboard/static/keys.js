// Single keys, as the dialog behind "?" lists them. Off while typing, and off for good on wish.
// An element with data-key is what its key presses: in the chosen row, else on the page.
import { open } from "./palette.js";

const SETTING = "taskito-dashboard-keys";
const dialog = document.getElementById("keys");
const toggle = document.getElementById("keys-on");
let isGoing = false;

const deeds = {
  "/": () => document.querySelector(".search input").focus(),
  ".": () => document.getElementById("live").click(),
  "?": () => dialog.showModal(),
  "[": () => document.querySelector('.pager a:not([rel="next"])')?.click(),
  "]": () => document.querySelector('.pager a[rel="next"]')?.click(),
  j: () => step(1),
  k: () => step(-1),
  x: () => tick()?.click(),
  e: () => unfold(),
  r: () => press("r"),
  c: () => press("c"),
  t: () => next("#themes a"),
  z: () => next("#zones a:not([hidden])"),
  Enter: () => chosen()?.querySelector("a")?.click(),
  g: () => { isGoing = true; },
};

function chosen() {
  return document.activeElement.closest("main tbody tr");
}

function tick() {
  return chosen()?.querySelector('input[type="checkbox"]');
}

function step(by) {
  const rows = [...document.querySelectorAll("main tbody tr")];
  const row = rows[rows.indexOf(chosen()) + by] ?? (by > 0 ? rows[0] : rows.at(-1));
  if (row === undefined) return;
  row.tabIndex = -1;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const inRow = chosen()?.querySelector(`[data-key="${key}"]`);
  if (!inRow && tick()?.checked === false) tick().click();
  (inRow ?? document.querySelector(`main [data-key="${key}"]`))?.click();
}

// The whole error of the row, where the list shows its beginning; else what the page folds.
function unfold() {
  const error = chosen()?.querySelector(".error");
  if (error) error.classList.toggle("whole");
  else for (const fold of document.querySelectorAll("main details")) fold.open = !fold.open;
}

function next(links) {
  const all = [...document.querySelectorAll(links)];
  const here = all.findIndex((link) => link.hasAttribute("aria-current"));
  all[(here + 1) % all.length].click();
}

function isTyping(target) {
  return target.closest('input:not([type="checkbox"]), select, textarea, dialog[open]') !== null;
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !toggle.checked) return;
  if (isTyping(event.target)) return;
  const place = isGoing && document.querySelector(`#side [data-key="${CSS.escape(event.key)}"]`);
  isGoing = false;
  if (place) place.click();
  else if (!Object.hasOwn(deeds, event.key)) return;
  // Enter on a link or button does what it always does.
  else if (event.key === "Enter" && !event.target.matches("tr")) return;
  else deeds[event.key]();
  event.preventDefault();
});

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const local = document.querySelector("#zones [data-zone]");
if (zone !== "UTC" && ![...local.parentNode.children].some((link) => link.textContent === zone)) {
  local.href += `&set=${encodeURIComponent(zone)}`;
  local.hidden = false;
}
const opener = document.getElementById("keys-open");
opener.hidden = false;
opener.addEventListener("click", () => dialog.showModal());
toggle.checked = localStorage.getItem(SETTING) !== "off";
toggle.addEventListener("change", () => localStorage.setItem(SETTING, toggle.checked ? "on" : "off"));
