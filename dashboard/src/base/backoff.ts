/** Waiting longer after each failure, never in step with other browsers. */

export interface BackOff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The wait before try `attempt` (from 0): half of it fixed, half chance in [0, 1). */
export function waitMs(attempt: number, backOff: BackOff, chance: number): number {
  const full = Math.min(backOff.mostMs, backOff.firstMs * 2 ** Math.min(attempt, 30));
  return full / 2 + (full / 2) * chance;
}
