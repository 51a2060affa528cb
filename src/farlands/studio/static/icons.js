/** Small pictures of items, from the studio's own textures, and a few signs drawn here. */

import { el, svg } from "./dom.js";
import { ask } from "./server.js";

/** Which item stands for a feat whose name holds none. */
const STANDS_FOR = {
  log: "oak_log", flower: "red_flower", sapling: "oak_sapling", seeds: "wheat_seeds", meat: "beef", cook_meat: "cooked_beef",
  water: "water_bucket", lava: "lava_bucket", hoe: "wooden_hoe", eat: "apple", sleep: "bed", till: "stone_hoe", armour: "iron_chestplate",
  shear: "shears", breed: "wheat", shoot: "arrow", iron_armour: "iron_chestplate", diamond_armour: "diamond_chestplate",
  leather_armour: "leather_chestplate", block: "cobblestone", pickaxe: "iron_pickaxe", axe: "iron_axe", shovel: "iron_shovel",
  sword: "iron_sword", bow: "bow", bucket: "bucket", lighter: "flint_and_steel", cow: "leather", pig: "porkchop", sheep: "wool",
  chicken: "feather", zombie: "iron_sword", skeleton: "bone", spider: "string", creeper: "gunpowder", food: "apple", held: "chest",
};
const VERBS = /^(collect|make|place|craft|smelt|equip|wear|kill|drop|cook)_/;

/** Pictures of items by name. */
export class Icons {
  constructor() {
    this.places = new Map();
    this.sheet = "";
  }

  /** Fetch the sheet; without it names alone are shown. */
  async load() {
    const { names, columns, tile, picture } = await ask("/api/icons");
    names.forEach((name, k) => this.places.set(name, [(k % columns) * tile, Math.floor(k / columns) * tile]));
    this.sheet = picture;
    document.documentElement.style.setProperty("--icons", `url(${picture})`);
    document.documentElement.style.setProperty("--icons-width", `${columns * tile}`);
    document.documentElement.style.setProperty("--icons-tile", `${tile}`);
  }

  /** The picture of an item, a feat or a choice; an empty tile where there is none. */
  of(name) {
    const place = this.places.get(this.#itemOf(name));
    if (!place) return el("i.item", { "aria-hidden": "true" });
    return el("i.item.item-known", { "aria-hidden": "true", style: { "--x": place[0], "--y": place[1] } });
  }

  #itemOf(name) {
    if (this.places.has(name)) return name;
    const bare = name.replace(VERBS, "");
    return this.places.has(bare) ? bare : STANDS_FOR[name] ?? STANDS_FOR[bare];
  }
}

const SIGNS = {
  heart: "M8 14 2.2 8.2a3.6 3.6 0 0 1 0-5.1 3.6 3.6 0 0 1 5.1 0l.7.7.7-.7a3.6 3.6 0 0 1 5.1 5.1z",
  food: "M10 1.5a4.5 4.5 0 0 0-4.4 5.6L2.9 9.8a1.6 1.6 0 1 0 1.4 2.7 1.6 1.6 0 1 0 2.7-1.4l2-2a4.6 4.6 0 1 0 1-7.6z",
  air: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm-2 3.2a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8z",
  armour: "M8 1.5 2.5 3.6v4c0 3.3 2.3 5.7 5.5 7 3.2-1.3 5.5-3.7 5.5-7v-4z",
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  left: "M10 3 5 8l5 5",
  right: "M6 3l5 5-5 5",
  up: "M3 10l5-5 5 5",
  down: "M3 6l5 5 5-5",
};

/** A sign as SVG, in the colour of the text around it. */
export function sign(name) {
  const stroked = ["close", "left", "right", "up", "down"].includes(name);
  const path = svg("path", { d: SIGNS[name], ...(stroked ? { fill: "none", stroke: "currentColor", "stroke-width": 2 } : { fill: "currentColor" }) });
  return svg("svg", { viewBox: "0 0 16 16", class: `sign sign-${name}`, "aria-hidden": "true" }, path);
}
