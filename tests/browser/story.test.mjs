// The story that the page is for, by mouse.

import test from "node:test";
import { play } from "./world.mjs";

/** Turns Deactivate Users on by the clicks that Okta's console has. */
async function turnsOn(person, app) {
  for (const label of ["Edit", "Deactivate Users", "Save"]) await person.clicks(label, ".card", app);
}

test("a failure is found, explained, mended with an approval, and proven", () => play(async (person) => {
  await person.sees("#tour", "Step 1");
  await person.clicks("Assign Slack", ".item", "Dana Reyes");
  await person.message("[!] ACTION NEEDED · Slack · 1 person");
  await person.sees("#tour", "Step 2");

  await person.clicks("Diagnose", "article.message", "ACTION NEEDED · Slack");
  await person.sees("article.private", "the setting is off");
  await person.sees("article.private", "Only you can see this");
  await person.sees("#tour", "Step 3");

  await person.is("Olive");
  await person.seesNoMore("article", "Only you can see this");
  await person.clicks("Enable Deactivate Users…", "article.message", "ACTION NEEDED · Slack");
  await person.sees("dialog", "Why?");
  await person.types("Dana is back, see the ticket");
  await person.clicks("Submit", "dialog");
  await person.clicks("Enable Deactivate Users", "article.private", "please confirm");
  await person.message("[?] WAITING FOR APPROVAL · Slack · R1");
  await person.sees("#tour", "Step 4");

  // Olive may ask, and approve nothing.
  await person.clicks("Approve", "article.message", "WAITING FOR APPROVAL · Slack · R1");
  await person.sees("article.private", "You may not use this");

  await person.is("Ada");
  await person.clicks("Approve", "article.message", "WAITING FOR APPROVAL · Slack · R1");
  await person.message("[✓] DONE · Slack · R1");
  await person.sees("#tour", "Step 5");

  await person.is("Olive");
  await person.clicks("Retry…", "article.message", "· Slack · 1 person cannot");
  await person.sees("article.private", "whom to push again");
  await person.clicks("Retry all 1", "article.private", "whom to push again");
  await person.clicks("Retry", "article.private", "please confirm");
  await person.message("[✓] FIXED · Slack · 1 person provisioned");
  await person.message("[✓] FIXED · Slack · R2");
  await person.sees("#tour", "Step 6");
}));

test("where there is no API a person is guided, and seen", () => play(async (person) => {
  await person.clicks("Break something", "#okta-tabs");
  await person.page.select("#break-app", await person.page.$eval("#break-app", (it) => [...it.options].find((one) => one.text === "Airbase").value));
  await person.clicks("Somebody comes back", "#okta-panel");
  await person.message("[!] ACTION NEEDED · Airbase");
  await person.is("Olive");
  await person.clicks("Guide me…", "article.message", "ACTION NEEDED · Airbase");
  await person.sees("dialog", "Why?");
  await person.types("people come back every term");
  await person.clicks("Submit", "dialog");
  await person.clicks("Enable Deactivate Users", "article.private", "please confirm");
  await person.is("Abe");
  await person.clicks("Approve", "article.message", "WAITING FOR APPROVAL · Airbase");
  await person.message("[~] IN PROGRESS · Airbase · R1");
  await person.clicks("Apps", "#okta-tabs");
  await turnsOn(person, "Airbase");
  await person.message("[✓] DONE · Airbase · R1");
}));

test("a stranger is refused, and a denial says why", () => play(async (person) => {
  await person.is("Stranger");
  await person.page.focus("#say");
  await person.types("/okta tasks");
  await person.presses("Enter", "Enter");
  await person.sees("article.private", "You may not use this");

  await person.clicks("Assign Slack", ".item", "Dana Reyes");
  await person.is("Olive");
  await person.clicks("Enable Deactivate Users…", "article.message", "ACTION NEEDED · Slack");
  await person.sees("dialog", "Why?");
  await person.types("Dana is back, see the ticket");
  await person.clicks("Submit", "dialog");
  await person.clicks("Enable Deactivate Users", "article.private", "please confirm");
  await person.is("Abe");
  await person.clicks("Deny…", "article.message", "WAITING FOR APPROVAL · Slack · R1");
  await person.sees("dialog", "Why?");
  await person.types("ask the owner of Slack first");
  await person.clicks("Submit", "dialog");
  await person.message("[=] DENIED · Slack · R1");
}));

test("a storm is one card, and its people are pushed in waves", () => play(async (person) => {
  await person.clicks("Break something", "#okta-tabs");
  await person.page.select("#break-app", await person.page.$eval("#break-app", (it) => [...it.options].find((one) => one.text === "Figma").value));
  await person.clicks("A storm of 200", "#okta-panel");
  await person.message("[!] ACTION NEEDED · Figma · 200 people");
  await person.clicks("Tasks", "#okta-tabs");
  await person.sees("#okta-panel", "200 assignments have an error");

  await person.clicks("Apps", "#okta-tabs");
  await turnsOn(person, "Figma");
  await person.is("Olive");
  await person.clicks("Retry…", "article.message", "· Figma · 200 people");
  await person.clicks("Retry all 200", "article.private", "whom to push again");
  await person.clicks("Retry", "article.private", "please confirm");
  await person.is("Ada");
  await person.clicks("Approve", "article.message", "WAITING FOR APPROVAL · Figma · R1");
  await person.message("1 of 200");
  await person.message("[✓] FIXED · Figma · R1", 120_000);
  await person.message("200 proven, 0 failed");
  await person.message("[✓] FIXED · Figma · 200 people provisioned");
}));

test("files open, threads open, menus of messages work", () => play(async (person) => {
  await person.clicks("Assign Slack", ".item", "Dana Reyes");
  await person.message("ACTION NEEDED · Slack");
  await person.clicks("More actions", "article.message", "ACTION NEEDED · Slack");
  await person.clicks("Diagnose with Okta", ".menu");
  await person.sees("article.private", "the setting is off");

  await person.page.focus("#say");
  await person.types("/okta tas");
  await person.presses("Enter", "Enter");
  await person.clicks("Open", "article.private .file");
  await person.sees("dialog pre", "Dana");
  await person.presses("Escape");
  await person.page.waitForFunction(() => !document.querySelector("dialog"));
}));
