//! Time on the screen: one tick for every counter, so that they move together.

import { signal } from "@preact/signals";

/** The page's own monotonic clock, four times a second: a counter never skips a second. */
export const tick = signal(0);

/** Lets the clock run until the scope ends. */
export function runClock(scope: AbortSignal): void {
  tick.value = performance.now();
  const timer = setInterval(() => (tick.value = performance.now()), 250);
  scope.addEventListener("abort", () => clearInterval(timer), { once: true });
}
