// A menu below a message: closed it is a button, open it is a list to pick from or to tick.

import { sends } from "./components.js";
import { act, h } from "./dom.js";
import { afterwardsDo, changed, state } from "./state.js";

/** A select as Discord writes it down. */
export function select(message, it) {
  const key = `${message}/${it.custom_id}`;
  const open = state.menu.open === key;
  const options = optionsOf(it);
  const words = it.placeholder || "Make a selection";
  return h("div", { class: "select", "data-menu": key },
    h("button", {
      type: "button", class: "select-button", "data-act": "menu", "data-menu": key, "aria-expanded": String(open),
      "data-ticked": JSON.stringify(options.filter((option) => option.default).map((option) => option.value)),
      "aria-disabled": it.disabled || state.pressed.has(key) ? "true" : null,
    }, words),
    open && list(message, it, words, options));
}

function list(message, it, words, options) {
  const many = (it.max_values ?? 1) > 1;
  const control = { "data-message": message, "data-control": it.custom_id };
  const few = state.menu.ticked.size < (it.min_values ?? 1) || state.menu.ticked.size > (it.max_values ?? 1);
  return h("div", { class: "options", role: "group", "aria-label": words },
    options.map((option) => many
      ? h("label", { class: "option" },
        h("input", { type: "checkbox", "data-change": "tick", value: option.value, checked: state.menu.ticked.has(option.value) }),
        h("span", {}, label(option)))
      : h("button", { type: "button", class: "option", "data-act": "choose", ...control, "data-value": option.value }, label(option))),
    many && h("div", { class: "options-end" },
      h("button", { type: "button", class: "button primary", "data-act": "choose-ticked", ...control, "aria-disabled": few ? "true" : null },
        `Choose ${state.menu.ticked.size}`)));
}

const label = (option) => [
  h("span", {}, option.label),
  option.description && h("span", { class: "quiet" }, option.description),
];

function optionsOf(it) {
  const { members = [], roles = [], places = [] } = state.world ?? {};
  const named = (list, sign) => list.map((one) => ({ value: one.id, label: sign + one.name }));
  switch (it.type) {
    case 5: return named(members, "@");
    case 6: return named(roles, "@");
    case 7: return [...named(members, "@"), ...named(roles, "@")];
    case 8: return named(places, "#");
    default: return it.options ?? [];
  }
}

const buttonOf = (key) => document.querySelector(`.select-button[data-menu="${CSS.escape(key)}"]`);

act("menu", (element) => {
  const key = element.dataset.menu;
  const opens = state.menu.open !== key;
  state.menu = { open: opens ? key : "", ticked: new Set(opens ? JSON.parse(element.dataset.ticked) : []) };
  changed("messages");
  if (opens) afterwardsDo(() => buttonOf(key)?.parentElement.querySelector(".option input, .option")?.focus());
});

act("tick", (element) => {
  if (element.checked) state.menu.ticked.add(element.value);
  else state.menu.ticked.delete(element.value);
  changed("messages");
});

act("choose", ({ dataset: { message, control, value } }) => choose(message, control, [value]));
act("choose-ticked", ({ dataset: { message, control } }) => choose(message, control, [...state.menu.ticked]));

function choose(message, control, values) {
  close();
  return sends(message, control, { do: "choose", message, control, values });
}

function close() {
  const key = state.menu.open;
  state.menu = { open: "", ticked: new Set() };
  changed("messages");
  if (key) buttonOf(key)?.focus();
}

document.addEventListener("keydown", (event) => {
  const menu = document.activeElement?.closest(".select");
  if (!menu || !state.menu.open) return;
  if (event.key === "Escape") {
    event.preventDefault();
    close();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll(".option input, button.option, .options-end button")];
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
});

document.addEventListener("click", (event) => {
  const open = state.menu.open && !state.menu.open.startsWith("more/");
  if (open && !event.target.closest(".select")) {
    state.menu = { open: "", ticked: new Set() };
    changed("messages");
  }
});
