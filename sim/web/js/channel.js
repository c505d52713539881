// The channel or thread that is open: where one is, and what was said there.

import { unseenIn } from "./arrivals.js";
import { act, h, show } from "./dom.js";
import { INTRO } from "./intro.js";
import { lookAt, lookAtEnd, settle } from "./looking.js";
import { message } from "./message.js";
import { afterwardsDo, changed, placeOf, state, watch } from "./state.js";

const log = document.getElementById("log");
const places = document.getElementById("places");

function renderPlaces() {
  if (!state.world) return;
  const here = placeOf(state.place);
  const channels = state.world.places.filter((it) => it.parent === null);
  const current = here?.parent ?? here?.id;
  show(places,
    h("nav", { class: "channels", "aria-label": "Channels" }, channels.map((it) =>
      h("button", { type: "button", class: "channel", "data-key": it.id, "data-act": "place", "data-place": it.id,
        "aria-current": it.id === current ? "page" : null }, `# ${it.name}`, newIn(it.id, current)))),
    here?.parent && h("p", { class: "thread-head" },
      h("button", { type: "button", class: "link", "data-act": "place", "data-place": here.parent },
        `‹ Back to #${placeOf(here.parent)?.name ?? ""}`),
      h("span", {}, " Thread: ", h("strong", {}, here.name))));
}

function renderLog() {
  if (!state.world) return;
  const here = placeOf(state.place);
  log.setAttribute("aria-label", here ? `Messages in ${here.parent ? "the thread " : "#"}${here.name}` : "Messages");
  const all = [...state.messages.values()]
    .filter((it) => it.json.channel_id === state.place && !state.dismissed.has(it.json.id))
    .sort((a, b) => (BigInt(a.json.id) < BigInt(b.json.id) ? -1 : 1));
  const had = document.activeElement?.closest("article.message")?.id;
  show(log, all.length > 0
    ? all.map(message)
    : h("div", { class: "empty", "data-key": "empty" },
      h("p", { class: "intro" }, INTRO),
      h("p", {}, "Nothing was said here yet. The tour above says what to try.")));
  // What had the focus may be gone; whoever uses the keyboard goes on from its message.
  if (had && document.activeElement === document.body) document.getElementById(had)?.focus({ preventScroll: true });
  settle();
}

function newIn(place, current) {
  const count = place === current ? 0 : unseenIn(place).length;
  return count > 0 && h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, count), h("span", { class: "unseen" }, `, ${count} new`));
}

watch(["world", "messages", "news"], renderPlaces);
watch(["world", "messages"], renderLog);

/** Opens a channel or thread. */
export function go(place) {
  state.place = place;
  lookAtEnd();
  changed("world");
}

act("place", ({ dataset }) => {
  go(dataset.place);
  afterwardsDo(() => log.focus());
});

act("jump", ({ dataset: { place, message: id } }, event) => {
  event.preventDefault();
  go(placeOf(place) ? place : state.place);
  afterwardsDo(() => lookAt(id));
});
