// The channel or thread that is open: where one is, and what was said there.

import { act, h, show } from "./dom.js";
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
        "aria-current": it.id === current ? "page" : null }, `# ${it.name}`))),
    here?.parent && h("p", { class: "thread-head" },
      h("button", { type: "button", class: "link", "data-act": "place", "data-place": here.parent },
        `‹ Back to #${placeOf(here.parent)?.name ?? ""}`),
      h("span", {}, " Thread: ", h("strong", {}, here.name))));
}

function renderLog() {
  if (!state.world) return;
  const here = placeOf(state.place);
  log.setAttribute("aria-label", here ? `Messages in ${here.parent ? "the thread " : "#"}${here.name}` : "Messages");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  const all = [...state.messages.values()]
    .filter((it) => it.json.channel_id === state.place && !state.dismissed.has(it.json.id))
    .sort((a, b) => (BigInt(a.json.id) < BigInt(b.json.id) ? -1 : 1));
  const had = document.activeElement?.closest("article.message")?.id;
  show(log, all.length > 0
    ? all.map(message)
    : h("p", { class: "empty", "data-key": "empty" }, "Nothing is wrong, so nothing was said. The tour above says how to change that."));
  // What had the focus may be gone; whoever uses the keyboard goes on from its message.
  if (had && document.activeElement === document.body) document.getElementById(had)?.focus({ preventScroll: true });
  if (atEnd) log.scrollTop = log.scrollHeight;
}

watch(["world", "messages"], renderPlaces);
watch(["world", "messages"], renderLog);

/** Opens a channel or thread. */
export function go(place) {
  state.place = place;
  changed("world");
  afterwardsDo(() => { log.scrollTop = log.scrollHeight; });
}

act("place", ({ dataset }) => {
  go(dataset.place);
  afterwardsDo(() => log.focus());
});

act("jump", ({ dataset: { place, message: id } }, event) => {
  event.preventDefault();
  go(placeOf(place) ? place : state.place);
  afterwardsDo(() => {
    const there = document.getElementById(`m${id}`);
    there?.scrollIntoView({ block: "center" });
    there?.focus();
  });
});
