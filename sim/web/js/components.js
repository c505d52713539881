// Buttons, menus and layout below a message.

import { inChat } from "./api.js";
import { answered } from "./answers.js";
import { act, h } from "./dom.js";
import { link, markdown } from "./markdown.js";
import { select } from "./select.js";
import { changed, state } from "./state.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary" };

/** The components of a message, as Discord writes them down. */
export const components = (message, list) => list.map((it) => component(message, it));

function component(message, it) {
  switch (it.type) {
    case 1: return h("div", { class: "row" }, components(message, it.components));
    case 2: return button(message, it);
    case 3: case 5: case 6: case 7: case 8: return select(message, it);
    case 9: return h("div", { class: "section" },
      h("div", {}, components(message, it.components)), it.accessory && component(message, it.accessory));
    case 10: return h("div", { class: "text" }, markdown(it.content));
    case 14: return h("hr");
    case 17: return container(message, it);
    default: return null;
  }
}

function container(message, it) {
  const box = h("div", { class: "embed" }, components(message, it.components));
  if (it.accent_color) box.style.setProperty("--stripe", `#${it.accent_color.toString(16).padStart(6, "0")}`);
  return box;
}

function button(message, it) {
  const label = [it.emoji?.name, it.label].filter(Boolean).join(" ");
  const style = `button ${STYLES[it.style] ?? "secondary"}`;
  if (it.style === 5) {
    const element = link(it.url, label);
    element.classList.add(...style.split(" "), "outward");
    return element;
  }
  const key = `${message}/${it.custom_id}`;
  const waits = state.pressed.has(key);
  return h("button", {
    type: "button", class: style, "data-act": "press", "data-key": key, "data-message": message,
    "data-control": it.custom_id, "aria-disabled": waits || it.disabled ? "true" : null, "aria-busy": waits ? "true" : null,
  }, label);
}

act("press", ({ dataset: { message, control } }) =>
  sends(message, control, { do: "click", message, control }));

/** Sends what somebody did with a control, and shows at it that it waits or went wrong. */
export async function sends(message, control, what) {
  const key = `${message}/${control}`;
  state.pressed.add(key);
  state.failed.delete(message);
  state.acted = message;
  changed("messages");
  try {
    const answer = await inChat(what);
    if (answer.shown === "silence") state.failed.set(message, "This interaction failed.");
    answered(answer);
  } catch (error) {
    state.failed.set(message, error.message);
  }
  state.pressed.delete(key);
  changed("messages");
}
