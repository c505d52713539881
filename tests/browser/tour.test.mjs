// The tour, as somebody plays it who goes by it alone: each step shows the button that it names.

import assert from "node:assert/strict";
import test from "node:test";
import { play } from "./world.mjs";

const SHAPES = [{ name: "wide", width: 1280, height: 800 }, { name: "narrow", width: 390, height: 844 }];

/** Has the tour show where its step is done: what is shown stands in view, marked, has the focus, and is called so. */
async function isShown(person, label) {
  // A message may come meanwhile, and what the step names with it.
  const begun = Date.now();
  let found;
  do {
    await person.clicks("Show me", "#tour");
    await person.page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => setTimeout(resolve)), 150)));
    found = await person.page.evaluate(() => {
      const it = document.activeElement;
      const { top, bottom, height } = it.getBoundingClientRect();
      const pane = it.closest("#log, #okta-panel, #composer")?.getBoundingClientRect();
      return {
        words: (it.labels?.[0] ?? it).textContent.trim(),
        marked: it.closest("[data-shown]") !== null,
        seen: Boolean(pane) && height > 0 && top >= pane.top && bottom <= pane.bottom,
      };
    });
  } while (!(found.words.startsWith(label) && found.marked && found.seen) && Date.now() - begun < 10_000);
  assert.deepEqual({ ...found, words: found.words.slice(0, label.length) }, { words: label, marked: true, seen: true });
}

for (const shape of SHAPES) {
  test(`each step shows what it names: ${shape.name}`, () => play(async (person) => {
    const step = (number) => person.sees("#tour", `Step ${number} of 13`);
    const does = async (label) => {
      await isShown(person, label);
      await person.presses("Enter");
    };
    const chooses = async (app) => {
      await isShown(person, "App");
      await person.page.select("#break-app", await person.page.$eval("#break-app", (it, app) => [...it.options].find((one) => one.text === app).value, app));
    };
    const saysWhy = async () => {
      await person.sees("dialog", "Why?");
      await person.types("people come back every term");
      await person.clicks("Submit", "dialog");
      await person.sees("article.private", "please confirm");
    };
    const retries = async (app) => {
      await does("Retry…");
      await person.sees("article.private", `${app}: whom to push again`);
      await does("Retry all 1");
      await person.sees("article.private", "please confirm");
      await does("Retry");
    };

    await step(1);
    // At a phone's width Okta is on the other side: then the way to it is marked.
    await person.page.waitForFunction((narrow) => document.querySelector('[data-act="show-me"]').hasAttribute("data-away") === narrow, { timeout: 10_000 }, shape.name === "narrow");
    await does("Assign Slack");
    // The card is there before the next step speaks of it.
    await step(2);
    assert.ok(await person.page.evaluate(() => document.getElementById("log").textContent.includes("ACTION NEEDED · Slack")));
    await does("Diagnose");
    await step(3);
    await person.clicks("Be Olive", "#tour");
    await does("Enable Deactivate Users…");
    await saysWhy();
    await does("Enable Deactivate Users");
    await step(4);
    await person.clicks("Be Ada", "#tour");
    await does("Approve");
    await step(5);
    await person.clicks("Be Olive", "#tour");
    await retries("Slack");
    await step(6);
    await does("Somebody comes back");
    await step(7);
    await does("Guide me…");
    await saysWhy();
    await does("Enable Deactivate Users");
    await step(8);
    await person.clicks("Be Abe", "#tour");
    await does("Approve");
    await step(9);
    await does("Edit");
    await isShown(person, "Deactivate Users");
    await person.presses("Space");
    await does("Save");
    await step(10);
    await person.clicks("Be Olive", "#tour");
    await retries("Airbase");
    await step(11);
    await chooses("Figma");
    await does("A storm of 200");
    await step(12);
    assert.ok(await person.page.evaluate(() => document.getElementById("log").textContent.includes("Figma · 200 people")));
    await does("Claim");
    await step(13);
    await person.clicks("Be Stranger", "#tour");
    await isShown(person, "");
    await person.types("/okta tasks");
    await person.presses("Enter", "Enter");
    await person.sees("#tour", "That was the tour");
    await person.seesNoMore("#tour button", "Show me");
    await person.clicks("Be Root", "#tour");
    await person.clicks("Leave", "#tour");
    await person.seesNoMore("#tour", "Done");
  }, shape));
}

test("what a step names is found on another tab, folded away, and from another channel", () => play(async (person) => {
  await person.page.evaluate(() => { document.querySelector(".item").open = false; });
  await person.clicks("Log", "#okta-tabs");
  await person.sees("#tab-people[data-shown]", "People");
  await isShown(person, "Assign Slack");
  await person.presses("Enter");
  await person.sees("#tour", "Step 2");
  await person.clicks("# audit", "#places");
  await person.sees("#places [aria-current]", "# audit");
  await isShown(person, "Diagnose");
  await person.sees("#places [aria-current]", "# provisioning");
}));

test("one button of the tour leads the keyboard on, and keeps the focus", () => play(async (person) => {
  await person.is("Olive");
  await person.clicks("Assign Slack", ".item", "Dana Reyes");
  await person.sees("#tour", "Step 2");
  await person.page.evaluate(() => document.activeElement?.blur());
  await person.tabsTo("#tour button", "Be Vic");
  await person.presses("Enter");
  await person.sees("#tour button", "Show me");
  await person.tabsTo("#tour button", "Show me");
  await person.presses("Enter");
  await person.page.waitForFunction(() => document.activeElement?.textContent === "Diagnose");
  await person.showsFocus();
}));

test("a private answer can be dismissed, by keyboard too", () => play(async (person) => {
  await person.clicks("Assign Slack", ".item", "Dana Reyes");
  await person.clicks("Diagnose", "article.message", "ACTION NEEDED · Slack");
  await person.sees("article.private", "the setting is off");
  await person.page.focus("#say");
  await person.tabsTo("article.private button", "Dismiss message", "Shift+Tab");
  await person.presses("Enter");
  await person.seesNoMore("article", "the setting is off");
  await person.showsFocus();
}));

test("a setting is changed as in Okta's console: Edit, the box, Save or Cancel", () => play(async (person) => {
  await person.clicks("Apps", "#okta-tabs");
  for (const [ends, is] of [["Cancel", false], ["Save", true]]) {
    await person.clicks("Edit", ".card", "Airbase");
    await person.page.waitForFunction(() => document.activeElement?.matches(".settings input"));
    await person.presses("Space");
    await person.clicks(ends, ".card", "Airbase");
    await person.sees(".card button", "Edit");
    await person.page.waitForFunction(() => document.activeElement?.textContent === "Edit");
    if (is) await person.sees("#okta-said", "Deactivate Users is on for Airbase.");
    await person.page.waitForFunction((is) => {
      const card = [...document.querySelectorAll(".card")].find((it) => it.textContent.startsWith("Airbase"));
      return !document.querySelector(".settings input:enabled") && card.querySelectorAll(".settings input")[2].checked === is;
    }, {}, is);
  }
}));
