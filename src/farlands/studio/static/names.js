/** What the figures of a run are called where people read them. */

import { readable, titled } from "./words.js";

const CURVES = {
  "episode/return": "Return of an episode",
  "episode/length": "Steps of an episode",
  steps_per_second: "Steps per second",
  "learn/entropy": "Entropy of the policy",
  "learn/explained_variance": "Share of returns that values explain",
  "learn/value_loss": "Value loss",
  "learn/approx_kl": "KL divergence of an update",
  "learn/grad_norm": "Norm of the gradient",
};

const PHASES = { collect: "living in the worlds", learn: "learning", save: "saving", log: "writing down" };

/** The title of a curve. */
export function curveTitle(name) {
  if (CURVES[name]) return CURVES[name];
  const [family, ...rest] = name.split("/");
  if (family === "measure") return titled(rest.join(", "));
  return family === "reward" ? `Reward of ${readable(rest.join(", "))}` : titled(name);
}

/** What a phase of an update is spent on. */
export function phaseTitle(name) {
  return PHASES[name] ?? name.replaceAll("_", " ");
}

/** Colour of the k-th of several things. */
export function colour(k) {
  return `var(--series-${1 + (k % 8)})`;
}
