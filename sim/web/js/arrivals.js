// What came while one was here: the answer to what one did oneself, which one wants before one's eyes, and the rest.

import { changed, state } from "./state.js";

/** Notes a message that came or changed after the page had opened; `before` is how it was. */
export function arrives(message, before) {
  const { id, channel_id: place } = message.json;
  if (isOwn(message)) {
    const answers = !before || (before.thinking && !message.thinking) || state.acted === id;
    if (answers) state.answer = id;
    if (answers && before) state.acted = "";
  } else if (!before && [state.place, state.world?.channel].includes(place)) {
    // Elsewhere, in threads and for the auditors, the same is told again step by step.
    state.unseen.add(id);
    changed("news");
  }
}

/** Whether one caused it oneself. */
function isOwn({ json, only_for: only }) {
  return [only, json.author.id, json.interaction_metadata?.user?.id].includes(state.who);
}

/** The messages of a channel or thread that came and were not looked at. */
export const unseenIn = (place) =>
  [...state.unseen].filter((id) => state.messages.get(id)?.json.channel_id === place);
