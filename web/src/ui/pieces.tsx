//! Pieces every view is made of: a button, a badge of a class, a message, a panel.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { code } from "../i18n/words";

type ButtonProps = {
  children: ComponentChildren;
  onPress: () => void;
  kind?: "plain" | "answer" | "danger" | "vital" | "quiet";
  /** The key that does the same, as it is written. */
  keyName?: string | undefined;
  pressed?: boolean | undefined;
  disabled?: boolean | undefined;
  label?: string | undefined;
};

/** A button, with its key on it. Shortcuts are told to readers by the same text. */
export function Button({ children, onPress, kind = "plain", keyName, pressed, disabled, label }: ButtonProps) {
  return (
    <button type="button" class={`button ${kind}`} onClick={onPress} aria-pressed={pressed} disabled={disabled} aria-label={label}>
      <span>{children}</span>
      {keyName !== undefined && <kbd>{keyName}</kbd>}
    </button>
  );
}

/** What stands for a class besides its colour: readable without any. */
const SHAPES: Record<string, string> = { vital: "▲", declared: "△", partner: "◆", p1: "●", p2: "◐", p3: "○" };

/** The class of a call: a word, a shape and a colour. */
export function ClassBadge({ name, fenced = false }: { name: string | null; fenced?: boolean }) {
  const known = name ?? "unqualified";
  const look = fenced || known === "vital" ? "vital" : (SHAPES[known] === undefined ? "other" : known);
  return (
    <span class={`badge class-${look}`}>
      <span aria-hidden="true">{fenced ? "▲" : (SHAPES[known] ?? "–")}</span> {code("class", known)}
    </span>
  );
}

/** A titled part of a page. */
export function Panel({ title, children, count, name }: { title: string; children: ComponentChildren; count?: number; name: string }) {
  return (
    <section class={`panel ${name}`} aria-labelledby={`title-${name}`}>
      <h2 id={`title-${name}`}>
        {title}
        {count !== undefined && <span class="count">{count}</span>}
      </h2>
      {children}
    </section>
  );
}

/** Says something to whoever does not look: politely, or at once. The same words twice are said twice. */
export function Announce({ text, urgent = false }: { text: string; urgent?: boolean }) {
  return (
    <div class="unseen" aria-live={urgent ? "assertive" : "polite"} role={urgent ? "alert" : "status"}>
      {text}
    </div>
  );
}

/** A press that must be repeated within four seconds to count. */
export function TwicePressed({ first, second, label, onPress }: { first: string; second: string; label?: string; onPress: () => void }) {
  const [asked, ask] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => ask(false), 4_000);
    return () => clearTimeout(timer);
  }, [asked]);
  const press = () => {
    if (asked) onPress();
    ask(!asked);
  };
  return (
    <Button onPress={press} kind={asked ? "danger" : "plain"} label={label && `${asked ? second : first} (${label})`}>
      {asked ? second : first}
    </Button>
  );
}

/** A list to choose from that acts at once and then stands empty again. */
export function Chooser({ label, empty, choices, onChoose }: { label: string; empty: string; choices: { id: string; text: string }[]; onChoose: (id: string) => void }) {
  const element = useRef<HTMLSelectElement>(null);
  return (
    <select
      ref={element}
      class="chooser"
      aria-label={label}
      value=""
      onChange={(event) => {
        const id = event.currentTarget.value;
        if (element.current) element.current.value = "";
        if (id) onChoose(id);
      }}
    >
      <option value="">{empty}</option>
      {choices.map(({ id, text }) => (
        <option key={id} value={id}>
          {text}
        </option>
      ))}
    </select>
  );
}
