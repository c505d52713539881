// What one caused is before one's eyes; what others caused is hinted at; nobody who reads above is moved. And nothing
// has to be scrolled sideways, however many tasks there are.

import assert from "node:assert/strict";
import test from "node:test";
import { play } from "./world.mjs";

const SHAPES = [{ name: "wide", width: 1280, height: 800 }, { name: "narrow", width: 390, height: 844 }];

/** Where the log stands. */
const scrolled = (person) => person.page.$eval("#log", (it) => Math.round(it.scrollTop));

/** Reads at the very top, as somebody with a mouse wheel does. */
async function readsAbove(person) {
  await person.page.$eval("#log", (it) => it.scrollTo({ top: 0 }));
  await person.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
}

for (const shape of SHAPES) {
  const narrow = shape.width < 600;

  test(`one's own answer is seen: ${shape.name}`, () => play(async (person) => {
    const side = async (label) => narrow && person.clicks(label, ".sides");
    await side("Okta");
    await person.clicks("Assign Slack", ".item", "Dana Reyes");
    await person.sees("#tab-tasks", "1");
    await side("Discord");
    await person.message("ACTION NEEDED · Slack");
    await person.isInView("article.message", "ACTION NEEDED · Slack");

    await person.clicks("Diagnose", "article.message", "ACTION NEEDED · Slack");
    await person.isInView("article.private", "the setting is off");

    await readsAbove(person);
    await person.page.focus("#say");
    await person.types("/okta tas");
    await person.presses("Enter", "Enter");
    await person.isInView("article.private:has(.file)", "");

    await person.is("Olive");
    await readsAbove(person);
    await person.clicks("Enable Deactivate Users…", "article.message", "ACTION NEEDED · Slack");
    await person.sees("dialog", "Why?");
    await person.types("Dana is back, see the ticket");
    await person.clicks("Submit", "dialog");
    await person.isInView("article.private", "please confirm");
    await person.clicks("Enable Deactivate Users", "article.private", "please confirm");
    await person.message("WAITING FOR APPROVAL · Slack · R1");
    await person.isInView("article.private", "R1");
  }, shape));

  test(`whoever reads above stays there, and is told of what is new: ${shape.name}`, () => play(async (person) => {
    const side = async (label) => narrow && person.clicks(label, ".sides");
    await side("Okta");
    await person.clicks("Assign Slack", ".item", "Dana Reyes");
    await person.sees("#tab-tasks", "1");
    await side("Discord");
    await person.clicks("Diagnose", "article.message", "ACTION NEEDED · Slack");
    await person.sees("article.private", "the setting is off");
    await readsAbove(person);

    await side("Okta");
    await person.clicks("Assign Airbase", ".item", "Dana Reyes");
    if (narrow) await person.sees(".sides .badge", "1");
    await side("Discord");
    await person.message("ACTION NEEDED · Airbase");
    await person.sees("#news", "New message");
    assert.equal(await scrolled(person), 0, "the log was moved");

    await person.page.focus("#say");
    await person.tabsTo("#news button", "", "Shift+Tab");
    await person.presses("Enter");
    await person.isInView("article.message", "ACTION NEEDED · Airbase");
    await person.showsFocus();
    await person.page.waitForFunction(() => !document.querySelector("#news button"));
  }, shape));
}

test("at every width nothing is scrolled sideways, with a three-digit number of tasks", () => play(async (person) => {
  await person.clicks("Break something", "#okta-tabs");
  await person.page.select("#break-app", await person.page.$eval("#break-app", (it) => [...it.options].find((one) => one.text === "Figma").value));
  await person.clicks("A storm of 200", "#okta-panel");
  await person.sees("#tab-tasks", "200");
  await person.message("ACTION NEEDED · Figma");
  for (const width of [1600, 1440, 1280, 1100, 1024, 961, 960, 768, 600, 480, 412, 390]) {
    await person.page.setViewport({ width, height: 844 });
    for (const side of ["chat", "okta"]) {
      if (width <= 960) await person.clicks("", `.sides [data-side=${side}]`);
      await person.fits(`${side} at ${width}`);
    }
  }
}));
