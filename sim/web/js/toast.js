// A word about what was just done. It goes by itself, and is read out.

const place = document.getElementById("toast");
let going;

/** Says it for a few seconds. */
export function toast(words) {
  place.textContent = words;
  clearTimeout(going);
  going = setTimeout(() => { place.textContent = ""; }, 5000);
}
