//! One tab speaks for an agent. The others see the calls; taking the audio over is said aloud.

export type Ownership = "asking" | "ours" | "elsewhere";

/** Holds the browser's lock for as long as this tab speaks. Another browser is the engine's to refuse. */
export class Owner {
  readonly #name: string;
  readonly #onChange: (ownership: Ownership) => void;
  readonly #scope: AbortSignal;
  #letGo: (() => void) | null = null;

  constructor(scope: AbortSignal, agent: string, onChange: (ownership: Ownership) => void) {
    this.#name = `bandeau.audio.${agent}`;
    this.#onChange = onChange;
    this.#scope = scope;
    scope.addEventListener("abort", () => this.letGo(), { once: true });
  }

  /** Takes the lock; by force, the tab that has it learns that it lost it. */
  ask(byForce: boolean): void {
    const options: LockOptions = byForce ? { steal: true } : { ifAvailable: true };
    const hold = (lock: Lock | null): Promise<void> => {
      if (!lock || this.#scope.aborted) {
        this.#onChange("elsewhere");
        return Promise.resolve();
      }
      this.#onChange("ours");
      return new Promise((letGo) => {
        this.#letGo = letGo;
      });
    };
    // A lock that was stolen rejects: another tab speaks from here on.
    navigator.locks.request(this.#name, options, hold).catch(() => {
      this.#letGo = null;
      if (!this.#scope.aborted) this.#onChange("elsewhere");
    });
  }

  letGo(): void {
    this.#letGo?.();
    this.#letGo = null;
  }
}

/** This tab's own id, kept over a reload: to the engine, a reloaded page is the same page. A tab that
 * was duplicated has its sister's id until it finds that she lives. */
export async function ownTab(): Promise<string> {
  const KEPT_AS = "bandeau.tab";
  const kept = sessionStorage.getItem(KEPT_AS) ?? crypto.randomUUID();
  const id = (await isFree(kept)) ? kept : crypto.randomUUID();
  sessionStorage.setItem(KEPT_AS, id);
  if (id !== kept) await isFree(id);
  return id;
}

/** Takes a tab's id for as long as the page lives. */
function isFree(id: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((tell) => {
    void navigator.locks.request(`bandeau.tab.${id}`, { ifAvailable: true }, (lock) => {
      tell(lock !== null);
      return lock ? new Promise(() => undefined) : undefined;
    });
  });
}
