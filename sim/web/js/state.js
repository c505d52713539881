// What the page knows, and who wants to hear when it changes.

export const state = {
  /** The server as this person sees it; null until the feed has begun. */
  world: null,
  /** Messages by id. */
  messages: new Map(),
  /** The org. */
  okta: null,
  /** The line of the tour. */
  tour: null,
  /** Whether one has left the tour. */
  leftTour: false,
  /** What is broken. */
  health: { bot_is_there: true, okta_is_down: false, discord_is_down: false },
  /** How far the world's clock is ahead of the real one, in seconds. */
  ahead: 0,
  /** Who one is, by member id; empty: the first of the cast. */
  who: "",
  /** The channel or thread that is open. */
  place: "",
  /** Whether the feed is open; a word when it is not. */
  lost: "",
  /** Whose telephone rang since they were last here: member id to count. */
  rung: new Map(),
  /** Private answers that were dismissed. */
  dismissed: new Set(),
  /** What went wrong with a message's buttons: message id to words. */
  failed: new Map(),
  /** Buttons that wait for an answer, as "message/control". */
  pressed: new Set(),
  /** The message on which one pressed or chose something last. */
  acted: "",
  /** The answer to what one did, until it stands before one's eyes. */
  answer: "",
  /** What others caused to come, and was not looked at: message ids. */
  unseen: new Set(),
  /** The menu that is open, as "message/control", and what is ticked in it. */
  menu: { open: "", ticked: new Set() },
};

const watchers = new Map();
let due = new Set();

/** Calls `render` after any of these topics changed; together. */
export function watch(topics, render) {
  for (const topic of topics) {
    if (!watchers.has(topic)) watchers.set(topic, new Set());
    watchers.get(topic).add(render);
  }
}

/** Says that these topics changed. */
export function changed(...topics) {
  if (due.size === 0) setTimeout(renderAll);
  topics.forEach((topic) => due.add(topic));
}

const afterwards = [];

/** Does it once what changed is drawn: moving the focus to something new. */
export function afterwardsDo(deed) {
  afterwards.push(deed);
}

function renderAll() {
  const topics = due;
  due = new Set();
  const renders = new Set([...topics].flatMap((topic) => [...(watchers.get(topic) ?? [])]));
  renders.forEach((render) => render());
  afterwards.splice(0).forEach((deed) => deed());
}

/** The member's name. */
export const nameOf = (id) => state.world?.members.find((it) => it.id === id)?.name ?? "somebody";
/** The channel or thread. */
export const placeOf = (id) => state.world?.places.find((it) => it.id === id);
/** The app. */
export const appOf = (id) => state.okta?.apps.find((it) => it.id === id);
/** The person of the org. */
export const personOf = (id) => state.okta?.people.find((it) => it.id === id);
