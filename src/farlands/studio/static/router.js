/** Pages by the part of the address after `#/`. */

/**
 * @typedef {Object} Page
 * @property {(parameters: string[]) => void} [turn] Go to another part of the same page.
 * @property {() => void} close
 */

export class Router {
  /**
   * @param {HTMLElement} host Where pages are shown.
   * @param {{pattern: RegExp, open: (host: HTMLElement, parameters: string[]) => Page, key?: number}[]} routes `key`
   *   says how many of the parameters make it another page; the rest is turned to within it.
   * @param {(path: string) => void} turned Called after each turn.
   */
  constructor(host, routes, turned) {
    Object.assign(this, { host, routes, turned, page: null, key: "" });
    window.addEventListener("hashchange", () => this.go());
  }

  /** Show what the address names, or a first page where it names none. */
  go(first = "") {
    if (!window.location.hash && first) window.history.replaceState(null, "", `#/${first}`);
    const path = window.location.hash.replace(/^#\//, "");
    for (const route of this.routes) {
      const found = route.pattern.exec(path);
      if (found) {
        this.#show(route, found.slice(1).map(decode));
        this.turned(path);
        return;
      }
    }
    window.location.hash = "#/runs";
  }

  #show(route, parameters) {
    const key = [route.pattern, ...parameters.slice(0, route.key ?? parameters.length)].join(" ");
    if (this.page?.turn && key === this.key) {
      this.page.turn(parameters);
      return;
    }
    this.page?.close();
    this.host.replaceChildren();
    this.key = key;
    this.page = route.open(this.host, parameters);
    this.page.turn?.(parameters);
    window.scrollTo(0, 0);
  }
}

/** A part of an address as it was before `link`; what no `link` made is taken as it is. */
export function decode(part = "") {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a page, of parts that may hold anything. */
export function link(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}
