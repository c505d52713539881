// The page: follows the feed of who one is, and keeps what it brings.

import { follow } from "./api.js";
import { arrives } from "./arrivals.js";
import "./channel.js";
import { go } from "./channel.js";
import "./composer.js";
import "./health.js";
import "./intro.js";
import "./more.js";
import "./news.js";
import "./okta.js";
import { onBecoming } from "./people.js";
import "./sides.js";
import { changed, placeOf, state } from "./state.js";
import "./tour.js";

const HEARD = {
  begin() {
    // What one person saw, another need not see.
    state.fresh = new Set();
  },
  world(world) {
    state.world = world;
    state.who = world.me;
    if (!placeOf(state.place)) go(world.channel);
    changed("world", "people");
  },
  message(message) {
    const { id } = message.json;
    const before = state.messages.get(id);
    state.messages.set(id, message);
    if (!state.fresh) {
      if (!before) ring(message);
      arrives(message, before);
    }
    state.fresh?.add(id);
    changed("messages");
  },
  gone(id) {
    state.messages.delete(id);
    changed("messages");
  },
  okta(okta) {
    state.okta = okta;
    changed("okta");
  },
  tour(line) {
    state.tour = line;
    changed("tour");
  },
  state(health) {
    state.health = health;
    changed("health", "world");
  },
  clock({ ahead }) {
    state.ahead = ahead;
    changed("clock");
    // The clock comes last: what was not sent by now, this person does not see.
    if (!state.fresh) return;
    for (const id of [...state.messages.keys()]) if (!state.fresh.has(id)) state.messages.delete(id);
    state.fresh = null;
    changed("messages");
  },
};

function ring(message) {
  for (const id of message.rings) {
    if (id !== state.who) state.rung.set(id, (state.rung.get(id) ?? 0) + 1);
  }
  changed("people");
}

const begin = () => follow((name, data) => HEARD[name]?.(data));

onBecoming(() => {
  state.failed.clear();
  state.menu = { open: "", ticked: new Set() };
  // Private answers of somebody else go at once, not when the feed comes.
  for (const [id, message] of state.messages) if (message.only_for && message.only_for !== state.who) state.messages.delete(id);
  changed("messages");
  begin();
});

begin();
