// Apps: Provisioning > To App, and who is assigned.

import { act, h } from "../dom.js";
import { afterwardsDo, appOf, changed, personOf } from "../state.js";
import { does } from "./does.js";

const LISTED = 25;

/** The app whose settings are being edited, and whether Deactivate Users is ticked there, saved or not. */
let edited = { app: "", on: false };

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

/** As in Okta's console: Edit, the boxes, Save. */
function provisioning(it) {
  const edits = edited.app === it.id;
  const on = edits ? edited.on : it.deactivates;
  return [
    h("fieldset", { class: "settings" },
      h("legend", {}, "Provisioning > To App"),
      box("Create Users", { checked: true, disabled: true }),
      box("Update User Attributes", { checked: true, disabled: true }),
      box("Deactivate Users", { checked: on, disabled: !edits, "data-change": "setting" }),
      h("div", { class: "row" }, edits
        ? [button("Save", "setting-save", it, "primary", on === it.deactivates), button("Cancel", "setting-cancel", it)]
        : button("Edit", "setting-edit", it))),
    h("p", { class: "quiet" }, it.api
      ? "Okta's API can change this setting, so Provost may do it."
      : "Okta has no API for this app's settings: a person has to change them here."),
  ];
}

const box = (label, props) => h("label", { class: "box" }, h("input", { type: "checkbox", ...props }), ` ${label}`);

const button = (label, name, it, style = "secondary", unusable = false) =>
  h("button", { type: "button", class: `button ${style}`, "data-key": name, "data-act": name, "data-app": it.id,
    "aria-disabled": unusable ? "true" : null }, label);

/** Begins or ends editing, and has the keyboard go on there. */
function edit(id, begins) {
  edited = { app: begins ? id : "", on: appOf(id)?.deactivates ?? false };
  changed("okta");
  afterwardsDo(() => document.querySelector(`#app-${id} .settings :is(input:enabled, [data-act="setting-edit"])`)?.focus());
}

act("setting-edit", ({ dataset }) => edit(dataset.app, true));
act("setting-cancel", ({ dataset }) => edit(dataset.app, false));
act("setting", ({ checked }) => {
  edited.on = checked;
  changed("okta");
});
act("setting-save", async ({ dataset: { app: id } }) => {
  const { on } = edited;
  const it = appOf(id);
  if (!await does({ do: "setting", app: id, on }, `Deactivate Users is ${on ? "on" : "off"} for ${it.label}.`)) return;
  // The feed brings it, too, but maybe not before the box is drawn again.
  appOf(id).deactivates = on;
  edit(id, false);
});
