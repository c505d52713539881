// Ways to break something, and to wind time forward.

import { act, h } from "../dom.js";
import { changed, state } from "../state.js";
import { button } from "./does.js";

let chosen = "";
act("break-app", (element) => {
  chosen = element.value;
  changed("okta");
});

/** The page. */
export function breaking(okta) {
  const apps = okta.apps.filter((it) => it.provisions);
  const app = apps.find((it) => it.id === chosen) ?? apps.find((it) => !it.deactivates) ?? apps[0];
  if (!app) return null;
  chosen = app.id;
  const { okta_is_down: oktaDown, discord_is_down: discordDown } = state.health;
  const mild = app.deactivates ? ` Deactivate Users is on for ${app.label}, so nothing will fail.` : "";
  return [
    h("section", { class: "card", "aria-labelledby": "break-push" },
      h("h3", { id: "break-push" }, "A push that fails"),
      h("p", {}, h("label", { for: "break-app" }, "App "),
        h("select", { id: "break-app", "data-change": "break-app" },
          apps.map((it) => h("option", { value: it.id, selected: it.id === app.id }, it.label)))),
      way(`Somebody who was here before is assigned to ${app.label} again. Their account there is inactive.${mild}`,
        button("Somebody comes back", { do: "comes_back", app: app.id }, `Somebody came back to ${app.label}.`, "primary")),
      way(`A term begins: a group brings 200 such people to ${app.label} at once.${mild}`,
        button("A storm of 200", { do: "storm", app: app.id }, `200 people came back to ${app.label}.`, "danger")),
      way(`${app.label} has too much to do for four minutes, and somebody new is assigned. Okta tries again by itself after five; Provost leaves that alone.`,
        button("One that heals itself", { do: "busy", app: app.id }, `${app.label} puts the push off. Wind time forward to see it heal.`))),
    h("section", { class: "card", "aria-labelledby": "break-outage" },
      h("h3", { id: "break-outage" }, "An outage"),
      way(oktaDown ? "Okta cannot be reached." : "Provost cannot read the log. What happens meanwhile is caught up.",
        button(oktaDown ? "Okta is back" : "Okta goes down", { do: "okta_down", down: !oktaDown }, oktaDown ? "Okta is back." : "Okta is down.", oktaDown ? "success" : "danger")),
      way(discordDown ? "Discord cannot be reached." : "Nobody can be told anything. It is told when Discord is back.",
        button(discordDown ? "Discord is back" : "Discord goes down", { do: "discord_down", down: !discordDown }, discordDown ? "Discord is back." : "Discord is down.", discordDown ? "success" : "danger"))),
    h("section", { class: "card", "aria-labelledby": "break-time" },
      h("h3", { id: "break-time" }, "Time"),
      h("p", {}, "Wind it forward, for Okta, Discord and Provost alike."),
      h("div", { class: "row" }, [[1, "1 minute"], [10, "10 minutes"], [60, "1 hour"], [1440, "1 day"]].map(([minutes, words]) =>
        button(`+ ${words}`, { do: "wind", minutes }, `It is ${words} later.`)))),
  ];
}

const way = (words, control) => h("div", { class: "way" }, h("p", {}, words), control);
