// Where one looks in the channel. Whoever is at its end stays there; whoever did something sees the answer; whoever
// reads above is left in peace.

import { unseenIn } from "./arrivals.js";
import { changed, state } from "./state.js";

const log = document.getElementById("log");

/** So near the end counts as the end. */
const NEAR = 60;
/** What lies between the upper edge and what one is shown. */
const MARGIN = 8;

/** "end"; the id of a message that must not be pushed out above; or empty: one reads somewhere. */
let held = "end";
/** Where the page itself has put the log, and where it was before it was hidden. */
let put = 0;
let hidden = false;
/** How high the log was then. */
let high = 0;

const drawn = (id) => document.getElementById(`m${id}`);
const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;

/** How far below the upper edge of what is shown the element begins. */
const below = (element) => element.getBoundingClientRect().top - log.getBoundingClientRect().top;

function isWholeInView(element) {
  const top = below(element);
  return top >= 0 && top + element.offsetHeight <= log.clientHeight;
}

/** Brings the log to where one looks, after something was drawn or the log has another size. */
export function settle() {
  if (log.clientHeight === 0) {
    hidden = true;
    return;
  }
  if (hidden && !held) log.scrollTop = put;
  hidden = false;
  const answer = state.answer && drawn(state.answer);
  // What follows it must not push it out above.
  if (answer && (held || !isWholeInView(answer))) held = state.answer;
  if (answer) state.answer = "";
  if (held) follows();
  log.style.overflowAnchor = held ? "none" : "auto";
  put = log.scrollTop;
  high = log.clientHeight;
  looked();
}

/** Goes to the end, but no further than to the top of what one has to see first. */
function follows() {
  if (held !== "end" && !drawn(held)) held = "end";
  log.scrollTop = log.scrollHeight;
  const first = held === "end" ? unseenIn(state.place).filter(drawn).toSorted(byAge)[0] : held;
  const element = first && drawn(first);
  if (!element || below(element) >= 0) return;
  held = first;
  log.scrollTop += below(element) - MARGIN;
}

const byAge = (a, b) => (BigInt(a) < BigInt(b) ? -1 : 1);

/** Whether it stands in view to its end, or fills half of what is shown. */
function isRead(element) {
  const needed = Math.min(element.offsetHeight, log.clientHeight / 2);
  return below(element) + needed <= log.clientHeight + MARGIN;
}

/** What stands in view, or is gone, is no longer new. */
function looked() {
  const before = state.unseen.size;
  for (const id of state.unseen) {
    const message = state.messages.get(id);
    const element = message?.json.channel_id === state.place && drawn(id);
    if (!message || (element && isRead(element))) state.unseen.delete(id);
  }
  if (state.unseen.size !== before) changed("news");
}

/** Looks at the end. */
export function lookAtEnd() {
  held = "end";
}

/** Looks at a message, and has the keyboard go on from there. */
export function lookAt(id) {
  const element = drawn(id);
  if (!element) return;
  bring(element, element.offsetHeight > log.clientHeight ? "start" : "center");
  element.focus({ preventScroll: true });
}

/** Looks at something in a message, and at as much as fits of what stands above it. */
export function lookInto(element) {
  settle();
  bring(element, "end");
}

function bring(element, block) {
  element.scrollIntoView({ block });
  chosen();
  looked();
}

/** Looks at the oldest message of this channel that is new. */
export function lookAtNews() {
  const [first] = unseenIn(state.place).filter(drawn).toSorted(byAge);
  if (first) lookAt(first);
}

log.addEventListener("scroll", () => {
  if (log.clientHeight === 0) return;
  // The log has another height, and the browser moved it for that: nobody chose anything.
  if (log.clientHeight !== high) {
    settle();
    return;
  }
  // Whoever scrolls chooses where to look.
  if (Math.abs(log.scrollTop - put) > 2) chosen();
  looked();
});

/** Somebody has chosen to look where the log stands now. */
function chosen() {
  held = isAtEnd() ? "end" : "";
  log.style.overflowAnchor = held ? "none" : "auto";
  put = log.scrollTop;
}

new ResizeObserver(settle).observe(log);
