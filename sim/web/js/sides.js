// On a narrow page one side is shown at a time. The tabs say which, and that something new waits on the other.

import { act, h, show } from "./dom.js";
import { changed, state, watch } from "./state.js";

const place = document.getElementById("sides");
const SIDES = [["chat", "Discord"], ["okta", "Okta"]];

function render() {
  const shown = document.body.dataset.side;
  const news = shown === "okta" ? state.unseen.size : 0;
  show(place, SIDES.map(([side, name]) =>
    h("button", { type: "button", "data-key": side, "data-act": "side", "data-side": side, "aria-pressed": String(side === shown) },
      name, side === "chat" && news > 0 && h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, news),
        h("span", { class: "unseen" }, `, ${news} new ${news === 1 ? "message" : "messages"}`)))));
}

watch(["news", "messages"], render);
render();

/** Shows that side, where only one is shown. */
export function openSide(side) {
  document.body.dataset.side = side;
  changed("news");
}

act("side", ({ dataset }) => openSide(dataset.side));
