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
  const named = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let here = skipAdded(from.firstChild);
  for (const node of to.childNodes) {
    const same = node.id ? named.get(node.id) : isAlike(here, node) && here;
    if (same && same === here) here = skipAdded(here.nextSibling);
    if (!same) from.insertBefore(document.importNode(node, true), here);
    else {
      if (same.nextSibling !== here && skipAdded(same.nextSibling) !== here) from.insertBefore(same, here);
      change(same, node);
    }
  }
  while (here) {
    const next = skipAdded(here.nextSibling);
    here.remove();
    here = next;
  }
}

function change(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType === Node.ELEMENT_NODE) morph(from, to);
  else if (from.data !== to.data) from.data = to.data;
}

function isAlike(one, other) {
  return one !== null && !one.id && one.nodeName === other.nodeName && key(one) === key(other);
}

function key(node) {
  return node.value || "";
}

// What the person did, and what scripts added, is not in the HTML of the server.
function kept(element, name) {
  return name === "open" && element.nodeName === "DETAILS";
}

function skipAdded(node) {
  while (node?.classList?.contains("copy")) node = node.nextSibling;
  return node;
}
