/** Buttons for thumbs, where there is no keyboard. */

import { el } from "../dom.js";
import { sign } from "../icons.js";

const WALK = [["turn-left", "left", "Turn left"], ["forward", "up", "Walk"], ["turn-right", "right", "Turn right"], ["back", "down", "Walk back"]];
const LOOK = [["look-up", "up", "Look up"], ["look-down", "down", "Look down"]];
const DO = [["attack", "Mine"], ["use", "Use"], ["jump", "Jump"], ["eat", "Eat"]];

/**
 * @param {import("./controls.js").Controls} controls
 * @param {() => void} openMenu
 * @returns {HTMLElement[]}
 */
export function touchPad(controls, openMenu) {
  const held = (what, ...children) => {
    const button = el(`button.pad.pad-${what}`, { type: "button" }, ...children);
    const hold = (down) => (event) => {
      event.preventDefault();
      controls.hold(what, down);
    };
    button.addEventListener("pointerdown", hold(true));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(name, hold(false));
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    return button;
  };
  const signed = ([what, kind, words]) => {
    const button = held(what, sign(kind));
    button.setAttribute("aria-label", words);
    return button;
  };
  return [
    el("div.pad-walk", {}, WALK.map(signed)),
    el("div.pad-look", {}, LOOK.map(signed)),
    el("div.pad-do", {}, DO.map(([what, words]) => held(what, words)), el("button.pad.pad-make", { type: "button", onclick: openMenu }, "Make")),
  ];
}
