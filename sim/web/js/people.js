// Who you are.

import { act, h, show } from "./dom.js";
import { changed, state, watch } from "./state.js";

const place = document.getElementById("people");
let becomes = () => {};

/** What is done when one becomes somebody else. */
export function onBecoming(handler) {
  becomes = handler;
}

function render() {
  if (!state.world) return;
  show(place, h("fieldset", { class: "people" },
    h("legend", {}, "You are"),
    state.world.cast.map((it) => {
      const rung = state.rung.get(it.id) ?? 0;
      return h("label", { class: "person", "data-key": it.id },
        h("input", { type: "radio", name: "who", value: it.id, checked: it.id === state.who, "data-change": "become" }),
        h("span", { class: "person-name" }, it.name),
        h("span", { class: "person-role" }, it.role),
        rung > 0 && h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, rung),
          h("span", { class: "unseen" }, rung === 1 ? ", pinged once" : `, pinged ${rung} times`)));
    })));
}

watch(["world", "people"], render);

act("become", (element) => become(element.value));

/** One becomes that member. */
export function become(id) {
  state.who = id;
  state.rung.delete(id);
  changed("people");
  becomes();
}

act("be", ({ dataset }) => {
  const part = state.world?.cast.find((it) => it.name === dataset.name);
  if (part) become(part.id);
});
