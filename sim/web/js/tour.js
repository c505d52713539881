// The tour: one line that says what to try next. The program knows when it was done; leaving is the page's own affair.

import { post } from "./api.js";
import { act, h, show } from "./dom.js";
import { inline } from "./markdown.js";
import { changed, state, watch } from "./state.js";

const place = document.getElementById("tour");
let left = false;

function render() {
  const line = state.tour;
  if (!line) return;
  place.classList.toggle("left", left);
  if (left) {
    show(place, h("button", { type: "button", class: "link", "data-act": "tour" }, "Show the tour"));
    return;
  }
  const over = line.number > line.of;
  const me = state.world?.cast.find((it) => it.id === state.who)?.name;
  show(place,
    h("p", { class: "tour-step" }, over ? "Done" : `Step ${line.number} of ${line.of}`),
    h("p", { class: "tour-text", role: "status" }, inline(line.text)),
    h("div", { class: "tour-acts" },
      line.who && line.who !== me && h("button", { type: "button", class: "button secondary", "data-key": "be", "data-act": "be", "data-name": line.who }, `Be ${line.who}`),
      h("button", { type: "button", class: "button secondary narrow", "data-key": "side", "data-act": "side", "data-side": line.side },
        line.side === "okta" ? "To Okta" : "To Discord"),
      over && h("button", { type: "button", class: "link", "data-key": "again", "data-act": "tour-again" }, "Again"),
      h("button", { type: "button", class: "link", "data-key": "leave", "data-act": "tour" },
        "Leave", h("span", { class: "tour-rest" }, " the tour"))));
}

watch(["tour", "people", "world"], render);

act("tour", () => {
  left = !left;
  changed("tour");
});
act("tour-again", () => post("/api/tour", {}));
