/** Numbers, times and names as people read them. */

/** `craft_wooden_pickaxe` as "craft wooden pickaxe". */
export function readable(name) {
  return name.replaceAll("_", " ").replaceAll("/", ", ");
}

/** The same with a capital letter. */
export function titled(name) {
  const words = readable(name);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A count in few letters: 950, 12.3k, 4M. */
export function big(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= size * 0.9995) return trim((value / size).toPrecision(3)) + letter;
  }
  return trim(value.toPrecision(3));
}

/** A measured value with about three digits that say something. */
export function figure(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e5 || (size < 1e-3 && size > 0)) return value.toExponential(1).replace("e+", "e");
  if (size >= 1e3) return Math.round(value).toLocaleString("en-GB");
  return trim(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4));
}

/** A share of one as a percentage. */
export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1 %";
  return `${Math.round(100 * share)} %`;
}

/** Seconds as a length of time: "40 s", "12 min", "3 h 20 min". */
export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

/** How long ago a moment was, in seconds since 1970. */
export function ago(moment) {
  const seconds = Date.now() / 1000 - moment;
  return seconds < 10 ? "just now" : `${span(seconds)} ago`;
}

/** A file that is named after its moment, `2026-11-27-230657.replay`, as a date and a time; another by its name. */
export function moment(file) {
  const name = file.replace(/\.replay$/, "");
  const found = /^(\d{4})-(\d\d)-(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(name);
  if (!found) return name;
  const [year, month, day, ...time] = found.slice(1).map(Number);
  const date = new Date(year, month - 1, day, ...time);
  return date.toLocaleString("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** "1 step", "2 steps". */
export function count(number, noun, nouns = `${noun}s`) {
  return `${number.toLocaleString("en-GB")} ${number === 1 ? noun : nouns}`;
}

function trim(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
