/**
 * The engine about itself (twin/self/, engine/self/): whether it polls in time, keeps what it hears, and has room. It reads
 * itself every fifteen seconds. The last four are of the whole engine and know something in the platform's own tenant only.
 */
import type { MetricName } from "#protocol/metric.ts"
import type { Condition, Scope } from "#protocol/rule.ts"
import { level, packRule } from "#twin/alert/packs/pack.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"

const SELF = "engine:self"
const scope: Scope = { by_entity_type: ["engine"] }

/** A counter that grew: how much in a second does not matter, that it did does. */
const grew = (metric: MetricName, lookback_seconds: number): Condition => ({
  type: "rate_of_change",
  metric,
  operator: ">",
  threshold_num: 0,
  lookback_seconds,
})

export const engine: RulePack = {
  id: "engine",
  name: "Engine",
  rules: [
    packRule({
      id: "engine-polls-late",
      name: "Polls begin late",
      severity: "warn",
      scope,
      condition: level("min", "engine.poll_lateness_p99_ms", ">", 2000, 120),
      for_seconds: 60,
      summary: "The slowest of the engine's polls begin up to {{value}} ms late",
      description:
        "For two minutes one poll in a hundred began more than two seconds late: the engine has too much to do.",
      fires: `load 0s..6m every 15s ${SELF} engine.poll_lateness_p99_ms 5000\nexpect firing engine-polls-late ${SELF} at 5m`,
      quiet: `load 0s..30m every 15s ${SELF} engine.poll_lateness_p99_ms 5000 / 50\nexpect never engine-polls-late`,
    }),
    packRule({
      id: "engine-database-away",
      name: "Database away",
      severity: "critical",
      scope,
      condition: { type: "consecutive", metric: "engine.database_up", operator: "==", threshold_num: 0, count: 2 },
      summary: "The database does not take the journal: it goes to the local disk",
      description:
        "Polling, the map and alerts go on, and nothing is lost while the spool has room; sign-in, history and changes wait.",
      fires: `load 0s..1m every 15s ${SELF} engine.database_up 1\nload 75s..3m every 15s ${SELF} engine.database_up 0\nexpect firing engine-database-away ${SELF} at 2m`,
      quiet: `load 0s..10m every 15s ${SELF} engine.database_up 1 / 0\nexpect never engine-database-away`,
    }),
    packRule({
      id: "engine-spool-filling",
      name: "Spool fills",
      severity: [
        { when: level("last", "engine.spool_used_pct", ">", 80, 60), sev: "critical" },
        { when: level("last", "engine.spool_used_pct", ">", 40, 60), sev: "warn" },
      ],
      scope,
      condition: level("last", "engine.spool_used_pct", ">", 40, 60),
      recover: level("max", "engine.spool_used_pct", "<", 20, 60),
      summary: "The journal's local spool is {{value}} % full",
      description: "When it is full inputs wait, old polls are dropped and events are pushed back.",
      fires: `load 0s..5m every 15s ${SELF} engine.spool_used_pct 90\nexpect firing engine-spool-filling ${SELF} at 2m\nexpect severity critical engine-spool-filling`,
      quiet: `load 0s..20m every 15s ${SELF} engine.spool_used_pct 0 -> 35\nexpect never engine-spool-filling`,
    }),
    packRule({
      id: "engine-journal-lag",
      name: "Journal behind",
      severity: "critical",
      scope,
      condition: level("min", "ingest.lag_seconds", ">", 10, 60),
      summary: "Inputs have waited {{value}} s to be durable",
      description: "Neither database nor spool keeps up. What waits would be lost with the engine's process.",
      fires: `load 0s..3m every 15s ${SELF} ingest.lag_seconds 30\nexpect firing engine-journal-lag ${SELF} at 2m`,
      quiet: `load 0s..10m every 15s ${SELF} ingest.lag_seconds 0 / 30\nexpect never engine-journal-lag`,
    }),
    packRule({
      id: "engine-inputs-refused",
      name: "Inputs refused",
      severity: "warn",
      scope,
      condition: grew("engine.inputs_refused_total", 300),
      summary: "The twin's inbox was full: inputs were refused",
      description:
        "Polls, traps or lines found no room within five minutes. A poll that a newer one overtakes is not counted.",
      fires: `load 0s..5m every 15s ${SELF} engine.inputs_refused_total 7 -> 9\nexpect firing engine-inputs-refused ${SELF} at 4m`,
      quiet: `load 0s..30m every 15s ${SELF} engine.inputs_refused_total 7\nexpect never engine-inputs-refused`,
    }),
    packRule({
      id: "engine-quota-dropped",
      name: "Quotas leave measurements out",
      severity: "warn",
      scope,
      condition: grew("engine.quota_dropped_total", 900),
      summary: "The tenant's quotas leave samples or messages out",
      description:
        "Within a quarter of an hour samples, traps or lines beyond a quota were dropped: the twin does not see them.",
      fires: `load 0s..10m every 15s ${SELF} engine.quota_dropped_total 0 -> 400\nexpect firing engine-quota-dropped ${SELF} at 9m`,
      quiet: `load 0s..1h every 15s ${SELF} engine.quota_dropped_total 400\nexpect never engine-quota-dropped`,
    }),
    packRule({
      id: "engine-history-behind",
      name: "History behind",
      severity: "warn",
      scope,
      condition: level("min", "engine.history_behind_inputs", ">", 0, 600),
      for_seconds: 300,
      summary: "Charts are behind by {{value}} inputs that the journal alone has",
      description: "For ten minutes and more the history has not caught up with the journal; nothing is lost yet.",
      fires: `load 0s..20m every 15s ${SELF} engine.history_behind_inputs 5000\nexpect firing engine-history-behind ${SELF} at 18m`,
      quiet: `load 0s..8m every 15s ${SELF} engine.history_behind_inputs 5000 -> 10\nload 9m..1h every 15s ${SELF} engine.history_behind_inputs 0\nexpect never engine-history-behind`,
    }),
    packRule({
      id: "engine-history-dropped",
      name: "Samples lost",
      severity: "critical",
      scope,
      condition: grew("engine.history_dropped_total", 900),
      summary: "Samples were given up: charts have a gap",
      description: "The database was away for longer than memory and journal could bridge.",
      fires: `load 0s..5m every 15s ${SELF} engine.history_dropped_total 0 -> 1200\nexpect firing engine-history-dropped ${SELF} at 4m`,
      quiet: `load 0s..1h every 15s ${SELF} engine.history_dropped_total 1200\nexpect never engine-history-dropped`,
    }),
    packRule({
      id: "engine-device-quarantined",
      name: "Device set aside",
      severity: "warn",
      scope,
      condition: level("last", "engine.devices_quarantined", ">", 0, 60),
      summary: "{{value}} devices are set aside: what they say crashes their actor",
      description: "A defect of the engine. What these devices say is left out for a while; all others go on.",
      fires: `load 0s..3m every 15s ${SELF} engine.devices_quarantined 1\nexpect firing engine-device-quarantined ${SELF} at 2m`,
      quiet: `load 0s..30m every 15s ${SELF} engine.devices_quarantined 0\nexpect never engine-device-quarantined`,
    }),
    packRule({
      id: "engine-loop-late",
      name: "Engine too busy",
      severity: [
        { when: level("min", "engine.event_loop_delay_p99_ms", ">", 1000, 120), sev: "critical" },
        { when: level("min", "engine.event_loop_delay_p99_ms", ">", 250, 120), sev: "warn" },
      ],
      scope,
      condition: level("min", "engine.event_loop_delay_p99_ms", ">", 250, 120),
      for_seconds: 60,
      summary: "The engine's event loop runs {{value}} ms late",
      description:
        "For two minutes one turn in a hundred came more than a quarter of a second late. Platform's own tenant only.",
      fires: `load 0s..6m every 15s ${SELF} engine.event_loop_delay_p99_ms 1800\nexpect firing engine-loop-late ${SELF} at 5m\nexpect severity critical engine-loop-late`,
      quiet: `load 0s..30m every 15s ${SELF} engine.event_loop_delay_p99_ms 600 / 40\nexpect never engine-loop-late`,
    }),
    packRule({
      id: "engine-memory-high",
      name: "Engine's memory nearly used up",
      severity: "critical",
      scope,
      condition: level("min", "engine.heap_used_pct", ">", 85, 300),
      for_seconds: 60,
      summary: "The engine's heap is {{value}} % full",
      description:
        "Even after each collection of garbage little was free for five minutes. Platform's own tenant only.",
      fires: `load 0s..10m every 15s ${SELF} engine.heap_used_pct 93\nexpect firing engine-memory-high ${SELF} at 8m`,
      quiet: `load 0s..30m every 15s ${SELF} engine.heap_used_pct 90 / 40\nexpect never engine-memory-high`,
    }),
    packRule({
      id: "engine-disk-low",
      name: "Engine's disk nearly full",
      severity: [
        { when: level("last", "engine.disk_free_pct", "<", 4, 60), sev: "critical" },
        { when: level("last", "engine.disk_free_pct", "<", 10, 60), sev: "warn" },
      ],
      scope,
      condition: level("last", "engine.disk_free_pct", "<", 10, 60),
      recover: level("min", "engine.disk_free_pct", ">", 12, 60),
      summary: "{{value}} % of the disk with the data directory is free",
      description: "The spool, the embedded database and backups lie there. Platform's own tenant only.",
      fires: `load 0s..5m every 15s ${SELF} engine.disk_free_pct 3\nexpect firing engine-disk-low ${SELF} at 2m\nexpect severity critical engine-disk-low`,
      quiet: `load 0s..30m every 15s ${SELF} engine.disk_free_pct 40 -> 11\nexpect never engine-disk-low`,
    }),
    packRule({
      id: "engine-viewers-dropped",
      name: "Screens were cut off",
      severity: "info",
      scope,
      condition: grew("engine.viewers_dropped_total", 300),
      summary: "Streams of screens that did not keep up were ended",
      description:
        "Within five minutes; a screen comes back by itself. Many of them: the network to the screens, or the engine's load. Platform's own tenant only.",
      fires: `load 0s..5m every 15s ${SELF} engine.viewers_dropped_total 3 -> 6\nexpect firing engine-viewers-dropped ${SELF} at 4m`,
      quiet: `load 0s..30m every 15s ${SELF} engine.viewers_dropped_total 3\nexpect never engine-viewers-dropped`,
    }),
  ],
}
