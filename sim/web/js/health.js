// What is broken, said in words above everything.

import { h, show } from "./dom.js";
import { state, watch } from "./state.js";

const place = document.getElementById("trouble");

function render() {
  const { okta_is_down: okta, discord_is_down: discord, bot_is_there: bot } = state.health;
  const words = [
    state.lost,
    discord && "Discord is down: nobody can write or click, and Provost is not connected.",
    okta && "Okta is down: Provost cannot read its log, and says so in the channel after three minutes.",
    !discord && !bot && "Provost is not connected to Discord at the moment; it connects again by itself.",
  ].filter(Boolean);
  show(place, words.map((text) => h("p", {}, text)));
}

watch(["health"], render);
