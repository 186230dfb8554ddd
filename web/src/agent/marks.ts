//! What the line says of its caller beside the number, in a few calm words: shown, never a reason for anything.

import { t } from "../i18n/words";
import { readable } from "../live/room";
import type { Signed } from "../wire/generated";

/** How well the network knows the caller, who has passed the call on, how urgent another centre holds it. */
export function marks(signed: Signed | null): string[] {
  if (!signed) return [];
  const { attested, passed_by, priority } = signed;
  const [by, ...earlier] = passed_by.map(readable);
  return [
    attested === "unreadable" ? t("mark.unreadable") : attested ? t("mark.attested", { letter: attested }) : "",
    by ? t("mark.passed_by", { number: [by, ...earlier].join(", ") }) : "",
    priority ? t("mark.priority", { value: priority }) : "",
  ].filter(Boolean);
}
