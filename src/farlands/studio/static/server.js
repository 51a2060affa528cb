/** What is asked for once, without the socket. */

/** JSON from the studio; raises an Error that tells in words why there is none. */
export async function ask(path) {
  let answer;
  try {
    answer = await fetch(path, { headers: { accept: "application/json" } });
  } catch {
    throw new Error("The studio does not answer.");
  }
  if (answer.ok) return answer.json();
  const text = await answer.text();
  throw new Error(mistakeIn(text) || text.trim() || `The studio answered ${answer.status}.`);
}

function mistakeIn(text) {
  try {
    return JSON.parse(text).mistake ?? "";
  } catch {
    return "";
  }
}

/**
 * Ask again and again, a while after each answer, and not while nobody looks.
 *
 * @param {() => Promise<void>} work
 * @param {number} seconds
 * @returns {() => void} Call it to stop.
 */
export function repeat(work, seconds) {
  let stopped = false;
  let timer = 0;
  const round = async () => {
    if (!document.hidden) await work();
    if (!stopped) timer = setTimeout(round, 1000 * seconds);
  };
  round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
