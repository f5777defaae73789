/** How many services have each status. */

import type { Service, Status } from "./types";

export function counts(services: readonly Service[]): Readonly<Record<Status, number>> {
  const result = { down: 0, degraded: 0, unknown: 0, muted: 0, up: 0 };
  for (const s of services) result[s.status]++;
  return result;
}
