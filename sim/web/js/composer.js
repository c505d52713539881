// Where one types: a message, or a slash command with its options one by one.

import { inChat } from "./api.js";
import { answered } from "./answers.js";
import { act, h, show } from "./dom.js";
import { commandsOf, isFree, lineOf, matching, missing, nextRequired, ownChoices } from "./slash.js";
import { changed, state, watch } from "./state.js";

const box = document.getElementById("composer");

/** The command that is being typed: its values so far, and the option that is typed now. */
let draft = null;
/** What is offered now, which of it is marked, and what is wrong. */
let offered = [];
let marked = -1;
let wrong = "";
let asked = 0;

const input = h("input", {
  id: "say", type: "text", autocomplete: "off", spellcheck: "false", maxlength: 2000, role: "combobox",
  "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "offers", "data-input": "typed",
});
const tokens = h("span", { class: "tokens" });
const offers = h("div", { id: "offers", class: "offers", role: "listbox", "aria-label": "What can be typed here" });
const hint = h("p", { class: "hint", id: "hint" });
const error = h("p", { class: "failed", role: "alert" });
input.setAttribute("aria-describedby", "hint");
box.append(offers, hint, error, h("form", { class: "line", "data-form": "say" },
  h("label", { class: "unseen", for: "say" }, "Message, or / for commands"), tokens, input,
  h("button", { type: "submit", class: "button primary" }, "Send")));

function render() {
  input.placeholder = draft ? "" : "Message, or / for commands";
  show(tokens, draft && [
    h("span", { class: "token command", "data-key": "command" }, `/${draft.command.words}`),
    draft.values.map((it) => h("span", { class: "token", "data-key": it.name }, h("b", {}, `${it.name}: `), it.label)),
    draft.option && h("span", { class: "token now", "data-key": "now" }, draft.option.name),
  ]);
  show(offers, offered.map((it, index) => h("div", {
    id: `offer${index}`, class: "offer", role: "option", "aria-selected": String(index === marked), "data-act": "offer", "data-index": index,
  }, h("span", { class: "offer-name" }, it.label), it.about && h("span", { class: "quiet" }, it.about))));
  offers.hidden = offered.length === 0;
  input.setAttribute("aria-expanded", String(offered.length > 0));
  if (marked >= 0) input.setAttribute("aria-activedescendant", `offer${marked}`);
  else input.removeAttribute("aria-activedescendant");
  offers.children[marked]?.scrollIntoView({ block: "nearest" });
  hint.textContent = hintOf();
  error.textContent = wrong;
}

function hintOf() {
  if (!draft) return "";
  if (draft.option) return `${draft.option.description ?? ""}${draft.option.required ? "" : " (optional)"}`;
  return missing(draft).length > 0 ? "Enter sends it; or choose an option first." : "Enter sends it.";
}

/** Sees what can be offered for what stands there now. */
async function look() {
  const text = input.value;
  const turn = ++asked;
  marked = -1;
  if (!draft) {
    const all = text.startsWith("/") ? commandsOf(state.world) : [];
    const exact = all.find((it) => text === `/${it.words} `);
    if (exact) return begin(exact);
    offered = (text.startsWith("/") ? matching(all, text.slice(1)) : [])
      .map((it) => ({ label: `/${it.words}`, about: it.about, take: () => begin(it) }));
    marked = offered.length > 0 ? 0 : -1;
    return render();
  }
  const named = /^([\p{Ll}\p{N}_-]+):(.*)$/u.exec(text);
  const option = named && (draft.option?.name === named[1] ? draft.option : missing(draft).find((it) => it.name === named[1]));
  if (option) {
    draft.option = option;
    input.value = named[2].trimStart();
    return look();
  }
  if (!draft.option) {
    offered = missing(draft).filter((it) => it.name.startsWith(text.trim()))
      .map((it) => ({ label: it.name, about: it.description, take: () => choose(it) }));
    return render();
  }
  if (!draft.option.autocomplete) {
    offer(ownChoices(draft.option, state.world, text));
    return render();
  }
  offered = [];
  render();
  try {
    const answer = await inChat({ do: "complete", line: lineOf(draft), option: draft.option.name, text });
    if (turn !== asked) return undefined;
    offer(answer.shown === "choices" ? answer.what.map((it) => ({ label: it.label, value: String(it.value) })) : []);
    wrong = answer.shown === "silence" ? "Loading options failed." : "";
  } catch (failure) {
    if (turn !== asked) return undefined;
    wrong = failure.message;
  }
  return render();
}

function offer(choices) {
  offered = choices.map((it) => ({ label: it.label, take: () => accept(it) }));
  marked = offered.length > 0 ? 0 : -1;
}

function begin(command) {
  draft = { command, values: [], option: null };
  return goOn();
}

function goOn() {
  draft.option = nextRequired(draft);
  input.value = "";
  wrong = "";
  return look();
}

function choose(option) {
  draft.option = option;
  input.value = "";
  return look();
}

/** Takes a value for the option that is typed now. */
function accept({ label, value }) {
  draft.values.push({ name: draft.option.name, value, label });
  return goOn();
}

function clear() {
  draft = null;
  input.value = "";
  offered = [];
  wrong = "";
  asked += 1;
  render();
}

/** Sends what stands there, or says what is missing. */
async function send() {
  const text = input.value.trim();
  if (!draft) {
    if (text) await sends(text.startsWith("/") ? { do: "type", line: text } : { do: "say", text });
    return;
  }
  if (draft.option && text) {
    if (!isFree(draft.option)) {
      wrong = `Choose one of what is offered for ${draft.option.name}.`;
      return render();
    }
    await accept({ label: text, value: text });
  } else if (draft.option && !draft.option.required) {
    draft.option = null;
  }
  const needed = nextRequired(draft);
  if (needed) {
    wrong = `This command needs ${needed.name}.`;
    return render();
  }
  return sends({ do: "type", line: lineOf(draft) });
}

async function sends(what) {
  const kept = [draft, input.value];
  clear();
  try {
    answered(await inChat(what));
  } catch (failure) {
    [draft, input.value] = kept;
    wrong = failure.message;
    render();
  }
}

function back() {
  if (draft.option && !draft.option.required) draft.option = null;
  else if (draft.values.length > 0) {
    const last = draft.values.pop();
    draft.option = draft.command.options.find((it) => it.name === last.name);
  } else draft = null;
  return look();
}

function mark(step) {
  if (offered.length === 0) return;
  marked = marked < 0 && step < 0 ? offered.length - 1 : (marked + step + offered.length) % offered.length;
  render();
}

input.addEventListener("keydown", (event) => {
  const takes = offered[marked];
  const keys = {
    ArrowDown: () => mark(1),
    ArrowUp: () => mark(-1),
    Enter: () => (takes ? takes.take() : send()),
    // Tab completes what is marked, and otherwise leaves, as everywhere.
    Tab: event.shiftKey || !takes || (!input.value && !draft) ? null : () => takes.take(),
    Escape: draft || offered.length > 0 ? clear : null,
    Backspace: draft && input.value === "" ? back : null,
  };
  const does = keys[event.key];
  if (!does || (["ArrowDown", "ArrowUp"].includes(event.key) && offered.length === 0)) return;
  event.preventDefault();
  does();
});

box.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  input.focus();
  send();
});

act("typed", () => {
  wrong = "";
  look();
});
act("offer", ({ dataset }) => {
  input.focus();
  offered[Number(dataset.index)]?.take();
});

watch(["world"], render);

let before = "";
watch(["people"], () => {
  // A command that one person began is not another's.
  if (before && before !== state.who) clear();
  before = state.who;
});
changed("world");
