//! The start of a shift: who, and at which position.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "./i18n/words";
import { signIn, type NotIn, type Person, type Role } from "./live/session";

const ROLES: Role[] = ["agent", "regulator", "supervisor", "administrator", "observer"];
const POSITION_KEPT_AS = "bandeau.position";

export function SignIn({ onIn, over }: { onIn: (person: Person) => void; over: boolean }) {
  const busy = useSignal(false);
  const failed = useSignal<NotIn | null>(null);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []); // nothing else is on this page: a shift starts by typing
  const submit = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const text = (name: string) => {
      const value = fields.get(name);
      return typeof value === "string" ? value : "";
    };
    busy.value = true;
    const position = text("position").trim();
    const answer = await signIn({ name: text("name").trim(), password: text("password"), position, role: text("role") });
    busy.value = false;
    if (typeof answer === "string") {
      failed.value = answer;
      return;
    }
    localStorage.setItem(POSITION_KEPT_AS, position);
    onIn(answer);
  };
  return (
    <main class="signin">
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <h1>{t("signin.title")}</h1>
        {over && <p role="status">{t("line.signed_out")}</p>}
        <label class="field">
          <span>{t("signin.name")}</span>
          <input ref={first} name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label class="field">
          <span>{t("signin.password")}</span>
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <label class="field">
          <span>
            {t("signin.position")} <span class="detail">{t("signin.position_hint")}</span>
          </span>
          <input name="position" autocomplete="off" defaultValue={localStorage.getItem(POSITION_KEPT_AS) ?? ""} />
        </label>
        <label class="field">
          <span>{t("signin.role")}</span>
          <select name="role">
            <option value="">{t("signin.role_own")}</option>
            {ROLES.map((role) => (
              <option key={role} value={role}>{t(`role.${role}`)}</option>
            ))}
          </select>
        </label>
        <p class="warning" role="alert">{failed.value && t(failed.value === "role" ? "signin.refused" : `signin.${failed.value}`)}</p>
        <button type="submit" class="button answer wide" disabled={busy.value}>{busy.value ? t("signin.busy") : t("signin.go")}</button>
      </form>
    </main>
  );
}
