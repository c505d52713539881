// The tour: one line that says what to try next. The program knows when it was done; leaving is the page's own affair.

import { act, h, show } from "./dom.js";
import { inline } from "./markdown.js";
import { isForMe, showMe } from "./spots.js";
import { afterwardsDo, changed, state, watch } from "./state.js";

const place = document.getElementById("tour");

function render() {
  const line = state.tour;
  if (!line) return;
  place.classList.toggle("left", state.leftTour);
  if (state.leftTour) {
    show(place, h("button", { type: "button", class: "link", "data-key": "leave", "data-act": "tour" }, "Show the tour"));
    return;
  }
  const over = line.number > line.of;
  show(place,
    h("p", { class: "tour-step" }, over ? "Done" : `Step ${line.number} of ${line.of}`),
    h("p", { class: "tour-text", role: "status" }, inline(line.text)),
    h("div", { class: "tour-acts" },
      next(line),
      h("button", { type: "button", class: "link", "data-key": "leave", "data-act": "tour" },
        "Leave", h("span", { class: "tour-rest" }, " the tour"))));
}

/** One button, which first makes one who the step is for: so the keyboard's focus stays where it is. */
function next(line) {
  const button = { type: "button", class: "button secondary", "data-key": "next" };
  if (!isForMe(line)) return h("button", { ...button, "data-act": "be", "data-name": line.who }, `Be ${line.who}`);
  return line.spots.length > 0 && h("button", { ...button, "data-act": "show-me" }, "Show me");
}

watch(["tour", "people", "world"], render);

act("tour", () => {
  state.leftTour = !state.leftTour;
  changed("tour");
  afterwardsDo(() => place.querySelector('[data-act="tour"]')?.focus());
});
act("show-me", showMe);
