//! Who is signed in: the account behind the cookie, which no script can read.

/** What an account allows. */
export type Role = "observer" | "agent" | "regulator" | "supervisor" | "administrator";

/** Who is signed in. */
export type Person = { name: string; role: Role; agent: string | null; position: string | null };

/** Why somebody is not let in, as a code. */
export type NotIn = "wrong" | "too_many" | "role" | "offline" | "refused";

const SESSION = "/api/v1/session";

/** Who is signed in; `null`: nobody, `"offline"`: the engine does not answer. */
export async function whoIsIn(): Promise<Person | null | "offline"> {
  try {
    const response = await fetch(SESSION, { headers: { accept: "application/json" }, cache: "no-store" });
    if (response.ok) return (await response.json()) as Person;
    return response.status === 401 || response.status === 403 ? null : "offline";
  } catch {
    return "offline";
  }
}

/** What somebody says at the door; empty: the account's own position or role. */
export type Wish = { name: string; password: string; position: string; role: string };

/** Begins a shift. */
export async function signIn(wish: Wish): Promise<Person | NotIn> {
  const said = Object.entries(wish).filter(([, value]) => value !== "");
  const body = JSON.stringify(Object.fromEntries(said));
  try {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const response = await fetch(SESSION, { method: "POST", headers, body });
    if (response.ok) {
      const person = await whoIsIn();
      return person === null || person === "offline" ? "refused" : person;
    }
    switch (response.status) {
      case 401:
        return "wrong";
      case 403:
        return "role";
      case 429:
        return "too_many";
      default:
        return "refused";
    }
  } catch {
    return "offline";
  }
}

/** Ends it. */
export async function signOut(): Promise<void> {
  try {
    await fetch(SESSION, { method: "DELETE" });
  } catch {
    // Offline: the session ends by its own life-time, and the page forgets it now.
  }
}
