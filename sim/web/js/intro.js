// What this is, in one sentence, until the first step of the tour is done.

import { state, watch } from "./state.js";

/** The sentence. */
export const INTRO = "Provost is a Discord bot: it sees whom Okta could not give an app, says why, and mends it once a "
  + "colleague agrees. All of this is simulated on this machine.";

const place = document.getElementById("intro");

watch(["tour"], () => { place.textContent = state.tour?.number === 1 ? INTRO : ""; });
