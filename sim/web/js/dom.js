// Elements from plain calls, and bringing the page in step with how it should look without losing focus or scroll.

/** An element. `props` become attributes; true is an empty attribute, false, null and undefined are none. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

/** Makes the children of `old` those of `fresh`, keeping every node that may stay. */
export function morphChildren(old, fresh) {
  const wanted = [...fresh.childNodes];
  const keys = new Set(wanted.map(keyOf).filter(Boolean));
  const keyed = new Map();
  for (const node of [...old.childNodes]) {
    const key = keyOf(node);
    if (key === null) continue;
    if (keys.has(key)) keyed.set(key, node);
    else node.remove();
  }
  let at = old.firstChild;
  for (const want of wanted) {
    const key = keyOf(want);
    const have = key === null ? (at && alike(at, want) ? at : null) : keyed.get(key);
    if (!have || !alike(have, want)) {
      old.insertBefore(want, at);
      continue;
    }
    if (have === at) at = at.nextSibling;
    else old.insertBefore(have, at);
    morph(have, want);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // What a person has opened or closed stays so.
    if (!fresh.hasAttribute(name) && !(old.nodeName === "DETAILS" && name === "open")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.nodeName === "DETAILS" && name === "open") continue;
    if (old.getAttribute(name) === value) continue;
    // The page's policy forbids style attributes; styles that scripts set are fine.
    if (name === "style") old.style.cssText = value;
    else old.setAttribute(name, value);
  }
  if (old.nodeName === "INPUT" && (old.type === "checkbox" || old.type === "radio")) {
    old.checked = fresh.hasAttribute("checked");
  }
  // What a person types or has chosen is theirs.
  if (old.nodeName === "SELECT" || old.nodeName === "TEXTAREA") return;
  morphChildren(old, fresh);
}

/** Shows these nodes in the element. */
export function show(element, ...nodes) {
  const fresh = document.createElement("div");
  fresh.append(...nodes.flat(Infinity).filter(Boolean));
  morphChildren(element, fresh);
}

const acts = new Map();

/** What is done when an element with `data-act="name"` is clicked. */
export function act(name, handler) {
  acts.set(name, handler);
}

for (const kind of ["click", "change", "input"]) {
  document.addEventListener(kind, (event) => {
    const attribute = kind === "click" ? "data-act" : `data-${kind}`;
    const element = event.target.closest?.(`[${attribute}]`);
    if (!element || element.getAttribute("aria-disabled") === "true") return;
    acts.get(element.getAttribute(attribute))?.(element, event);
  });
}

/** Arrow keys move among the elements of a list of tabs, a menu or a radio-like row. */
export function arrows(container, selector, { vertical = false, follow = false } = {}) {
  container.addEventListener("keydown", (event) => {
    const [back, on] = vertical ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const items = [...container.querySelectorAll(selector)];
    const at = items.indexOf(document.activeElement);
    const step = { [back]: at - 1, [on]: at + 1, Home: 0, End: items.length - 1 }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    const next = items[(step + items.length) % items.length];
    next.focus();
    if (follow) next.click();
  });
}
