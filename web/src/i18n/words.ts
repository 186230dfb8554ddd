//! The words of the chosen language, with their blanks filled in.

import { effect, signal } from "@preact/signals";
import { en } from "./en";
import { fr, type Word } from "./fr";

export type { Word };
export type Language = "fr" | "en";

const KEPT_AS = "bandeau.language";

export const language = signal<Language>(preferred());

effect(() => {
  if (typeof document !== "undefined") document.documentElement.lang = language.value;
});

/** Speaks another language from here on, at this browser. */
export function speak(other: Language): void {
  language.value = other;
  try {
    localStorage.setItem(KEPT_AS, other);
  } catch {
    // A browser that keeps nothing starts in its own language again.
  }
}

type Blanks = Record<string, string | number>;

/** The text of a word. */
export function t(word: Word, blanks: Blanks = {}): string {
  return fill((language.value === "fr" ? fr : en)[word], blanks);
}

/** The text for a code of the engine or of a plan, where there is one; else `otherwise`. */
export function code(prefix: string, name: string, otherwise: string = name, blanks: Blanks = {}): string {
  const word = `${prefix}.${name}`;
  return isWord(word) ? t(word, blanks) : otherwise;
}

function isWord(text: string): text is Word {
  return Object.hasOwn(fr, text);
}

function fill(text: string, blanks: Blanks): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(blanks[name] ?? whole));
}

function preferred(): Language {
  if (typeof document === "undefined") return "fr";
  try {
    const kept = localStorage.getItem(KEPT_AS);
    if (kept === "fr" || kept === "en") return kept;
  } catch {
    // as below
  }
  return navigator.language.startsWith("en") ? "en" : "fr";
}
