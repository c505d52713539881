// The same story without a mouse: every step by Tab, arrows, Enter, Space and Escape, and the focus is always seen.

import test from "node:test";
import { play } from "./world.mjs";

test("everything can be done by keyboard alone", () => play(async (person) => {
  const be = async (name) => {
    await person.page.evaluate(() => document.activeElement?.blur());
    await person.tabsTo(".person input");
    for (let i = 0; i < 6; i += 1) {
      const is = await person.page.evaluate(() => document.querySelector(".person:has(:checked)").textContent);
      if (is.includes(name)) return;
      await person.presses("ArrowRight");
    }
    throw new Error(`nobody is ${name}`);
  };
  const inMessage = async (text, label) => {
    await person.message(text);
    await person.tabsTo("article button, article a", label);
  };

  await person.tabsTo("button", "Assign Slack");
  await person.presses("Enter");
  await be("Olive");
  await person.message("ACTION NEEDED · Slack");

  // A command, its option completed by the bot.
  await person.tabsTo("#say");
  await person.types("/okta ena");
  await person.presses("Enter");
  await person.sees("#offers", "Slack");
  await person.presses("Enter");
  await person.sees("#hint", "");
  await person.types("Dana is back, see the ticket");
  await person.presses("Enter");
  await person.message("please confirm");
  await person.tabsTo("article button", "Enable Deactivate Users", "Shift+Tab");
  await person.presses("Enter");
  await person.message("WAITING FOR APPROVAL · Slack · R1");

  await be("Ada");
  await inMessage("WAITING FOR APPROVAL · Slack · R1", "Approve");
  await person.presses("Space");
  await person.message("[✓] DONE · Slack · R1");

  // A dialog traps the focus, and Escape leaves it.
  await be("Olive");
  await person.message("· Slack · 1 person cannot");
  await inMessage("· Slack · 1 person cannot", "Retry…");
  await person.presses("Enter");
  await person.message("whom to push again");
  await person.tabsTo(".select-button");
  await person.presses("Enter");
  await person.sees(".options", "Dana");
  await person.presses("Space");
  await person.message("1 ticked");
  await person.tabsTo("article.private button", "Retry selected");
  await person.presses("Enter");
  await person.message("please confirm");
  await person.tabsTo("article.private button", "Retry");
  await person.presses("Enter");
  await person.message("[✓] FIXED · Slack · 1 person provisioned");

  // The Okta side: its tabs by arrows.
  await person.tabsTo("[role=tab]");
  await person.presses("ArrowRight");
  await person.sees("#okta-panel", "Provisioning > To App");
}));
