/** Keys, mouse and fingers as `act` messages: sent when something changes, at most thirty a second. */

const LEAST_WAIT = 1000 / 30;
const MOST_WAITING = 4;
const PIXELS_PER_TURN = 36;
const TURN_EVERY = 130;
const DOUBLE_TAP = 300;
const MOST_TURN = 24;

/** What a key does; letters by their place on the keyboard, so that they lie together on all of them. */
const KEYS = {
  KeyW: "forward", KeyS: "back", KeyA: "left", KeyD: "right", ShiftLeft: "sprint", ShiftRight: "sprint",
  Space: "jump", KeyJ: "attack", KeyK: "use", KeyG: "eat",
  KeyQ: "turn-left", KeyE: "turn-right", KeyR: "look-up", KeyF: "look-down",
  ArrowLeft: "turn-left", ArrowRight: "turn-right", ArrowUp: "look-up", ArrowDown: "look-down",
};
const TURNS = { "turn-left": [-1, 0], "turn-right": [1, 0], "look-up": [0, 1], "look-down": [0, -1] };
const WALKS = ["forward", "back", "left", "right"];
const HANDS = ["attack", "use", "eat"];

/** Turns what a person does into messages. Nothing is heard before `start` and after `stop`. */
export class Controls {
  /**
   * @param {HTMLElement} view That the mouse is caught in.
   * @param {(act: Object) => void} send
   */
  constructor(view, send) {
    Object.assign(this, { view, send, on: false, free: false });
    this.#forget();
    this.listeners = [
      [window, "keydown", (event) => this.#key(event, true)],
      [window, "keyup", (event) => this.#key(event, false)],
      [view, "mousedown", (event) => this.#button(event, true)],
      [window, "mouseup", (event) => this.#button(event, false)],
      [document, "mousemove", (event) => this.#mouse(event)],
      [view, "contextmenu", (event) => event.preventDefault()],
      [view, "touchstart", (event) => this.#touch(event, true)],
      [view, "touchmove", (event) => this.#touch(event, false)],
    ];
    this.listeners.forEach(([target, name, hear]) => target.addEventListener(name, hear, { passive: false }));
  }

  /** Whether the mouse is caught and turns the view. */
  get locked() {
    return document.pointerLockElement === this.view;
  }

  start() {
    this.on = true;
  }

  /** Let go of everything. */
  stop() {
    if (!this.on) return;
    this.on = false;
    this.#forget();
    this.#changed();
  }

  /** Catch the mouse, if there is one. Browsers may refuse; then it turns the view while it is over it. */
  catchMouse() {
    if (window.matchMedia("(pointer: coarse)").matches) return;
    // Older browsers return nothing here, newer ones a promise.
    const caught = this.view.requestPointerLock?.();
    caught?.then(() => { this.free = false; }, () => { this.free = true; });
  }

  releaseMouse() {
    if (this.locked) document.exitPointerLock();
  }

  /** Hold something down or let it go, e.g. by a button on the screen: `forward`, `jump`, `attack`, `turn-left`. */
  hold(what, down) {
    if (!this.on || this.held.has(what) === down) return;
    if (down) this.held.add(what);
    else this.held.delete(what);
    if (what === "forward") this.#forward(down);
    if (TURNS[what]) this.#turning(what, down);
    else this.#changed();
  }

  /** Make a choice once. */
  choose(choice) {
    this.#send({ ...this.#state(), choice });
  }

  /** Hear nothing any more. */
  close() {
    this.on = false;
    this.#forget();
    this.releaseMouse();
    this.listeners.forEach(([target, name, hear]) => target.removeEventListener(name, hear));
  }

  #forget() {
    clearTimeout(this.timer);
    Object.values(this.turning ?? {}).forEach(clearInterval);
    Object.assign(this, {
      held: new Set(), turning: {}, waiting: [], turn: 0, tilt: 0, drift: [0, 0], timer: 0, last: 0, tapped: 0, dashing: false,
      finger: null,
    });
  }

  #key(event, down) {
    const what = KEYS[event.code];
    if (!this.on || !what || event.target.closest?.("input, select, textarea, dialog")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // In the menu the space bar presses buttons.
    if (event.code === "Space" && event.target.closest?.(".menu")) return;
    event.preventDefault();
    if (!event.repeat) this.hold(what, down);
  }

  #button(event, down) {
    const what = { 0: "attack", 2: "use" }[event.button];
    if (!this.on || !what) return;
    if (down && !this.locked) {
      // Buttons that lie over the picture are pressed as buttons are.
      if (!event.target.closest("canvas")) return;
      this.catchMouse();
      if (!this.free) return;
    }
    this.hold(what, down);
  }

  #mouse(event) {
    if (this.on && (this.locked || (this.free && this.view.contains(event.target)))) this.#drifted(event.movementX, event.movementY);
  }

  /** A finger that is drawn over the picture turns the view. */
  #touch(event, begins) {
    if (!this.on || !event.target.closest("canvas")) return;
    event.preventDefault();
    const { clientX, clientY } = event.targetTouches[0];
    if (!begins && this.finger) this.#drifted(clientX - this.finger[0], clientY - this.finger[1]);
    this.finger = [clientX, clientY];
  }

  /** Movement adds up until it makes whole steps of turning. */
  #drifted(x, y) {
    const moved = [this.drift[0] + x, this.drift[1] + y];
    const [turn, tilt] = moved.map((each) => Math.trunc(each / PIXELS_PER_TURN));
    this.drift = [moved[0] - turn * PIXELS_PER_TURN, moved[1] - tilt * PIXELS_PER_TURN];
    if (turn || tilt) this.#turned(turn, -tilt);
  }

  #turned(turn, tilt) {
    this.turn = within(this.turn + turn);
    this.tilt = within(this.tilt + tilt);
    this.#changed();
  }

  /** A key that is held goes on turning. */
  #turning(what, down) {
    clearInterval(this.turning[what]);
    if (!down) return;
    this.#turned(...TURNS[what]);
    this.turning[what] = setInterval(() => this.#turned(...TURNS[what]), TURN_EVERY);
  }

  /** Twice in a row, and held, means to run. */
  #forward(down) {
    const now = performance.now();
    if (down) this.dashing = now - this.tapped < DOUBLE_TAP;
    else this.tapped = now;
  }

  #state() {
    // The newest key of those that exclude each other counts.
    const held = [...this.held].reverse();
    const walk = held.find((each) => WALKS.includes(each)) ?? "none";
    const running = walk === "forward" && (this.dashing || this.held.has("sprint"));
    return { move: running ? "sprint" : walk, jump: this.held.has("jump"), hand: held.find((each) => HANDS.includes(each)) ?? "none" };
  }

  #changed() {
    this.#send(this.#state());
  }

  /** Send now, or when it is time; what was pressed and let go meanwhile is sent as well. */
  #send(act) {
    this.waiting.push({ ...act, at: performance.now() });
    while (this.waiting.length > 1 && (same(this.waiting[0], this.waiting[1]) || this.waiting.length > MOST_WAITING)) this.waiting.shift();
    if (!this.timer) this.#flush();
  }

  #flush() {
    this.timer = 0;
    if (!this.waiting.length) return;
    const wait = this.last + LEAST_WAIT - performance.now();
    if (wait > 0) {
      this.timer = setTimeout(() => this.#flush(), wait);
      return;
    }
    const { at, ...act } = this.waiting.shift();
    this.last = performance.now();
    this.send({ ...act, turn: this.turn, tilt: this.tilt, sent: at });
    Object.assign(this, { turn: 0, tilt: 0 });
    if (this.waiting.length) this.timer = setTimeout(() => this.#flush(), LEAST_WAIT);
  }
}

function same(a, b) {
  return a.move === b.move && a.jump === b.jump && a.hand === b.hand && !a.choice && !b.choice;
}

function within(turn) {
  return Math.max(-MOST_TURN, Math.min(MOST_TURN, turn));
}
