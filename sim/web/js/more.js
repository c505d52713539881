// The menu of a message: the commands that an app has there.

import { sends } from "./components.js";
import { act } from "./dom.js";
import { afterwardsDo, changed, state } from "./state.js";

const buttonOf = (id) => document.querySelector(`#m${CSS.escape(id)} .more-button`);

act("more", ({ dataset: { message } }) => {
  const key = `more/${message}`;
  const opens = state.menu.open !== key;
  state.menu = { open: opens ? key : "", ticked: new Set() };
  changed("messages");
  if (opens) afterwardsDo(() => document.querySelector(".menu [role=menuitem]")?.focus());
});

act("menu-command", ({ dataset: { message, command } }) => {
  close();
  return sends(message, command, { do: "menu", message, command });
});

function close() {
  const id = state.menu.open.slice("more/".length);
  state.menu = { open: "", ticked: new Set() };
  changed("messages");
  buttonOf(id)?.focus();
}

document.addEventListener("keydown", (event) => {
  const menu = document.activeElement?.closest(".menu");
  if (!menu) return;
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  } else if (event.key === "Escape") {
    event.preventDefault();
    close();
  } else if (event.key === "Tab") {
    close();
  }
});

document.addEventListener("click", (event) => {
  if (state.menu.open.startsWith("more/") && !event.target.closest(".more")) {
    state.menu = { open: "", ticked: new Set() };
    changed("messages");
  }
});
