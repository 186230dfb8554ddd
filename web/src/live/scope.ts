//! What a subscription is given so that it ends: nothing in the pages outlives the view it serves.

/** Runs `what` every `ms` until the scope ends. */
export function every(scope: AbortSignal, ms: number, what: () => void): void {
  if (scope.aborted) return;
  const timer = setInterval(what, ms);
  scope.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** Runs `what` after `ms` unless the scope ends before. */
export function after(scope: AbortSignal, ms: number, what: () => void): void {
  if (scope.aborted) return;
  const timer = setTimeout(what, ms);
  scope.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

/** A scope inside a scope. */
export function within(scope: AbortSignal): AbortController {
  const inner = new AbortController();
  if (scope.aborted) inner.abort();
  else scope.addEventListener("abort", () => inner.abort(), { once: true, signal: inner.signal });
  return inner;
}
