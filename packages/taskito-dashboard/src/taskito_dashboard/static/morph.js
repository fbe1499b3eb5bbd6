// Makes one element look like another and touches nothing that is the same already, so that
// focus, caret, selection, scroll positions, ticks and opened details stay.

export function morph(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !kept(from, name)) from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !kept(from, name)) from.setAttribute(name, value);
  }
  if (from.matches("textarea, input, select")) return;
  const old = [...from.childNodes].filter((node) => !isAdded(node));
  const now = [...to.childNodes];
  now.forEach((node, index) => {
    const before = old[index];
    if (before === undefined) from.append(document.importNode(node, true));
    else if (before.isEqualNode(node)) return;
    else if (isAlike(before, node)) change(before, node);
    else before.replaceWith(document.importNode(node, true));
  });
  old.slice(now.length).forEach((node) => node.remove());
}

function change(from, to) {
  if (from.nodeType === Node.ELEMENT_NODE) morph(from, to);
  else if (from.data !== to.data) from.data = to.data;
}

function isAlike(one, other) {
  return one.nodeName === other.nodeName && key(one) === key(other);
}

function key(node) {
  return node.id || node.value || "";
}

// What the person did, and what scripts added, is not in the HTML of the server.
function kept(element, name) {
  return name === "open" && element.nodeName === "DETAILS";
}

function isAdded(node) {
  return node.nodeType === Node.ELEMENT_NODE && node.classList.contains("copy");
}
