// Discord's markup, as elements. Whatever is no markup is text: nothing of it can become anything else.

import { h } from "./dom.js";
import { nameOf, placeOf, state } from "./state.js";
import { time } from "./time.js";

const mention = (text, mine = false) => h("span", { class: mine ? "mention mine" : "mention" }, text);

/** A link out of the page, or to the place on the page that it is about. */
export function link(url, ...label) {
  const here = inside(url);
  if (here) return h("a", { href: `${location.hash || "#"}`, "data-act": here.act, ...here.data }, ...label);
  return h("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, ...label);
}

/** Okta's console and Discord's messages are on this page, so links to them lead there. */
function inside(url) {
  if (state.world && url.startsWith(`${state.world.console}/`)) {
    return { act: "console", data: { "data-path": url.slice(state.world.console.length) } };
  }
  const jump = /^https:\/\/discord\.com\/channels\/\d+\/(\d+)(?:\/(\d+))?$/.exec(url);
  return jump && { act: "jump", data: { "data-place": jump[1], "data-message": jump[2] ?? "" } };
}

function member(id) {
  return mention(`@${nameOf(id)}`, id === state.who);
}

function role(id) {
  const found = state.world?.roles.find((it) => it.id === id);
  const mine = state.world?.members.find((it) => it.id === state.who)?.roles.includes(found?.name);
  return mention(`@${found?.name ?? "deleted-role"}`, mine);
}

/** A bar of blocks has the page's colours. */
function code(text) {
  const [, done, rest] = /^(█*)(░*)$/.exec(text) ?? [];
  if (done === undefined) return h("code", {}, text);
  return h("code", { class: "bar" }, h("span", { class: "bar-done" }, done), h("span", { class: "bar-rest" }, rest));
}

const RULES = [
  [/^\\([^A-Za-z0-9\s])/, (m) => m[1]],
  [/^(`+)(?!`)([\s\S]*?[^`])\1(?!`)/, (m) => code(m[2])],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, (m) => h("strong", {}, inline(m[1]))],
  [/^__([\s\S]+?)__(?!_)/, (m) => h("u", {}, inline(m[1]))],
  [/^~~([\s\S]+?)~~/, (m) => h("s", {}, inline(m[1]))],
  [/^\|\|([\s\S]+?)\|\|/, (m) => h("span", { class: "spoiler" }, inline(m[1]))],
  [/^\*(?=\S)((?:\\.|[^*\\])*?[^\s*\\])\*(?!\*)/, (m) => h("em", {}, inline(m[1]))],
  [/^_(?=\S)((?:\\.|[^_\\])*?[^\s_\\])_(?![A-Za-z0-9_])/, (m) => h("em", {}, inline(m[1]))],
  [/^\[((?:\\.|[^\]\\\n])+)\]\((https?:\/\/[^\s)]+)\)/, (m) => link(m[2], inline(m[1]))],
  [/^<(https?:\/\/[^\s>]+)>/, (m) => link(m[1], m[1])],
  [/^https?:\/\/[^\s<>"]*[^\s<>".,:;!?')\]*_~|]/, (m) => link(m[0], m[0])],
  [/^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/, (m) => time(Number(m[1]), m[2])],
  [/^<@!?(\d+)>/, (m) => member(m[1])],
  [/^<@&(\d+)>/, (m) => role(m[1])],
  [/^<#(\d+)>/, (m) => mention(`#${placeOf(m[1])?.name ?? "deleted-channel"}`)],
  [/^<\/([^:>]+):\d+>/, (m) => mention(`/${m[1]}`)],
  [/^<a?(:\w+:)\d+>/, (m) => m[1]],
];

/** Where the next markup could begin. */
const MAYBE = /[\\`*_~|[<]|https?:/;

/** The text of one line, or of several that belong together. */
export function inline(text) {
  const nodes = [];
  let plain = "";
  let rest = text;
  while (rest) {
    const found = hit(rest, plain);
    if (found) {
      if (plain) nodes.push(plain);
      plain = "";
      nodes.push(found.node);
      rest = rest.slice(found.length);
      continue;
    }
    const skip = rest.slice(1).search(MAYBE);
    const length = skip < 0 ? rest.length : skip + 1;
    plain += rest.slice(0, length);
    rest = rest.slice(length);
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function hit(rest, before) {
  for (const [pattern, make] of RULES) {
    const match = pattern.exec(rest);
    if (!match) continue;
    // snake_case is no emphasis.
    if (rest[0] === "_" && rest[1] !== "_" && /[A-Za-z0-9]$/.test(before)) continue;
    return { node: make(match), length: match[0].length };
  }
  return null;
}

const BLOCKS = [
  [/^-# (.*)/, (text) => h("p", { class: "subtext" }, inline(text))],
  [/^(?:#{1,3}) (.*)/, (text) => h("p", { class: "heading" }, inline(text))],
];

/** A whole text. */
export function markdown(text) {
  const nodes = [];
  // Every second piece lies between fences.
  const pieces = text.split(/```(?:[A-Za-z0-9_+-]*\n)?([\s\S]+?)```/);
  pieces.forEach((piece, index) => {
    if (index % 2 === 1) nodes.push(h("pre", { tabindex: 0 }, h("code", {}, piece.replace(/\n$/, ""))));
    else nodes.push(...lines(piece, index > 0, index < pieces.length - 1));
  });
  return nodes;
}

function lines(text, afterFence, beforeFence) {
  const nodes = [];
  let all = text.split("\n");
  if (afterFence && all[0] === "") all = all.slice(1);
  if (beforeFence && all.at(-1) === "") all = all.slice(0, -1);
  while (all.length > 0) {
    const quote = take(all, (line) => /^> ?/.test(line) && line.replace(/^> ?/, ""));
    const items = quote.length ? [] : take(all, (line) => /^ *(?:[-*]|\d+\.) (.+)/.exec(line)?.[1] ?? false);
    const block = quote.length || items.length ? null : blockOf(all[0]);
    if (quote.length) nodes.push(h("blockquote", {}, inline(quote.join("\n"))));
    else if (items.length) nodes.push(h("ul", {}, items.map((item) => h("li", {}, inline(item)))));
    else if (block) {
      nodes.push(block);
      all.shift();
    } else {
      const plain = take(all, (line) => !/^(?:> ?| *(?:[-*]|\d+\.) .|-# .|#{1,3} .)/.test(line) && (line || "\u200b"));
      if (plain.length === 0) plain.push(all.shift());
      const joined = plain.map((line) => line === "\u200b" ? "" : line).join("\n");
      if (joined || nodes.length) nodes.push(h("p", {}, inline(joined)));
    }
  }
  return nodes;
}

function blockOf(line) {
  for (const [pattern, make] of BLOCKS) {
    const match = pattern.exec(line);
    if (match) return make(match[1]);
  }
  return null;
}

/** Takes lines from the front as long as `read` makes something of them. */
function take(all, read) {
  const taken = [];
  while (all.length > 0) {
    const text = read(all[0]);
    if (text === false) break;
    taken.push(text);
    all.shift();
  }
  return taken;
}
