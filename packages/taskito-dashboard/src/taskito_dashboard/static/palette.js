// Ctrl K: type what to open or press. What is listed are links and buttons of the page itself.

const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("ul");
const PLACES = "#side a, #themes a, #zones a:not([hidden]), #live, main .headline button, main td > a";
const MOST = 8;

export function open() {
  input.value = "";
  show();
  dialog.showModal();
}

function words(element) {
  const nav = element.closest(".choice");
  const text = (element.querySelector("span:not([aria-hidden])") ?? element).textContent.trim();
  return element.id === "live" ? "Pause or go on" : nav ? `${nav.ariaLabel}: ${text}` : text;
}

function show() {
  const typed = input.value.trim().toLowerCase();
  const found = new Map();
  for (const element of document.querySelectorAll(PLACES)) {
    const text = words(element);
    if (text.toLowerCase().includes(typed) && !found.has(text)) found.set(text, element);
  }
  const options = [...found].slice(0, MOST).map(([text, element], index) => option(text, element, index));
  if (typed) options.push(option(`Find “${input.value.trim()}”`, null, MOST));
  list.replaceChildren(...options);
  choose(0);
}

function option(text, element, index) {
  const item = document.createElement("li");
  item.role = "option";
  item.id = `palette-${index}`;
  item.textContent = text;
  item.onclick = () => {
    dialog.close();
    if (element) element.click();
    else input.form.submit();
  };
  return item;
}

function choose(index) {
  const items = [...list.children];
  items.forEach((item, at) => { item.ariaSelected = String(at === index); });
  input.setAttribute("aria-activedescendant", items[index]?.id ?? "");
}

function chosen() {
  return [...list.children].findIndex((item) => item.ariaSelected === "true");
}

input.addEventListener("input", show);
input.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) choose((chosen() + by + list.children.length) % list.children.length);
  else if (event.key === "Enter") list.children[chosen()]?.click();
  else return;
  event.preventDefault();
});
