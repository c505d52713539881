// Dashboard > Tasks: the page on which such failures sit until somebody looks.

import { h } from "../dom.js";
import { time } from "../time.js";
import { button } from "./does.js";

const LISTED = 40;

/** The page. */
export function tasks(okta) {
  if (okta.tasks.length === 0) return h("p", { class: "quiet" }, "No push is failing.");
  return [
    h("p", {}, `${okta.tasks.length} ${okta.tasks.length === 1 ? "assignment has" : "assignments have"} an error. Okta tells nobody.`),
    h("div", { class: "list" }, okta.tasks.slice(0, LISTED).map(task)),
    okta.tasks.length > LISTED && h("p", { class: "quiet" }, `and ${okta.tasks.length - LISTED} more`),
  ];
}

function task(it) {
  return h("div", { class: "card", "data-key": `${it.app}/${it.person}` },
    h("p", {}, h("strong", {}, it.login), " to ", h("strong", {}, it.label)),
    h("p", {}, it.reason),
    h("p", { class: "quiet" }, "since ", time(it.since, "R"), `, ${it.failures} FAILURE ${it.failures === 1 ? "event" : "events"} in the log`),
    button("Retry Selected", { do: "retry", app: it.app, person: it.person }, `${it.login} was pushed again.`));
}
