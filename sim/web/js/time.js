// Times as Discord shows them. They count by the world's clock, which can be wound forward.

import { h } from "./dom.js";
import { state, watch } from "./state.js";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** The world's time, in seconds since 1970. */
export const now = () => Date.now() / 1000 + state.ahead;

/** A point in time, in seconds since 1970. */
export function time(seconds, style = "f") {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return String(seconds);
  const full = at.toLocaleString("en-GB", STYLES.F);
  return h("time", { datetime: at.toISOString(), title: full, "data-at": seconds, "data-style": style }, words(seconds, style));
}

function words(seconds, style) {
  if (style !== "R") return new Date(seconds * 1000).toLocaleString("en-GB", STYLES[style] ?? STYLES.f);
  const ahead = seconds - now();
  const size = Math.abs(ahead);
  const [unit, length] = UNITS.find(([, length]) => size >= length) ?? UNITS.at(-1);
  return relative.format(Math.trunc(ahead / length), unit);
}

function count() {
  for (const element of document.querySelectorAll('time[data-style="R"]')) {
    const text = words(Number(element.dataset.at), "R");
    if (element.textContent !== text) element.textContent = text;
  }
}

setInterval(count, 1000);
watch(["clock"], count);
