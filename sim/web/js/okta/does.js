// What one does in Okta, and the word about how it went.

import { inWorld } from "../api.js";
import { act, h } from "../dom.js";
import { toast } from "../toast.js";

/** Does it, and says how it went; whether it was done. */
export async function does(what, words) {
  try {
    await inWorld(what);
    toast(words, "okta");
    return true;
  } catch (error) {
    toast(`That did not work: ${error.message}.`, "okta");
    return false;
  }
}

/** A button that does something in Okta; `words` are said when it was done. */
export function button(label, what, words, style = "secondary") {
  return h("button", { type: "button", class: `button ${style}`, "data-act": "okta", "data-what": JSON.stringify(what),
    "data-words": words, "data-key": JSON.stringify(what) }, label);
}

act("okta", ({ dataset }) => does(JSON.parse(dataset.what), dataset.words));
