//! Whether somebody sits here: a key or the pointer, told to the engine now and then. It takes them for a
//! proof of life, and puts a vital call through by itself only to who has given one a short while ago.

/** Between two words of it. The engine asks for one within two minutes; more would tell it nothing. */
export const SAID_EVERY = 15_000;

export class Presence {
  #said = Number.NEGATIVE_INFINITY;

  /** A hand at `now`: told, unless it was a moment ago. What the line has lost is told by the next one. */
  touched(now: number, tell: () => boolean): void {
    if (now - this.#said >= SAID_EVERY && tell()) this.#said = now;
  }
}

/** Hands on this page, until the scope ends. */
export function watchHands(scope: AbortSignal, tell: () => boolean): void {
  const presence = new Presence();
  const touched = (event: Event) => {
    if (event.isTrusted) presence.touched(performance.now(), tell); // a script is no hand
  };
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) {
    addEventListener(kind, touched, { signal: scope, passive: true, capture: true });
  }
}
