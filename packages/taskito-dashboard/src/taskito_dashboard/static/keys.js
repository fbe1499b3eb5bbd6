// Single keys, as the dialog behind "?" lists them. Off while typing, and off for good on wish.

const SETTING = "taskito-dashboard-keys";
const dialog = document.getElementById("keys");
const toggle = document.getElementById("keys-on");
const places = new Map([...document.querySelectorAll(".side a[data-key]")].map((a) => [a.dataset.key, a]));
let isGoing = false;

const deeds = {
  "/": () => document.querySelector('.search input').focus(),
  ".": () => document.getElementById("live").click(),
  "?": () => dialog.showModal(),
  "[": () => document.querySelector('.pager a:not([rel="next"])')?.click(),
  "]": () => document.querySelector('.pager a[rel="next"]')?.click(),
  j: () => step(1),
  k: () => step(-1),
  x: () => chosen()?.querySelector('input[type="checkbox"]')?.click(),
  Enter: () => chosen()?.querySelector("a")?.click(),
  g: () => { isGoing = true; },
};

function chosen() {
  return document.activeElement.closest("tbody tr[id]");
}

function step(by) {
  const rows = [...document.querySelectorAll("main tbody tr[id]")];
  const row = rows[rows.indexOf(chosen()) + by] ?? (by > 0 ? rows[0] : rows.at(-1));
  if (row === undefined) return;
  row.tabIndex = -1;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

function isTyping(target) {
  return target.closest('input:not([type="checkbox"]), select, textarea, dialog[open]') !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !toggle.checked) return;
  if (isTyping(event.target)) return;
  const goes = isGoing && places.get(event.key);
  isGoing = false;
  if (goes) goes.click();
  else if (!Object.hasOwn(deeds, event.key)) return;
  // Enter on a link or button does what it always does.
  else if (event.key === "Enter" && !event.target.matches("tr")) return;
  else deeds[event.key]();
  event.preventDefault();
});

const opener = document.getElementById("keys-open");
opener.hidden = false;
opener.addEventListener("click", () => dialog.showModal());
toggle.checked = localStorage.getItem(SETTING) !== "off";
toggle.addEventListener("change", () => localStorage.setItem(SETTING, toggle.checked ? "on" : "off"));
