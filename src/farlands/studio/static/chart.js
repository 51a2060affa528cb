/** Lines over a common axis, drawn as SVG so that style sheets colour them and they are crisp at every size. */

import { el, fill, say, svg } from "./dom.js";
import { niceTicks, rangeOf } from "./ticks.js";
import { big, figure } from "./words.js";

const MARGIN = { top: 8, right: 12, bottom: 24, left: 46 };
const SMOOTH_FROM = 40;

/**
 * A chart. `draw` gives it data, again whenever there are more.
 *
 * @typedef {{name: string, points: [number, number][], colour: string}} Series
 */
export class Chart {
  /**
   * @param {Object} options
   * @param {string} options.label What is drawn, for those who cannot see it.
   * @param {number} [options.height] In CSS pixels.
   * @param {boolean} [options.smooth] Draw a moving mean over the values, which then stay faint behind it.
   * @param {(x: number) => string} [options.formatX]
   * @param {(y: number) => string} [options.formatY]
   * @param {string} [options.unitX] Named after the x value that the mouse is at.
   */
  constructor({ label, height = 200, smooth = true, formatX = big, formatY = figure, unitX = "steps" }) {
    Object.assign(this, { label, height, smooth, formatX, formatY, unitX, series: [], at: null });
    this.picture = svg("svg", { role: "img", height, class: "chart-lines" });
    this.readout = el("div.chart-readout", { hidden: true });
    this.element = el("div.chart", {}, this.picture, this.readout);
    this.element.addEventListener("pointermove", (event) => this.#pointAt(event.clientX));
    this.element.addEventListener("pointerleave", () => this.#pointAt(null));
    this.sizes = new ResizeObserver(() => this.#redraw());
    this.sizes.observe(this.element);
  }

  /** @param {Series[]} series */
  draw(series) {
    this.series = series.filter((each) => each.points.length);
    this.#redraw();
  }

  /** Watch its size no longer. */
  close() {
    this.sizes.disconnect();
  }

  #redraw() {
    const width = this.element.clientWidth;
    if (!width) return;
    this.picture.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.picture.setAttribute("aria-label", this.#inWords());
    this.scale = this.#scale(width);
    fill(this.picture, this.#axes(), this.series.map((each) => this.#line(each)), this.#pointer());
  }

  #scale(width) {
    const points = this.series.flatMap((each) => each.points);
    const xs = points.map(([x]) => x);
    const [lowX, highX] = xs.length ? [Math.min(...xs), Math.max(...xs)] : [0, 1];
    const [lowY, highY] = rangeOf(points.map(([, y]) => y));
    const inner = { width: width - MARGIN.left - MARGIN.right, height: this.height - MARGIN.top - MARGIN.bottom };
    return {
      lowX, highX, lowY, highY, width,
      x: (value) => MARGIN.left + ((value - lowX) / (highX - lowX || 1)) * inner.width,
      y: (value) => MARGIN.top + (1 - (value - lowY) / (highY - lowY)) * inner.height,
      back: (pixel) => lowX + ((pixel - MARGIN.left) / inner.width) * (highX - lowX),
    };
  }

  #axes() {
    const { x, y, lowX, highX, lowY, highY, width } = this.scale;
    const group = svg("g", { class: "chart-axes" });
    for (const value of niceTicks(lowY, highY, this.height / 50)) {
      group.append(
        svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
        svg("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, this.formatY(value)),
      );
    }
    for (const value of niceTicks(lowX, highX, width / 110)) {
      group.append(svg("text", { x: x(value), y: this.height - 6, "text-anchor": "middle" }, this.formatX(value)));
    }
    return group;
  }

  #line({ points, colour }) {
    const group = svg("g", { style: `--line: ${colour}` });
    const smooth = this.smooth && points.length >= SMOOTH_FROM;
    group.append(svg("path", { d: this.#path(points), class: smooth ? "chart-faint" : "chart-line" }));
    if (smooth) group.append(svg("path", { d: this.#path(movingMean(points)), class: "chart-line" }));
    if (points.length === 1) {
      group.append(svg("circle", { cx: this.scale.x(points[0][0]), cy: this.scale.y(points[0][1]), r: 2.5 }));
    }
    return group;
  }

  #path(points) {
    const { x, y } = this.scale;
    return points.map(([px, py], k) => `${k ? "L" : "M"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join("");
  }

  #pointAt(clientX) {
    this.at = clientX === null || !this.series.length ? null : clientX - this.element.getBoundingClientRect().left;
    this.#redraw();
  }

  /** A line at the pointer and a box with the values nearest to it. */
  #pointer() {
    this.readout.hidden = this.at === null;
    if (this.at === null) return null;
    const wanted = this.scale.back(this.at);
    const found = this.series.map((each) => ({ ...each, point: nearest(each.points, wanted) }));
    const x = this.scale.x(found[0].point[0]);
    fill(this.readout, el("div.chart-at", {}, `${this.formatX(found[0].point[0])} ${this.unitX}`), found.map((each) => el(
      "div", {}, el("i", { style: { background: each.colour } }), found.length > 1 ? `${each.name} ` : "",
      el("b", {}, this.formatY(each.point[1])),
    )));
    const right = x > this.scale.width / 2;
    Object.assign(this.readout.style, right
      ? { right: `${this.scale.width - x + 12}px`, left: "auto" }
      : { left: `${x + 12}px`, right: "auto" });
    const group = svg("g", { class: "chart-pointer" });
    group.append(svg("line", { x1: x, x2: x, y1: MARGIN.top, y2: this.height - MARGIN.bottom }));
    for (const { point, colour } of found) {
      group.append(svg("circle", { cx: this.scale.x(point[0]), cy: this.scale.y(point[1]), r: 3, style: `fill: ${colour}` }));
    }
    return group;
  }

  #inWords() {
    const ends = this.series.map((each) => `${each.name || "now"} ${this.formatY(each.points.at(-1)[1])}`);
    return `${this.label}: ${ends.join(", ") || "no figures yet"}`;
  }
}

/** The point whose x is nearest to a wanted one; points are in the order of x. */
export function nearest(points, x) {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < x) low = middle;
    else high = middle;
  }
  return Math.abs(points[low][0] - x) <= Math.abs(points[high][0] - x) ? points[low] : points[high];
}

/** Mean over a window of about a twentieth of the points around each. */
export function movingMean(points) {
  const reach = Math.max(2, Math.round(points.length / 40));
  const sums = [0];
  points.forEach(([, y], k) => sums.push(sums[k] + y));
  return points.map(([x], k) => {
    // The same reach on both sides, or ends would lean towards the middle.
    const near = Math.min(reach, k, points.length - 1 - k);
    return [x, (sums[k + near + 1] - sums[k - near]) / (2 * near + 1)];
  });
}

/** A heading over a chart, with its newest value beside it. */
export function figureCard(title, chart) {
  const now = el("span.figure-now");
  const card = el("figure.card", {}, el("figcaption", {}, el("span", {}, title), now), chart.element);
  return { card, tell: (text) => say(now, text) };
}
