// The slash commands, as far as they are only data: which there are, what a half-typed one needs next, and the line
// that is sent in the end. No command is known here; all of them come from the server's list.

/** Every command that can be typed: its words, its description and its options. */
export function commandsOf(world) {
  const found = [];
  const walk = (words, node) => {
    const below = (node.options ?? []).filter((it) => it.type === 1 || it.type === 2);
    if (below.length > 0) below.forEach((it) => walk([...words, it.name], it));
    else found.push({ words: words.join(" "), about: node.description ?? "", options: node.options ?? [] });
  };
  for (const command of world?.commands ?? []) if (command.type === 1) walk([command.name], command);
  return found;
}

/** The commands whose words begin with what was typed after the slash, or hold it. */
export function matching(commands, typed) {
  const text = typed.trim().toLowerCase();
  const begins = commands.filter((it) => it.words.startsWith(text));
  const holds = commands.filter((it) => !it.words.startsWith(text) && it.words.includes(text));
  return [...begins, ...holds];
}

/** The options that are not given yet. */
export const missing = (draft) =>
  draft.command.options.filter((it) => !draft.values.some((value) => value.name === it.name));

/** The option that must be given next, if any. */
export const nextRequired = (draft) => missing(draft).find((it) => it.required) ?? null;

const quoted = (text) => `"${text.replace(/[\\"]/g, "\\$&")}"`;

/** The line as it is sent: `/okta diagnose app:"…"`. */
export const lineOf = (draft) =>
  [`/${draft.command.words}`, ...draft.values.map((it) => `${it.name}:${quoted(it.value)}`)].join(" ");

/** What an option offers without asking the bot. */
export function ownChoices(option, world, typed) {
  const text = typed.toLowerCase();
  const fits = (label) => label.toLowerCase().includes(text);
  const named = (list) => list.map((it) => ({ label: it.name, value: it.id }));
  const { members = [], roles = [], places = [] } = world ?? {};
  const all = {
    5: [{ label: "True", value: "true" }, { label: "False", value: "false" }],
    6: named(members),
    7: named(places),
    8: named(roles),
    9: [...named(members), ...named(roles)],
  }[option.type] ?? (option.choices ?? []).map((it) => ({ label: it.name, value: String(it.value) }));
  return all.filter((it) => fits(it.label)).slice(0, 25);
}

/** Whether the option takes any text. */
export const isFree = (option) => [3, 4, 10].includes(option.type) && !(option.choices?.length > 0);
