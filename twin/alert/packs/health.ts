/** Health of the boxes themselves: CPU, memory, temperature, voltage, disk, clock, tables. */
import { all, byRole, level, packRule } from "#twin/alert/packs/pack.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"

export const health: RulePack = {
  id: "health",
  name: "Health",
  rules: [
    packRule({
      id: "cpu-high",
      name: "CPU busy",
      severity: [
        { when: level("avg", "device.cpu_pct", ">", 95, 600), sev: "critical" },
        { when: level("avg", "device.cpu_pct", ">", 85, 600), sev: "warn" },
      ],
      condition: level("avg", "device.cpu_pct", ">", 85, 600),
      recover: level("avg", "device.cpu_pct", "<", 75, 600),
      for_seconds: 300,
      summary: "CPU of {{device}} is at {{value}} %",
      description: "Mean of ten minutes above 85 %; above 95 % it is critical.",
      fires:
        "load 0s..20m every 30s - device.cpu_pct 98\nexpect firing cpu-high - at 10m\nexpect severity critical cpu-high",
      quiet:
        "load 0s..10m every 30s - device.cpu_pct 30\nload 630s..14m every 30s - device.cpu_pct 99\nload 870s..40m every 30s - device.cpu_pct 30\nexpect never cpu-high",
    }),
    packRule({
      id: "memory-high",
      name: "Memory nearly used up",
      severity: byRole("critical", "warn"),
      condition: {
        type: "threshold",
        metric: "device.mem_used_bytes",
        operator: ">",
        threshold_ref: { metric: "device.mem_total_bytes", factor: 0.9 },
        aggregation: "min",
        lookback_seconds: 600,
      },
      recover: {
        type: "threshold",
        metric: "device.mem_used_bytes",
        operator: "<",
        threshold_ref: { metric: "device.mem_total_bytes", factor: 0.85 },
        aggregation: "max",
        lookback_seconds: 600,
      },
      for_seconds: 300,
      summary: "{{device}} uses {{value}} bytes of memory, more than 90 % of it",
      description: "For ten minutes more than 90 % of the memory that there is.",
      fires:
        "load 0s..20m every 1m - device.mem_total_bytes 1073741824\nload 0s..20m every 1m - device.mem_used_bytes 1020000000\nexpect firing memory-high - at 10m",
      quiet:
        "load 0s..20m every 1m - device.mem_total_bytes 1073741824\nload 0s..20m every 1m - device.mem_used_bytes 1020000000 / 700000000\nexpect never memory-high",
    }),
    packRule({
      id: "temperature-high",
      name: "Too hot",
      severity: [
        { when: level("last", "device.temp_c", ">=", 80, 600), sev: "critical" },
        { when: level("last", "device.temp_c", ">=", 70, 600), sev: "warn" },
      ],
      condition: { type: "consecutive", metric: "device.temp_c", operator: ">=", threshold_num: 70, count: 3 },
      recover: level("max", "device.temp_c", "<", 65, 600),
      summary: "{{device}} at {{site}} is at {{value}} °C",
      description: "70 °C warns, 80 °C is critical; recovered after ten minutes below 65 °C.",
      fires:
        "load 0s..10m every 1m - device.temp_c 72\nload 11m..20m every 1m - device.temp_c 84\nexpect firing temperature-high - at 5m",
      quiet: "load 0s..30m every 1m - device.temp_c 45 / 71\nexpect never temperature-high",
    }),
    packRule({
      id: "temperature-rising",
      name: "Getting hot",
      severity: "warn",
      condition: all(
        {
          type: "rate_of_change",
          metric: "device.temp_c",
          operator: ">",
          threshold_num: 0.0055,
          lookback_seconds: 1800,
        },
        level("last", "device.temp_c", ">", 50, 600),
      ),
      for_seconds: 60,
      summary: "{{device}} at {{site}} has become 10 °C hotter within half an hour",
      description: "A fan or the room's cooling has failed, long before the limit is reached.",
      fires: "load 0s..40m every 1m - device.temp_c 40 -> 64\nexpect firing temperature-rising - at 38m",
      quiet: "load 0s..12h every 1m - device.temp_c 35 -> 60\nexpect never temperature-rising",
    }),
    packRule({
      id: "voltage-sag",
      name: "Supply voltage sags",
      severity: byRole("critical", "warn"),
      condition: { type: "baseline", metric: "device.voltage_v", operator: "<", factor: 0.92, baseline_seconds: 3600 },
      for_seconds: 120,
      summary: "The supply of {{device}} at {{site}} has fallen to {{value}} V",
      description:
        "8 % below the mean of the hour before, whatever the nominal voltage is: the site may run on its batteries.",
      fires:
        "load 0s..61m every 1m - device.voltage_v 54\nload 62m..70m every 1m - device.voltage_v 48.5\nexpect firing voltage-sag - at 65m",
      quiet: "load 0s..3h every 1m - device.voltage_v 53.6 / 54.2\nexpect never voltage-sag",
    }),
    packRule({
      id: "power-drop",
      name: "Power draw fell",
      severity: "info",
      condition: { type: "baseline", metric: "device.power_w", operator: "<", factor: 0.6, baseline_seconds: 3600 },
      for_seconds: 300,
      summary: "{{device}} draws {{value}} W, far less than in the hour before",
      description: "One of two supplies has died, or a card has.",
      fires:
        "load 0s..61m every 1m - device.power_w 300\nload 62m..75m every 1m - device.power_w 150\nexpect firing power-drop - at 68m",
      quiet: "load 0s..2h every 1m - device.power_w 300 -> 260\nexpect never power-drop",
    }),
    packRule({
      id: "disk-growing",
      name: "Disk fills",
      severity: "warn",
      condition: {
        type: "baseline",
        metric: "device.disk_used_bytes",
        operator: ">",
        factor: 1.2,
        baseline_seconds: 3600,
      },
      summary: "{{device}} uses {{value}} bytes of disk, a fifth more than in the hour before",
      description:
        "Logs, captures or a download. There is no metric for the size of the disk, so growth is what can be judged.",
      fires:
        "load 0s..60m every 1m - device.disk_used_bytes 1e8\nload 61m..70m every 1m - device.disk_used_bytes 1.4e8\nexpect firing disk-growing - at 62m",
      quiet: "load 0s..60m every 1m - device.disk_used_bytes 1e8 -> 1.05e8\nexpect never disk-growing",
    }),
    packRule({
      id: "clock-skew",
      name: "Clock wrong",
      severity: "info",
      condition: {
        type: "composite",
        op: "or",
        conditions: [
          level("min", "device.clock.skew_seconds", ">", 30, 900),
          level("max", "device.clock.skew_seconds", "<", -30, 900),
        ],
      },
      for_seconds: 300,
      summary: "The clock of {{device}} is {{value}} s off",
      description: "Logs cannot be put in order, certificates fail.",
      fires: "load 0s..20m every 1m - device.clock.skew_seconds -120\nexpect firing clock-skew - at 14m",
      quiet: "load 0s..20m every 1m - device.clock.skew_seconds -2 / 40\nexpect never clock-skew",
    }),
    packRule({
      id: "conntrack-surge",
      name: "Connection table surges",
      severity: "warn",
      condition: all(
        { type: "baseline", metric: "device.conntrack_entries", operator: ">", factor: 3, baseline_seconds: 3600 },
        level("last", "device.conntrack_entries", ">", 10_000, 300),
      ),
      for_seconds: 60,
      summary: "{{device}} tracks {{value}} connections, three times the hour before",
      description: "An attack or a scan; when the table is full, new connections fail.",
      fires:
        "load 0s..61m every 1m - device.conntrack_entries 9000\nload 62m..70m every 1m - device.conntrack_entries 90000\nexpect firing conntrack-surge - at 64m",
      quiet:
        "load 0s..61m every 1m - device.conntrack_entries 100\nload 62m..70m every 1m - device.conntrack_entries 900\nexpect never conntrack-surge",
    }),
    packRule({
      id: "routes-dropped",
      name: "Routes dropped",
      severity: byRole("critical", "warn"),
      condition: { type: "baseline", metric: "device.route_count", operator: "<", factor: 0.7, baseline_seconds: 600 },
      summary: "{{device}} has {{value}} routes, fewer than 70 % of ten minutes ago",
      description: "Whatever the protocol, the table shrank.",
      fires:
        "load 0s..11m every 30s - device.route_count 2000\nload 690s..12m every 30s - device.route_count 300\nexpect firing routes-dropped - at 12m",
      quiet: "load 0s..30m every 30s - device.route_count 2000 -> 1700\nexpect never routes-dropped",
    }),
    packRule({
      id: "auth-guessing",
      name: "Logins refused again and again",
      severity: byRole("critical", "warn"),
      condition: { type: "event", event_type: "auth.failed", count: 10, lookback_seconds: 300 },
      summary: "{{value}} logins to {{device}} were refused within five minutes",
      description: "Somebody guesses, or a program has an old password.",
      fires:
        Array.from({ length: 10 }, (_, n) => `event ${60 + n * 10}s - auth.failed`).join("\n") +
        "\nexpect firing auth-guessing - at 151s",
      quiet: "event 1m - auth.failed\nevent 3m - auth.failed\nwait 20m\nexpect never auth-guessing",
    }),
    packRule({
      id: "version-changed",
      name: "Software version changed",
      severity: "info",
      condition: { type: "event", event_type: "device.version.changed", count: 1, lookback_seconds: 900 },
      recover_seconds: 0,
      summary: "The software of {{device}} has changed",
      description: "Stays for a quarter of an hour.",
      fires: "event 1m - device.version.changed 7.19\nexpect firing version-changed - at 2m",
      quiet: "event 1m - device.rebooted\nwait 5m\nexpect never version-changed",
    }),
  ],
}
