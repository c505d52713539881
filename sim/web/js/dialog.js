// Dialogs: the bot's, with fields to fill in, and one that shows a file.

import { file, inChat } from "./api.js";
import { act, h } from "./dom.js";
import { markdown } from "./markdown.js";
import { state } from "./state.js";
import { toast } from "./toast.js";

function open(dialog) {
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
  dialog.showModal();
}

/** Shows the bot's dialog. */
export function openDialog(modal) {
  const fields = modal.fields.map((it, number) => field(it, `field${number}`));
  const wrong = h("p", { class: "failed", role: "alert" });
  const submit = h("button", { type: "submit", class: "button primary" }, "Submit");
  const form = h("form", { method: "dialog" },
    h("h2", { id: "dialog-title" }, modal.title),
    h("p", { class: "quiet" }, "This goes to Provost, a simulated bot on this machine."),
    modal.texts.map((text) => h("div", { class: "text" }, markdown(text))),
    fields,
    wrong,
    h("div", { class: "dialog-end" },
      h("button", { type: "button", class: "button secondary", "data-close": true }, "Cancel"), submit));
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const answers = Object.fromEntries(modal.fields.map((it, number) => [it.custom_id, form.elements[`field${number}`].value]));
    try {
      const answer = await inChat({ do: "submit", dialog: modal.interaction, answers });
      dialog.close();
      if (answer.shown === "silence") toast("Something went wrong: the application did not respond.", "chat");
    } catch (error) {
      wrong.textContent = error.message;
      submit.disabled = false;
    }
  });
  open(dialog);
  form.querySelector("input, textarea, select")?.focus();
}

function field(it, name) {
  const shared = { id: name, name, required: it.required, "aria-describedby": it.description ? `${name}-more` : null };
  const text = { ...shared, placeholder: it.placeholder || null, minlength: it.min || null, maxlength: it.max };
  let control;
  if (it.kind !== 4) {
    control = h("select", shared, !it.required && h("option", { value: "" }, ""),
      choices(it).map(([label, value]) => h("option", { value, selected: value === it.value }, label)));
  } else if (it.paragraph) {
    control = h("textarea", { ...text, rows: 3 });
    control.value = it.value;
  } else {
    control = h("input", { ...text, type: "text", autocomplete: "off" });
    control.value = it.value;
  }
  return h("p", { class: "dialog-field" },
    h("label", { for: name }, it.label, it.required && h("span", { class: "must", "aria-hidden": "true" }, " *")),
    it.description && h("span", { class: "quiet", id: `${name}-more` }, it.description),
    control);
}

function choices(it) {
  if (it.options.length > 0) return it.options;
  const { members = [], roles = [], places = [] } = state.world ?? {};
  const lists = { 5: [members], 6: [roles], 7: [members, roles], 8: [places] }[it.kind] ?? [];
  return lists.flat().map((one) => [one.name, one.id]);
}

act("open-file", async ({ dataset: { message, number, name } }) => {
  try {
    const text = await file(message, number);
    open(h("dialog", { class: "wide", "aria-labelledby": "dialog-title" },
      h("h2", { id: "dialog-title" }, name),
      h("pre", { class: "file-text", tabindex: 0 }, text),
      h("div", { class: "dialog-end" },
        h("button", { type: "button", class: "button primary", "data-close": true }, "Close"))));
  } catch (error) {
    toast(error.message, "chat");
  }
});
