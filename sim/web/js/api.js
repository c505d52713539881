// Talking to the program that serves this page. The token stands in the page's address, behind the #.

import { changed, state } from "./state.js";

const token = location.hash.slice(1);
const headers = { Authorization: `Bearer ${token}` };

/** Sends something; its answer, or an error whose message is for people. */
export async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The demo does not answer. Is it still running?");
  }
  if (answer.ok) return answer.json();
  const text = await answer.text();
  let why = text;
  try {
    why = JSON.parse(text).error;
  } catch { /* It was plain text. */ }
  throw new Error(why || `The demo answered ${answer.status}.`);
}

/** Somebody does something in the chat. */
export const inChat = (what) => post("/api/chat", { who: state.who, channel: state.place, what });
/** Somebody does something in Okta, or to the world. */
export const inWorld = (what) => post("/api/world", what);

/** A message's file, as text. */
export async function file(message, number) {
  const query = new URLSearchParams({ who: state.who, message, number });
  const answer = await fetch(`/api/file?${query}`, { headers });
  if (!answer.ok) throw new Error("The file is not there.");
  return answer.text();
}

let open;

/** Opens the feed of who one is, in place of the one before; hands each event to `hear`. */
export async function follow(hear) {
  open?.abort();
  const mine = new AbortController();
  open = mine;
  while (!mine.signal.aborted) {
    try {
      await read(hear, mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return;
      say(error instanceof Forbidden ? error.message : "The demo has ended, or cannot be reached.");
      if (error instanceof Forbidden) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

class Forbidden extends Error {}

async function read(hear, signal) {
  const answer = await fetch(`/api/feed?who=${encodeURIComponent(state.who)}`, { headers, signal });
  if (answer.status === 401) throw new Forbidden("Please open the whole address that the terminal shows.");
  if (!answer.ok) throw new Error(await answer.text());
  say("");
  hear("begin");
  const lines = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await lines.read();
    if (done) throw new Error("it ended");
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) take(event, hear);
  }
}

function take(event, hear) {
  let name = "";
  const data = [];
  for (const line of event.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  if (name) hear(name, JSON.parse(data.join("\n")));
}

function say(words) {
  if (state.lost === words) return;
  state.lost = words;
  changed("health");
}
