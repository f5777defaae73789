/** Where the services of the fleet stand on the wall; others may say so by a `group` of their own. */

export const GROUPS = ["core", "management", "voice", "devices", "advanced", "other"] as const;

/** Our own two: what they send says little about a fleet. */
export const OURS: ReadonlySet<string> = new Set(["metrics_collector", "event_scheduler"]);

const MEMBERS: Readonly<Record<string, string>> = {
  core: "security_gateway device_registry discovery_service health_monitor config_service",
  management:
    "load_balancer metrics_collector event_scheduler configuration_manager service_orchestrator",
  voice: "stt_service ai_service tts_service voice_router",
  devices: "sonos_service device_manager ha_bridge device_control",
  advanced: "grok_integration personality_system multi_language advanced_voice",
};

const GROUP_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(MEMBERS).flatMap(([group, names]) => names.split(" ").map((n) => [n, group])),
);

export function groupOf(service: string): string {
  return GROUP_OF.get(service) ?? "other";
}
