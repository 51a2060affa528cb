/** Pictures from the studio on canvases. */

/** Shows a stream of pictures; while one is being decoded, only the newest of those that come is kept. */
export class Screen {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(context: CanvasRenderingContext2D, picture: ImageBitmap, about: Object) => void} [draw] By default the
   *   canvas takes the picture's size and shows it whole.
   */
  constructor(canvas, draw = drawWhole) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.draw = draw;
    this.waiting = null;
    this.busy = false;
    this.shown = 0;
  }

  /** Show a picture, unless a newer one overtakes it. */
  async show(blob, about = {}) {
    this.waiting = { blob, about };
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting) {
        const next = this.waiting;
        this.waiting = null;
        await this.#decode(next);
      }
    } finally {
      this.busy = false;
    }
  }

  async #decode({ blob, about }) {
    const picture = await createImageBitmap(blob);
    this.draw(this.context, picture, about);
    picture.close();
    this.shown += 1;
  }
}

function drawWhole(context, picture) {
  resize(context.canvas, picture.width, picture.height);
  context.drawImage(picture, 0, 0);
}

/** Give a canvas a size in pixels; one it has already is left, since setting it would clear the canvas. */
export function resize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

/**
 * How wide a picture to ask for, so that its pixels fall on whole numbers of the screen's: as wide as it is shown, or a
 * half of that, or a third, until it is not above `most`.
 */
export function sideFor(shown, most, least) {
  const pixels = shown * window.devicePixelRatio;
  const parts = Math.max(1, Math.ceil(pixels / most));
  return Math.max(least, 4 * Math.floor(pixels / parts / 4));
}

/**
 * The larger number where there are cores to spare, the smaller one elsewhere: every pixel is a ray that a core of the
 * studio's machine has to follow, and that is mostly the machine of whoever looks.
 */
export function ofCores(few, many) {
  return (navigator.hardwareConcurrency ?? 4) >= 8 ? many : few;
}
