/** A status as colour, shape and word. */

import type { Status } from "../data/types";

/** The shape alone; beside a word that says the same. */
export function Mark({ status }: { status: Status }) {
  return <span class={`mark mark-${status}`} aria-hidden="true" />;
}

export function StatusWord({ status }: { status: Status }) {
  return <span class={`word ink-${status}`}>{status}</span>;
}
