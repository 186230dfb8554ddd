import { describe, expect, it } from "vitest";
import { ACTIONS, actionOf, chordOf, DEFAULT, keyName, sound, unfit, type Press } from "./keys";

const press = (key: string, over: Partial<Press> = {}): Press => ({
  key, code: key, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, repeat: false, ...over,
});

describe("keys at a desk", () => {
  it("one key answers", () => {
    expect(actionOf(press("F2"), DEFAULT)).toBe("answer");
  });

  it("a key held down answers once", () => {
    expect(actionOf(press("F2", { repeat: true }), DEFAULT)).toBeNull();
  });

  it("vital distress is never declared without Shift", () => {
    expect(actionOf(press("F7"), DEFAULT)).toBeNull();
    expect(actionOf(press("F7", { shiftKey: true }), DEFAULT)).toBe("vital");
    expect(unfit("vital", "F7", DEFAULT)).toBe("shift");
    expect(unfit("vital", "Ctrl+F7", DEFAULT)).toBe("shift");
    expect(unfit("vital", "Ctrl+Shift+F7", DEFAULT)).toBeNull();
  });

  it("typing a note presses nothing, whatever is typed", () => {
    for (const key of [...Array.from("abcdefghijklmnopqrstuvwxyzéèà0123456789 ,.;!?"), "Enter", "Backspace", "Tab", "ArrowUp", "Escape"]) {
      expect(actionOf(press(key, { code: /[a-z]/.test(key) ? `Key${key.toUpperCase()}` : key }), DEFAULT), key).toBeNull();
    }
  });

  it("no key may become a bare letter, a digit, Enter or Space, with Shift either", () => {
    for (const chord of ["KeyA", "Shift+KeyA", "Digit1", "Enter", "Space", "Shift+Enter", "Tab", "Numpad0"]) {
      expect(unfit("answer", chord, DEFAULT), chord).toBe("bare");
    }
    expect(unfit("answer", "Ctrl+Alt+KeyA", DEFAULT)).toBeNull();
    expect(unfit("answer", "F13", DEFAULT)).toBeNull();
  });

  it("two actions never share a key, and the browser keeps its own", () => {
    expect(unfit("mute", "F2", DEFAULT)).toBe("taken");
    expect(unfit("answer", "F2", DEFAULT)).toBeNull();
    expect(unfit("mute", "F5", DEFAULT)).toBe("browser");
  });

  it("what is delivered is fit itself", () => {
    for (const action of ACTIONS) expect(unfit(action, DEFAULT[action], DEFAULT), action).toBeNull();
    expect(new Set(Object.values(DEFAULT)).size).toBe(ACTIONS.length);
  });

  it("what was kept and is not fit is as delivered", () => {
    expect(sound({ answer: "F13", mute: "KeyM", vital: "F7", hold: 7, hang_up: "F10" })).toEqual({ ...DEFAULT, answer: "F13" });
  });

  it("a modifier alone is no key, and letters are known by their place", () => {
    expect(chordOf(press("Shift", { shiftKey: true }))).toBeNull();
    expect(chordOf(press("q", { code: "KeyA", ctrlKey: true, altKey: true }))).toBe("Ctrl+Alt+KeyA");
    expect(keyName("Shift+F7", "Maj")).toBe("Maj + F7");
  });
});
