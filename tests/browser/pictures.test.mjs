// The page in several states, in four shapes: axe-core finds no fault, nothing is too wide, and a picture is kept where
// PICTURES names a folder.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { play } from "./world.mjs";

const SHAPES = [
  { name: "wide-light", width: 1280, height: 900, dark: false },
  { name: "wide-dark", width: 1280, height: 900, dark: true },
  { name: "narrow-light", width: 390, height: 844, dark: false },
  { name: "narrow-dark", width: 390, height: 844, dark: true },
];

for (const shape of SHAPES) {
  test(`the page is accessible and fits: ${shape.name}`, () => play(async (person) => {
    const narrow = shape.width < 600;
    const side = async (label) => narrow && person.clicks(label, ".sides");
    const state = async (name) => {
      await person.fits(`${shape.name}, ${name}`);
      await person.isAccessible(`${shape.name}, ${name}`);
      const folder = process.env.PICTURES;
      if (!folder) return;
      await mkdir(folder, { recursive: true });
      await person.page.screenshot({ path: join(folder, `${shape.name}-${name}.png`) });
    };
    await state("1-begin");
    await side("Okta");
    await state("2-people");
    await person.clicks("Assign Slack", ".item", "Dana Reyes");
    await person.clicks("Tasks", "#okta-tabs");
    await person.sees("#okta-panel", "User account is inactive");
    await state("3-tasks");
    await side("Discord");
    await person.message("ACTION NEEDED · Slack · 1 person");
    await state("4-alert");
    await person.clicks("Diagnose", "article.message", "ACTION NEEDED · Slack");
    await person.sees("article.private", "the setting is off");
    await state("5-diagnosis");

    await person.is("Olive");
    await person.page.focus("#say");
    await person.types("/okta");
    await person.sees("#offers", "/okta enable");
    await state("6-commands");
    await person.types(" ena");
    await person.presses("Enter");
    await person.sees("#offers", "Slack");
    await state("7-autocomplete");
    await person.presses("Enter", "Escape");
    await person.clicks("Enable Deactivate Users…", "article.message", "ACTION NEEDED · Slack");
    await person.sees("dialog", "Why?");
    await state("8-dialog");
    await person.types("Dana is back, see the ticket");
    await person.clicks("Submit", "dialog");
    await person.sees("article.private", "please confirm");
    await state("9-confirmation");
    await person.clicks("Enable Deactivate Users", "article.private", "please confirm");
    await person.message("WAITING FOR APPROVAL · Slack · R1");
    await person.is("Ada");
    await person.sees("article.rings", "WAITING FOR APPROVAL");
    await state("10-approval");
    await person.clicks("Approve", "article.message", "WAITING FOR APPROVAL · Slack · R1");
    await person.message("[✓] DONE · Slack · R1");
    await state("11-enabled");

    await person.is("Olive");
    await person.clicks("Retry…", "article.message", "· Slack · 1 person cannot");
    await person.clicks("", ".select", "");
    await person.sees(".options", "Dana");
    await state("12-menu");
    await person.presses("Escape");
    await person.clicks("Retry all 1", "article.private", "whom to push again");
    await person.clicks("Retry", "article.private", "please confirm");
    await person.message("[✓] FIXED · Slack · 1 person provisioned");
    await state("13-fixed");
    await person.clicks("", ".message .thread");
    await person.sees("#places", "Thread:");
    await state("14-thread");
    await side("Okta");
    for (const [number, tab] of [["15-apps", "Apps"], ["16-log", "Log"], ["17-break", "Break something"]]) {
      await person.clicks(tab, "#okta-tabs");
      if (tab === "Apps") await person.clicks("Edit", ".card", "Airbase");
      await state(number);
    }
    await person.clicks("Okta goes down", "#okta-panel");
    await person.sees("#trouble", "Okta is down");
    await state("18-outage");
  }, shape));
}
