// Where on the page the tour's step is done. The button or field that it names is marked while it can be used, and
// brought before one's eyes on wish; nobody is scrolled, and no focus is moved, without being asked.

import { go } from "./channel.js";
import { lookInto } from "./looking.js";
import { isTabOpen, openTab } from "./okta.js";
import { openSide } from "./sides.js";
import { afterwardsDo, changed, state, watch } from "./state.js";
import { toast } from "./toast.js";

const log = document.getElementById("log");
const panel = document.getElementById("okta-panel");

let marked = null;

const sideOf = (spot) => (["chat", "line"].includes(spot.at) ? "chat" : "okta");

/** Who is meant by the step, or anybody. */
export const isForMe = (line) => !line.who || line.who === state.world?.cast.find((it) => it.id === state.who)?.name;

/** The first of the step's spots that is there now. */
function target(line) {
  for (const spot of line.spots) {
    const found = find(spot);
    if (found) return found;
  }
  return null;
}

function find({ at, near, label }) {
  if (at === "line") return document.getElementById("say");
  let cards = [];
  if (at === "chat") cards = state.place === state.world?.channel ? log.querySelectorAll("article.message") : [];
  else if (isTabOpen(at)) cards = panel.querySelectorAll(".card, .item");
  // What came last is what one looks for.
  for (const card of [...cards].reverse()) {
    const found = card.textContent.includes(near) && called(card, label);
    if (found) return found;
  }
  return null;
}

/** The control in there that is called so, or whose name begins so, and that can be used. */
function called(card, label) {
  const controls = [...card.querySelectorAll("button, label")]
    .map((it) => [it.textContent.trim(), it.control ?? it])
    .filter(([, it]) => !it.disabled && it.getAttribute("aria-disabled") !== "true");
  const found = controls.find(([words]) => words === label) ?? controls.find(([words]) => words.startsWith(label));
  return found?.[1];
}

function mark() {
  const line = state.tour;
  const wanted = line && !state.leftTour && isForMe(line);
  const [spot] = wanted ? line.spots : [];
  // As long as another tab is open, it is the tab that one needs.
  const found = spot && (target(line) ?? (sideOf(spot) === "okta" && !isTabOpen(spot.at) && document.getElementById(`tab-${spot.at}`)));
  const next = found ? found.closest(".line") ?? found : null;
  if (marked !== next) marked?.removeAttribute("data-shown");
  next?.setAttribute("data-shown", "");
  marked = next;
  // Where it is out of sight, the way to it is marked instead.
  const away = Boolean(spot) && !(found && isInSight(found));
  document.querySelector('[data-act="show-me"]')?.toggleAttribute("data-away", away);
}

function isInSight(element) {
  const { top, bottom, height } = element.getBoundingClientRect();
  const pane = element.closest("#log, #okta-panel, #okta-tabs, #composer")?.getBoundingClientRect();
  return Boolean(pane) && height > 0 && top >= pane.top && bottom <= pane.bottom;
}

// After everything is drawn, since drawing takes the mark away.
watch(["tour", "world", "people", "messages", "okta", "health", "clock"], () => afterwardsDo(mark));

/** Brings the step's button or field before one's eyes, and the focus to it. */
export function showMe() {
  const line = state.tour;
  const [spot] = line.spots;
  openSide(sideOf(spot));
  if (spot.at === "chat" && state.place !== state.world.channel) go(state.world.channel);
  if (sideOf(spot) === "okta" && !isTabOpen(spot.at)) openTab(spot.at);
  changed("tour");
  afterwardsDo(() => {
    const found = target(line);
    if (!found) {
      toast("That is not on the page at the moment; it may take a second.", sideOf(spot));
      return;
    }
    for (let it = found.closest("details:not([open])"); it; it = it.parentElement.closest("details:not([open])")) it.open = true;
    if (log.contains(found)) lookInto(found);
    else found.scrollIntoView({ block: "nearest" });
    found.focus({ preventScroll: true });
  });
}
