/**
 * The one connection of a page to the studio. What goes out is `{type, ...fields}` as in messages.py; what comes in is
 * JSON of the same form, or a binary frame: length of a JSON header (uint32, little-endian), the header, a picture.
 */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/** What a binary frame holds: `about` from its header, and the `picture` as a Blob. */
export function readFrame(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { about, picture: new Blob([new Uint8Array(buffer, 4 + length)]) };
}

/** A connection that comes back by itself after it is lost. */
export class Wire {
  /** @param {string} url Of the socket. */
  constructor(url) {
    this.url = url;
    this.socket = null;
    this.listeners = new Map();
    this.joining = new Set();
    this.watching = new Set();
    this.wait = FIRST_WAIT;
    this.timer = 0;
  }

  /** Whether messages can be sent now. */
  get open() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Connect, and go on trying until it works. */
  connect() {
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#lost(event.reason);
    this.socket = socket;
  }

  /** Send a message. One that cannot be sent is dropped: after a reconnection pages ask anew. */
  say(type, fields = {}) {
    if (this.open) this.socket.send(JSON.stringify({ type, ...fields }));
  }

  /** Hear messages and frames of a type; call what comes back to hear no more. */
  on(type, listener) {
    if (!this.listeners.has(type)) this.listeners.set(type, new Set());
    this.listeners.get(type).add(listener);
    return () => this.listeners.get(type).delete(listener);
  }

  /** Do something now if connected, and again after every reconnection, since the studio forgets who was gone. */
  joined(listener) {
    this.joining.add(listener);
    if (this.open) listener();
    return () => this.joining.delete(listener);
  }

  /** Be told `("open", "")` or `("lost", why)` whenever it changes. */
  watch(listener) {
    this.watching.add(listener);
  }

  #opened() {
    this.wait = FIRST_WAIT;
    this.watching.forEach((listener) => listener("open", ""));
    this.joining.forEach((listener) => listener());
  }

  #received(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      this.#dispatch(message.type, message);
    } else {
      const { about, picture } = readFrame(data);
      this.#dispatch(about.type, about, picture);
    }
  }

  #dispatch(type, message, picture) {
    this.listeners.get(type)?.forEach((listener) => listener(message, picture));
  }

  #lost(reason) {
    this.watching.forEach((listener) => listener("lost", reason));
    // Many pages that lost the same studio should not all come back in the same moment.
    this.timer = setTimeout(() => this.connect(), this.wait * (0.75 + 0.5 * Math.random()));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}

/** The socket's address beside the page's own. */
export function socketAddress(place = window.location) {
  return `${place.protocol === "https:" ? "wss" : "ws"}://${place.host}/socket`;
}

/** Several subscriptions that end together. */
export class Subscriptions {
  #ends = [];

  /** Keep what ends a subscription. */
  add(...ends) {
    this.#ends.push(...ends);
  }

  /** End them all. */
  close() {
    this.#ends.forEach((end) => end());
    this.#ends = [];
  }
}
