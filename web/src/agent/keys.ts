//! Which key does what at an agent's desk. Calls are answered blind, with a headset on and eyes on
//! another screen: keys work wherever the focus is, and typing a note can never press one.

/** What a key can do. */
export type Action =
  | "answer" | "hang_up" | "hold" | "mute" | "ready" | "vital" | "p1" | "p2" | "p3"
  | "together" | "leave" | "hand_over" | "pick_up";

/** A key with what is held down, as `Shift+F7`. */
export type Chord = string;

export type Bindings = Readonly<Record<Action, Chord>>;

/** F1, F3, F5, F11 and F12 belong to browsers; a hang-up is far from an answer. */
export const DEFAULT: Bindings = {
  answer: "F2",
  mute: "F4",
  hold: "F8",
  hang_up: "F9",
  ready: "F10",
  vital: "Shift+F7",
  p1: "Shift+F1",
  p2: "Shift+F2",
  p3: "Shift+F3",
  together: "Shift+F8",
  leave: "Shift+F9",
  hand_over: "Ctrl+F8",
  pick_up: "Ctrl+F2",
};

export const ACTIONS = Object.keys(DEFAULT) as Action[];

/** What of a keyboard event counts. */
export type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey" | "repeat">;

/** Why a key cannot be had. */
export type Unfit = "bare" | "shift" | "taken" | "browser";

const MODIFIERS = ["Control", "Shift", "Alt", "Meta", "AltGraph", "CapsLock", "Dead"];
/** What no page gets, or must not take from a person who needs it. */
const BROWSERS = ["F1", "F3", "F5", "F6", "F11", "F12", "Ctrl+F5", "Shift+F5", "Alt+F4", "Ctrl+KeyT", "Ctrl+KeyN", "Ctrl+KeyW", "Ctrl+KeyR", "Ctrl+KeyC", "Ctrl+KeyV", "Ctrl+KeyX", "Ctrl+KeyA", "Ctrl+KeyZ", "Ctrl+KeyL", "Ctrl+KeyP", "Ctrl+Tab", "Alt+Tab"];

/** The chord of a press; `null` while only modifiers are down. */
export function chordOf(press: Press): Chord | null {
  if (MODIFIERS.includes(press.key) || press.key === "") return null;
  // Keys of the typing block by their place: the same on every layout. The others by their name.
  const key = /^(Key|Digit|Numpad)/.test(press.code) ? press.code : press.key === " " ? "Space" : press.key;
  const held = [press.ctrlKey && "Ctrl", press.altKey && "Alt", press.shiftKey && "Shift", press.metaKey && "Meta"];
  return [...held.filter(Boolean), key].join("+");
}

/** What a press does. A key held down does it once: the second call must not be taken by a heavy hand. */
export function actionOf(press: Press, bindings: Bindings): Action | null {
  if (press.repeat) return null;
  const chord = chordOf(press);
  return ACTIONS.find((action) => bindings[action] === chord) ?? null;
}

/** Why `action` cannot be on `chord`; `null`: it can. */
export function unfit(action: Action, chord: Chord, bindings: Bindings): Unfit | null {
  const parts = chord.split("+");
  const key = parts.at(-1) ?? "";
  const isFunction = /^F([1-9]|1\d|2[0-4])$/.test(key);
  const isHeldKey = parts.includes("Ctrl") || parts.includes("Alt") || parts.includes("Meta");
  if (!isFunction && !isHeldKey) return "bare";
  if (BROWSERS.includes(chord)) return "browser";
  if (action === "vital" && !parts.includes("Shift")) return "shift";
  return ACTIONS.some((other) => other !== action && bindings[other] === chord) ? "taken" : null;
}

/** A chord as it is written on a button. */
export function keyName(chord: Chord, shift: string): string {
  return chord.replace(/Key|Digit/, "").replace("Shift", shift).replaceAll("+", " + ");
}

const KEPT_AS = "bandeau.keys";

/** The keys of this browser; whatever is not fit any more is as it was delivered. */
export function keptBindings(): Bindings {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") as Partial<Record<Action, unknown>>;
    return sound(kept);
  } catch {
    return DEFAULT;
  }
}

/** Bindings out of whatever was kept: each one fit, all different. */
export function sound(kept: Partial<Record<Action, unknown>>): Bindings {
  let bindings: Bindings = DEFAULT;
  for (const action of ACTIONS) {
    const chord = kept[action];
    if (typeof chord === "string" && unfit(action, chord, bindings) === null) bindings = { ...bindings, [action]: chord };
  }
  return bindings;
}

export function keepBindings(bindings: Bindings): void {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify(bindings));
  } catch {
    // A browser that keeps nothing has the delivered keys again next time.
  }
}
