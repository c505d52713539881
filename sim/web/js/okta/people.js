// People: who is there, which apps they have, and the account behind each.

import { act, h } from "../dom.js";
import { changed } from "../state.js";
import { button } from "./does.js";

/** No more are listed at once. */
const LISTED = 30;

let typed = "";
act("find-person", (element) => {
  typed = element.value;
  changed("okta");
});

/** The page. */
export function people(okta) {
  const fits = okta.people.filter((it) => `${it.name} ${it.login}`.toLowerCase().includes(typed.toLowerCase()));
  // Who came last is whom one looks for.
  const listed = fits.toReversed().slice(0, LISTED);
  return [
    h("p", { class: "find" },
      h("label", { for: "find-person" }, "Find somebody "),
      h("input", { id: "find-person", type: "search", autocomplete: "off", "data-input": "find-person" })),
    h("div", { class: "list" }, listed.map((it) => person(okta, it))),
    fits.length > LISTED && h("p", { class: "quiet" }, `and ${fits.length - LISTED} more`),
    fits.length === 0 && h("p", { class: "quiet" }, "Nobody is called that."),
  ];
}

function person(okta, it) {
  const rows = okta.apps.filter((app) => app.provisions).map((app) => appRow(it, app));
  const failing = okta.tasks.filter((task) => task.person === it.id).length;
  return h("details", { class: "item", "data-key": it.id, open: it.name === "Dana Reyes" },
    h("summary", {},
      h("span", { class: "item-name" }, it.name),
      h("span", { class: "quiet" }, it.login),
      !it.active && h("span", { class: "state off" }, "Deactivated"),
      failing > 0 && h("span", { class: "state bad" }, "Failing")),
    h("div", { class: "item-body" },
      h("div", { class: "app-rows" }, rows),
      it.active
        ? button("Deactivate in Okta", { do: "leave", person: it.id }, `${it.name} was deactivated, and lost every app.`, "danger")
        : button("Activate in Okta", { do: "return", person: it.id }, `${it.name} is active again, without any app.`)));
}

function appRow(it, app) {
  const assigned = app.assigned.find((one) => one.person === it.id);
  const account = assigned?.account ?? it.left_behind.find(([id]) => id === app.id)?.[1] ?? "none";
  const about = { app: app.id, person: it.id };
  return h("div", { class: "app-row", role: "group", "aria-label": `${it.name} in ${app.label}` },
    h("span", { class: "app-row-name" }, app.label),
    h("span", { class: "quiet" }, assigned ? assigned.group ? `by group ${assigned.group}` : "assigned by name" : "not assigned"),
    h("span", { class: "quiet" }, accountWords(account), assigned?.failing && h("span", { class: "state bad" }, "Failing")),
    h("span", { class: "app-row-acts" },
      assigned
        ? button(`Unassign ${app.label}`, { do: "unassign", ...about }, `${app.label} was taken from ${it.name}.`)
        : it.active && button(`Assign ${app.label}`, { do: "assign", ...about }, `${app.label} was assigned to ${it.name}.`, "primary"),
      account === "active" && button(`Close account`, { do: "account", ...about, open: false }, `${app.label}'s own administrator closed the account. Okta does not know.`),
      account === "inactive" && button(`Open account`, { do: "account", ...about, open: true }, `${app.label}'s own administrator opened the account. Okta does not know.`)));
}

const accountWords = (account) =>
  ({ none: "no account in the app", active: "account: active", inactive: "account: inactive" })[account];
