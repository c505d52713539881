// The button to what is new below, for whoever reads above.

import { unseenIn } from "./arrivals.js";
import { act, h, show } from "./dom.js";
import { lookAtNews } from "./looking.js";
import { state, watch } from "./state.js";

const place = document.getElementById("news");

function render() {
  const count = unseenIn(state.place).length;
  show(place, count > 0 && h("button", { type: "button", class: "button primary", "data-act": "news" },
    count === 1 ? "New message" : `${count} new messages`, h("span", { "aria-hidden": "true" }, " ↓")));
}

watch(["news", "messages", "world"], render);
act("news", lookAtNews);
