/** The objects of the two APIs, as far as the page shows them. Instants are epoch milliseconds. */

export const STATUSES = ["down", "degraded", "unknown", "muted", "up"] as const;

/** The five words of the contract, worst first. */
export type Status = (typeof STATUSES)[number];

export const SEVERITIES = ["critical", "error", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Instance {
  readonly instance_id: string;
  readonly status: Status;
  readonly last_seen: number | null;
  readonly version: string;
}

export interface Service {
  readonly service_name: string;
  readonly group: string;
  readonly status: Status;
  /** One sentence. */
  readonly reason: string;
  readonly last_seen: number | null;
  /** Seconds between two reports, as learnt. */
  readonly cadence: number | null;
  readonly restarts: number;
  readonly version: string;
  readonly capabilities: readonly string[];
  readonly instances: readonly Instance[];
  /** The last 24 h in equal buckets, oldest first; null where nothing was known. */
  readonly bars: readonly (Status | null)[];
}

export interface Alert {
  readonly alert_id: string;
  readonly rule_name: string;
  readonly service_name: string;
  readonly severity: Severity;
  readonly state: "pending" | "firing" | "resolved";
  readonly message: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly active_at: number | null;
  readonly silenced: boolean;
}

export interface ScheduledEvent {
  readonly event_id: string;
  readonly name: string;
  readonly status: string;
  readonly schedule_text: string;
  readonly target_service: string;
  readonly target_topic: string;
  readonly next_run: number | null;
  readonly last_run: number | null;
  readonly last_status: string;
}

export interface Execution {
  readonly execution_id: string;
  readonly event_id: string;
  readonly kind: string;
  readonly status: string;
  readonly reason: string;
  readonly scheduled_time: number | null;
}

export interface Stats {
  readonly uptime: number | null;
  readonly series: number | null;
  readonly samples_per_second: number | null;
  readonly rejected: number;
  readonly bus: BusStats;
}

export interface BusStats {
  readonly connected: boolean | null;
  readonly address: string;
  readonly messages: number | null;
  readonly messages_per_second: number | null;
  readonly last_message: number | null;
}

export interface MetricInfo {
  readonly name: string;
  readonly metric_type: string;
  readonly unit: string;
  readonly value: number | null;
  readonly timestamp: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly instance_id: string;
}

export interface ServiceMetrics {
  readonly service_name: string;
  readonly metrics: readonly MetricInfo[];
}
