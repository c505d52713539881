// The Okta side: its tabs.

import { act, arrows, h, show } from "./dom.js";
import { apps } from "./okta/apps.js";
import { breaking } from "./okta/breaking.js";
import { log } from "./okta/log.js";
import { people } from "./okta/people.js";
import { tasks } from "./okta/tasks.js";
import { openSide } from "./sides.js";
import { afterwardsDo, changed, state, watch } from "./state.js";

const TABS = [
  ["people", "People", people],
  ["apps", "Apps", apps],
  ["tasks", "Tasks", tasks],
  ["log", "Log", log],
  ["break", "Break something", breaking],
];

const tabs = document.getElementById("okta-tabs");
const panel = document.getElementById("okta-panel");
let open = "people";

function render() {
  const failing = state.okta?.tasks.length ?? 0;
  show(tabs, h("div", { role: "tablist", "aria-label": "Okta" }, TABS.map(([name, label]) =>
    h("button", { type: "button", role: "tab", id: `tab-${name}`, "data-key": name, "data-act": "tab", "data-name": name,
      "aria-selected": String(name === open), "aria-controls": "okta-panel", tabindex: name === open ? 0 : -1 },
    label, name === "tasks" && failing > 0 && h("span", { class: "badge" }, failing)))));
  panel.setAttribute("aria-labelledby", `tab-${open}`);
  const [, , body] = TABS.find(([name]) => name === open);
  show(panel, state.okta && h("div", { "data-key": open }, signedIn(state.okta), body(state.okta)));
}

const signedIn = (okta) => h("p", { class: "quiet" },
  "Here you are ", h("strong", {}, okta.admin), ", an Okta admin, whoever you are in Discord.");

arrows(tabs, "[role=tab]", { follow: true });
watch(["okta", "health", "clock"], render);

/** Whether that tab is the open one. */
export const isTabOpen = (name) => open === name;

/** Opens a tab. */
export function openTab(name) {
  open = name;
  changed("okta");
  panel.scrollTop = 0;
}

act("tab", ({ dataset }) => openTab(dataset.name));

// A link of a card to Okta's console leads to the same place on this page.
act("console", ({ dataset: { path } }, event) => {
  event.preventDefault();
  openSide("okta");
  const app = state.okta?.apps.find((it) => path.includes(it.id));
  openTab(app ? "apps" : path.includes("tasks") ? "tasks" : "log");
  afterwardsDo(() => {
    const target = app && document.getElementById(`app-${app.id}`);
    target?.scrollIntoView({ block: "start" });
    (target?.querySelector(".settings button, .settings input:enabled") ?? panel).focus();
  });
});
