// Apps: Provisioning > To App, and who is assigned.

import { act, h } from "../dom.js";
import { personOf } from "../state.js";
import { does } from "./does.js";

const LISTED = 25;

/** The page. */
export const apps = (okta) => okta.apps.map(app);

function app(it) {
  return h("section", { class: "card", id: `app-${it.id}`, "data-key": it.id, "aria-labelledby": `app-name-${it.id}` },
    h("h3", { id: `app-name-${it.id}` }, it.label, h("span", { class: "quiet" }, ` ${it.kind}`)),
    it.provisions ? provisioning(it) : h("p", { class: "quiet" }, "This app knows no provisioning."),
    h("details", {},
      h("summary", {}, `${it.assigned.length} assigned`),
      h("ul", { class: "plain" }, it.assigned.slice(0, LISTED).map((one) =>
        h("li", {}, personOf(one.person)?.name ?? one.person,
          h("span", { class: "quiet" }, one.group ? ` by group ${one.group}` : " by name"),
          one.failing && h("span", { class: "state bad" }, "Failing"))),
      it.assigned.length > LISTED && h("li", { class: "quiet" }, `and ${it.assigned.length - LISTED} more`))));
}

function provisioning(it) {
  return [
    h("fieldset", { class: "settings" },
      h("legend", {}, "Provisioning > To App"),
      box(it, "Create Users", true, false),
      box(it, "Update User Attributes", true, false),
      box(it, "Deactivate Users", it.deactivates, true)),
    h("p", { class: "quiet" }, it.api
      ? "Okta's API can change this setting, so Provost may do it."
      : "Okta has no API for this app's settings: a person has to tick the box here."),
  ];
}

function box(it, label, on, changeable) {
  return h("label", { class: "box" },
    h("input", { type: "checkbox", checked: on, disabled: !changeable, "data-change": "setting", "data-app": it.id, "data-label": it.label }),
    ` ${label}`);
}

act("setting", ({ checked, dataset: { app: id, label } }) =>
  does({ do: "setting", app: id, on: checked }, `Deactivate Users is ${checked ? "on" : "off"} for ${label}.`));
