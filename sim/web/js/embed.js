// A card.

import { h } from "./dom.js";
import { inline, link, markdown } from "./markdown.js";
import { time } from "./time.js";

/** An embed as Discord writes it down. */
export function embed(it) {
  const title = it.title && (it.url ? link(it.url, inline(it.title)) : inline(it.title));
  const card = h("div", { class: "embed" },
    it.author && h("p", { class: "embed-author" }, it.author.name),
    title && h("p", { class: "embed-title" }, title),
    it.description && h("div", { class: "text" }, markdown(it.description)),
    it.fields?.length > 0 && h("dl", { class: "fields" }, it.fields.map(field)),
    (it.footer || it.timestamp) && footer(it),
  );
  // Said beside the card in words, too: the colour alone says nothing.
  card.style.setProperty("--stripe", it.color === undefined || it.color === null ? "var(--line)" : colour(it.color));
  return card;
}

const colour = (number) => `#${number.toString(16).padStart(6, "0")}`;

const field = (it) => h("div", { class: it.inline ? "field inline" : "field" },
  h("dt", {}, inline(it.name)),
  h("dd", { class: "text" }, markdown(it.value)));

const footer = (it) => h("p", { class: "embed-footer" },
  it.footer?.text,
  it.footer && it.timestamp && " • ",
  it.timestamp && time(Date.parse(it.timestamp) / 1000));
