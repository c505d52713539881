// One message.

import { components } from "./components.js";
import { embed } from "./embed.js";
import { act, h } from "./dom.js";
import { markdown } from "./markdown.js";
import { changed, placeOf, state } from "./state.js";
import { time } from "./time.js";

const EPHEMERAL = 64;

/** A message of the feed. */
export function message(it) {
  const { json } = it;
  const id = json.id;
  const bot = json.author.bot === true;
  const mine = it.rings.includes(state.who);
  return h("article", {
    class: ["message", bot && "of-bot", it.only_for && "private", mine && "rings"].filter(Boolean).join(" "),
    "data-key": id, "data-id": id, id: `m${id}`, tabindex: -1, "aria-labelledby": `a${id}`, "aria-busy": it.thinking ? "true" : null,
  },
  avatar(json.author),
  h("div", { class: "body" },
    isAnswer(json) && h("p", { class: "context" }, asker(json)),
    header(it, bot),
    it.thinking
      ? h("p", { class: "thinking" }, "Provost is thinking", h("span", { class: "dots", "aria-hidden": "true" }, "…"))
      : content(it),
    state.failed.has(id) && h("p", { class: "failed", role: "alert" }, state.failed.get(id)),
    it.thread && thread(it.thread),
    (json.flags & EPHEMERAL) !== 0 && h("p", { class: "only-you" }, "Only you can see this • ",
      h("button", { type: "button", class: "link", "data-act": "dismiss", "data-message": id }, "Dismiss message"))),
  more(id));
}

const isAnswer = (json) => json.type === 20 || json.type === 23;

const asker = (json) => {
  const user = json.interaction_metadata?.user;
  return `${user?.global_name ?? user?.username ?? "Somebody"} used a command`;
};

const nameOfAuthor = (author) => author.global_name ?? author.username;

function avatar(author) {
  const name = nameOfAuthor(author);
  return h("span", { class: author.bot ? "avatar bot" : `avatar hue${Number(author.id.slice(-4)) % 5}`, "aria-hidden": "true" }, name[0]);
}

function header({ json }, bot) {
  return h("p", { class: "by", id: `a${json.id}` },
    h("span", { class: "author" }, nameOfAuthor(json.author)),
    bot && h("span", { class: "app-tag" }, "APP"),
    " ",
    time(Date.parse(json.timestamp) / 1000, "t"),
    json.edited_timestamp && h("span", { class: "edited" }, " (edited)"));
}

function content({ json }) {
  return [
    json.content && h("div", { class: "text" }, markdown(json.content)),
    json.embeds.map(embed),
    json.attachments.map((file, number) => attachment(json.id, file, number)),
    components(json.id, json.components),
  ];
}

function attachment(id, file, number) {
  return h("div", { class: "file" },
    h("span", {}, h("strong", {}, file.filename), h("span", { class: "quiet" }, ` ${size(file.size)}`)),
    h("button", { type: "button", class: "button secondary", "data-act": "open-file", "data-message": id, "data-number": number,
      "data-name": file.filename, "aria-label": `Open ${file.filename}` }, "Open"));
}

const size = (bytes) => bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KB`;

function thread(id) {
  const place = placeOf(id);
  const count = place?.messages ?? 0;
  return h("button", { type: "button", class: "thread", "data-act": "place", "data-place": id },
    h("span", { class: "thread-name" }, place?.name ?? "Thread"), ` ${count} ${count === 1 ? "message" : "messages"} ›`);
}

function more(id) {
  const open = state.menu.open === `more/${id}`;
  const commands = state.world?.commands.filter((it) => it.type === 3) ?? [];
  if (commands.length === 0) return null;
  return h("div", { class: "more" },
    h("button", { type: "button", class: "more-button", "data-act": "more", "data-message": id, "aria-haspopup": "menu",
      "aria-expanded": String(open), "aria-label": "More actions", title: "More actions" }, "⋯"),
    open && h("div", { class: "menu", role: "menu", "aria-label": "Apps" },
      commands.map((it) => h("button", { type: "button", role: "menuitem", "data-act": "menu-command", "data-message": id,
        "data-command": it.name }, it.name))));
}

act("dismiss", ({ dataset }) => {
  state.dismissed.add(dataset.message);
  changed("messages");
  document.getElementById("log").focus();
});
