// A word about what was just done. It goes by itself, and is read out. It takes room below and covers nothing.

const going = new Map();

/** Says it for a few seconds, on that side of the page: `chat` or `okta`. */
export function toast(words, side) {
  const place = document.getElementById(`${side}-said`);
  place.textContent = words;
  clearTimeout(going.get(side));
  going.set(side, setTimeout(() => { place.textContent = ""; }, 5000));
}
