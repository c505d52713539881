// A demo of its own for each test, a browser to look at it, and what a person does there with a mouse or by keyboard.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";

/** Long, since the machine may be busy; only what never comes is waited for so long. */
const PATIENCE = 45_000;

const found = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = found.find((path) => path && existsSync(path));

/**
 * Runs the demo until its own input ends, which is also when the process that runs these tests is killed: then nobody
 * else is left to end it. The demo alone keeps the output open.
 */
const KEEPER = '"$0" demo --no-open --listen 127.0.0.1:0 & exec >&-; read -r _; kill -TERM $!; wait $!';

/** Starts the program's demo; with its address, and a way to end it. */
async function demo() {
  const program = spawn("sh", ["-c", KEEPER, process.env.PROVOST], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  const url = await new Promise((resolve, reject) => {
    program.stdout.on("data", (data) => {
      said += data;
      const url = /http:\/\/\S+/.exec(said);
      if (url) resolve(url[0]);
    });
    program.stdout.on("end", () => reject(new Error(`the demo has ended: ${said}`)));
  });
  const ended = new Promise((resolve) => { program.on("exit", resolve); });
  return { url, async ends() { program.stdin.end(); return ended; } };
}

/** Runs a story in a browser, on a demo of its own. */
export async function play(story, { width = 1280, height = 900, dark = false } = {}) {
  const running = await demo();
  // By a pipe: where this process is killed, the browser sees it closed and ends.
  const browser = await puppeteer.launch({ executablePath, pipe: true, args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"] });
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
    await page.goto(running.url);
    const person = new Person(page);
    await person.sees("#people", "Stranger");
    await story(person);
    // What the demo refuses on purpose is answered with 422, which the browser complains of.
    assert.deepEqual(complaints.filter((it) => !it.includes("422")), []);
  } finally {
    await browser.close();
    assert.equal(await running.ends(), 0, "the demo does not end well");
  }
}

/** Somebody in front of the page. */
export class Person {
  constructor(page) {
    this.page = page;
  }

  /** Waits until an element that matches holds the text, and answers with the last such. */
  async sees(selector, text, patience = PATIENCE) {
    try {
      const handle = await this.page.waitForFunction(
        (selector, text) => [...document.querySelectorAll(selector)].filter((it) => it.checkVisibility() && it.textContent.includes(text)).at(-1),
        { timeout: patience }, selector, text);
      return handle.asElement();
    } catch {
      const body = await this.page.evaluate(() => document.body.innerText);
      throw new Error(`“${text}” is not seen in ${selector}; the page says:\n${body}`);
    }
  }

  /** Waits until nothing that matches holds the text. */
  async seesNoMore(selector, text) {
    await this.page.waitForFunction(
      (selector, text) => ![...document.querySelectorAll(selector)].some((it) => it.textContent.includes(text)),
      { timeout: PATIENCE }, selector, text);
  }

  /** The message with this text. */
  message(text, patience = PATIENCE) {
    return this.sees("article.message", text, patience);
  }

  /** Clicks something with this label, in the newest element that matches and holds `text`. */
  async clicks(label, selector = "body", text = "") {
    await this.sees(selector, text);
    // What is clicked may be drawn anew meanwhile, so it is looked for again until it was hit.
    const begun = Date.now();
    for (;;) {
      const target = await this.page.evaluateHandle((selector, text, label) => {
        const inside = [...document.querySelectorAll(selector)].filter((it) => it.checkVisibility() && it.textContent.includes(text)).at(-1);
        const all = inside?.matches("button") ? [inside]
          : [...(inside?.querySelectorAll("button, a, summary, label, [role=option], [role=tab]") ?? [])];
        const usable = all.filter((it) => it.checkVisibility() && it.getAttribute("aria-disabled") !== "true" && !it.disabled);
        return usable.find((it) => it.textContent.trim() === label || it.getAttribute("aria-label") === label)
          ?? usable.find((it) => it.textContent.trim().startsWith(label));
      }, selector, text, label);
      const element = target.asElement();
      try {
        if (element && await this.hits(element)) return;
      } catch (error) {
        if (Date.now() - begun > PATIENCE) throw error;
      }
      if (Date.now() - begun > PATIENCE) throw new Error(`there is nothing called “${label}” in ${selector} with “${text}”`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /**
   * Clicks the element once it stands still: a new message moves what is above it. Whether it was hit; what else is hit
   * instead, since things moved at the last moment, does not notice.
   */
  async hits(element) {
    await element.scrollIntoView();
    const stands = await element.evaluate(async (it) => {
      const place = () => JSON.stringify(it.getBoundingClientRect());
      const before = place();
      await new Promise((resolve) => setTimeout(resolve, 60));
      if (!it.isConnected || place() !== before) return false;
      globalThis.hit = false;
      globalThis.aim = new AbortController();
      document.addEventListener("click", (event) => {
        globalThis.hit = it.contains(event.target);
        if (globalThis.hit) globalThis.aim.abort();
        else {
          event.stopImmediatePropagation();
          event.preventDefault();
        }
      }, { capture: true, signal: globalThis.aim.signal });
      return true;
    });
    if (!stands) return false;
    try {
      await element.click();
    } finally {
      // The next click is another's: a key's, or the next try.
      await this.page.evaluate(() => globalThis.aim.abort());
    }
    return this.page.evaluate(() => globalThis.hit);
  }

  /** Becomes somebody else. */
  async is(name) {
    await this.clicks(name, "#people", name);
    await this.page.waitForFunction((name) => document.querySelector(".person:has(:checked)")?.textContent.includes(name), { timeout: PATIENCE }, name);
  }

  /** Types into what has the focus. */
  types(text) {
    return this.page.keyboard.type(text, { delay: 5 });
  }

  /** Presses keys, one after the other. */
  async presses(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Goes on with Tab until what has the focus matches and holds the text. */
  async tabsTo(selector, text = "", key = "Tab") {
    for (let i = 0; i < 150; i += 1) {
      const there = await this.page.evaluate((selector, text) => {
        const it = document.activeElement;
        return Boolean(it?.matches(selector) && `${it.textContent} ${it.getAttribute("aria-label") ?? ""}`.includes(text));
      }, selector, text);
      if (there) return this.showsFocus();
      if (key === "Shift+Tab") {
        await this.page.keyboard.down("Shift");
        await this.page.keyboard.press("Tab");
        await this.page.keyboard.up("Shift");
      } else await this.page.keyboard.press(key);
    }
    throw new Error(`${key} does not lead to ${selector} with “${text}”`);
  }

  /** Whoever has no mouse must see where they are. */
  async showsFocus() {
    const seen = await this.page.evaluate(() => {
      for (let it = document.activeElement; it && it !== document.body; it = it.parentElement) {
        if (getComputedStyle(it).outlineStyle !== "none") return true;
      }
      return false;
    });
    assert.ok(seen, "the focus is not seen");
  }

  /** The page has no fault that axe-core knows. */
  async isAccessible(when) {
    axe ??= await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await this.page.evaluate(axe);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run());
    const words = violations.map((it) => `${it.id}: ${it.help}\n${it.nodes.map((node) => `    ${node.target} ${node.any?.[0]?.message ?? ""}`).join("\n")}`);
    assert.equal(words.join("\n"), "", when);
  }

  /** Nothing is wider than the page, nor than the rows of tabs. */
  async fits(when) {
    const wide = await this.page.evaluate(() => ["html", "#okta-tabs", "#okta-panel", "#places", "#sides", "#log"]
      .map((selector) => [selector, document.querySelector(selector)])
      .filter(([, it]) => it.scrollWidth > it.clientWidth)
      .map(([selector, it]) => `${selector} by ${it.scrollWidth - it.clientWidth} pixels`));
    assert.deepEqual(wide, [], `${when}: too wide`);
  }

  /** The newest such message comes to stand in the visible part of the log: whole, or its beginning if it is longer. */
  async isInView(selector, text) {
    await this.sees(selector, text);
    try {
      await this.page.waitForFunction((selector, text) => {
        const it = [...document.querySelectorAll(selector)].filter((one) => one.textContent.includes(text)).at(-1)?.getBoundingClientRect();
        const log = document.getElementById("log").getBoundingClientRect();
        return it && it.top >= log.top - 1 && (it.bottom <= log.bottom + 1 || (it.height > log.height - 20 && it.top < log.top + 20));
      }, { timeout: 5000 }, selector, text);
    } catch {
      throw new Error(`“${text}” is not in view`);
    }
  }
}

let axe;
