// What is before one's eyes at once after one did something. Everything else comes by the feed.

import { openDialog } from "./dialog.js";
import { toast } from "./toast.js";

/** Shows the answer to something that somebody did. */
export function answered(answer) {
  if (answer.shown === "dialog") openDialog(answer.what);
  if (answer.shown === "silence") toast("The application did not respond.", "chat");
}
