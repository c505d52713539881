// The System Log, newest first.

import { h } from "../dom.js";
import { time } from "../time.js";

/** The page. */
export function log(okta) {
  return [
    h("p", { class: "quiet" }, "What Provost reads. Everything it knows, it has from here or by asking Okta."),
    h("ol", { class: "plain events" }, okta.log.map(entry)),
  ];
}

function entry(it) {
  return h("li", { class: "event", "data-key": it.id },
    h("p", {}, h("span", { class: it.result === "FAILURE" ? "state bad" : "state" }, it.result), " ", h("code", {}, it.type)),
    h("p", {}, [it.targets.join(", "), it.detail, it.reason].filter(Boolean).join(": ")),
    h("p", { class: "quiet" }, `by ${it.actor}, `, time(Date.parse(it.at) / 1000, "R"), ", event ", h("code", {}, it.id)));
}
