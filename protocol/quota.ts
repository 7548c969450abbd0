/**
 * The quotas of a tenant (PRODUCT.md, Quotas): unit, each tier's own limit, and where it is enforced. A limit stands here
 * only when the thing that it limits exists and is held to it; what has a name in PRODUCT.md and no feature yet stands in
 * ABSENT with the reason, so that no screen shows a limit that nobody enforces.
 */
export const TIERS = ["small", "medium", "large"] as const
export type Tier = (typeof TIERS)[number]
export const isTier = (text: string): text is Tier => (TIERS as readonly string[]).includes(text)

export interface QuotaRow {
  readonly unit: string
  /**
   * `total` = so many at once; `rate` = so many in `perMs`; `bound` = no single one may be larger. A bound has no use to
   * show.
   */
  readonly kind: "total" | "rate" | "bound"
  /** Of a rate: the period that its limit counts. */
  readonly perMs?: number
  readonly small: number
  readonly medium: number
  readonly large: number
  /** U = what the screens offer, A = API, I = ingest, E = engine. */
  readonly enforced: string
}

const total = (unit: string, enforced: string, small: number, medium: number, large: number): QuotaRow => ({
  unit,
  kind: "total",
  small,
  medium,
  large,
  enforced,
})
const bound = (unit: string, enforced: string, small: number, medium: number, large: number): QuotaRow => ({
  ...total(unit, enforced, small, medium, large),
  kind: "bound",
})
const rate = (
  unit: string,
  perMs: number,
  enforced: string,
  small: number,
  medium: number,
  large: number,
): QuotaRow => ({ ...total(unit, enforced, small, medium, large), kind: "rate", perMs })

const SECOND = 1_000
const MINUTE = 60_000

export const QUOTAS = {
  max_devices: total("devices", "UA", 250, 2_500, 50_000),
  /** As the devices tell them, over all devices. */
  max_interfaces: total("interfaces", "I", 10_000, 100_000, 2_000_000),
  max_links: total("links", "A", 500, 5_000, 200_000),
  /** Open invitations count. */
  max_users: total("users", "UA", 25, 250, 5_000),
  max_api_keys: total("keys", "UA", 20, 100, 1_000),
  max_metric_series: total("series", "I", 100_000, 1_000_000, 50_000_000),
  max_ingest_samples_per_s: rate("samples/s", SECOND, "I", 10_000, 100_000, 2_000_000),
  /** Traps and syslog lines that reach the twin, repeats folded. */
  max_events_per_s: rate("events/s", SECOND, "I", 200, 2_000, 20_000),
  max_syslog_msgs_per_s: rate("lines/s", SECOND, "I", 500, 5_000, 50_000),
  max_retention_days_samples: bound("days", "UA", 30, 400, 3_660),
  max_retention_days_events: bound("days", "UA", 90, 400, 3_660),
  max_retention_days_journal: bound("days", "UA", 3, 30, 3_660),
  max_storage_gb: total("GB", "E", 20, 200, 2_000),
  /** Shipped, changed and own ones. */
  max_rules: total("rules", "UA", 200, 500, 2_000),
  /** How far back a rule that the tenant writes may look: a baseline of the same time last week is 626,400 s. */
  max_rule_window_s: bound("s", "A", 691_200, 1_382_400, 3_456_000),
  /** Devices that are pinged, and service probes. */
  max_probe_targets: total("targets", "A", 1_000, 10_000, 100_000),
  max_probe_pps: rate("packets/s", SECOND, "E", 200, 2_000, 20_000),
  max_api_requests_per_min: rate("requests/min", MINUTE, "A", 1_200, 6_000, 60_000),
  max_ws_clients: total("streams", "A", 50, 500, 20_000),
  max_ws_delta_bytes_per_s: rate("bytes/s", SECOND, "E", 2_000_000, 20_000_000, 200_000_000),
  max_export_bytes: bound("bytes", "A", 100_000_000, 1_000_000_000, 10_000_000_000),
  /** Replays on the screen, each a thread with its own twin; those of the command line are the machine's owner's. */
  max_concurrent_replays: total("replays", "UA", 2, 4, 8),
  /** Traps and syslog lines that wait for the twin. */
  mailbox_depth: total("inputs", "E", 1_024, 4_096, 8_192),
} as const satisfies Readonly<Record<string, QuotaRow>>

export type QuotaName = keyof typeof QUOTAS
export const QUOTA_NAMES = Object.keys(QUOTAS) as readonly QuotaName[]
export const isQuota = (text: string): text is QuotaName => Object.hasOwn(QUOTAS, text)

/** Named by PRODUCT.md, not enforced: why. */
export const ABSENT: Readonly<Record<string, string>> = {
  max_agents: "there are no agents yet (C13)",
  max_batch_bytes: "there is no ingest by HTTP yet; a poll is bounded by its collector",
  max_labels_per_sample: "samples have no labels: a series is (device, entity, metric)",
  max_diagnostics_per_hour:
    "no route runs a diagnosis yet (C11); on the command line it is the machine's owner who asks",
  max_scan_addresses_per_day: "there is no scan yet (C12)",
  max_notifications_per_hour: "there are no notifications yet (I13)",
  max_reports_per_day: "there are no reports yet (I19)",
  max_forks: "there is no what-if yet",
  max_cpes: "there is no TR-069 server yet (C18)",
  max_commands_concurrent: "there is no command queue yet (C20)",
  queue_depth: "there is no command queue yet (C20); what waits for the twin is mailbox_depth",
  actor_memory_mb: "one process holds all tenants' heaps, and V8 does not tell them apart",
}

/** A limit that may be set by hand: whole, 0 = none of it, small enough to be counted exactly. */
export const isLimit = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** The tier's own limit, or what was set for this tenant instead. */
export const limitOf = (tier: Tier, overrides: Readonly<Partial<Record<QuotaName, number>>>, name: QuotaName): number =>
  overrides[name] ?? QUOTAS[name][tier]
