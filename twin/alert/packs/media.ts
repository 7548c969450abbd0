/** Optics and wireless: what the medium says before the packets do. */
import { all, byRole, level, packRule } from "#twin/alert/packs/pack.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"

export const optics: RulePack = {
  id: "optics",
  name: "Optics",
  rules: [
    packRule({
      id: "optical-rx-low",
      name: "Optical power received too low",
      severity: [
        { when: level("avg", "optical.rx_power_dbm", "<", -28, 600), sev: "critical" },
        { when: level("avg", "optical.rx_power_dbm", "<", -24, 600), sev: "warn" },
      ],
      condition: level("avg", "optical.rx_power_dbm", "<", -24, 600),
      recover: level("avg", "optical.rx_power_dbm", ">", -23, 600),
      for_seconds: 300,
      summary: "{{entity}} of {{device}} receives {{value}} dBm",
      description:
        "Limits for long reach modules; make a variant of this name for others. A port without light reads -40 or lower.",
      fires:
        "load 0s..20m every 1m if:sfp1 optical.rx_power_dbm -26\nexpect firing optical-rx-low if:sfp1 at 10m\nexpect severity warn optical-rx-low",
      quiet: "load 0s..20m every 1m if:sfp1 optical.rx_power_dbm -18\nexpect never optical-rx-low",
    }),
    packRule({
      id: "optical-rx-falling",
      name: "Optical power received falls",
      severity: byRole("warn", "info"),
      condition: all(
        {
          type: "rate_of_change",
          metric: "optical.rx_power_dbm",
          operator: "<",
          threshold_num: -0.0008,
          lookback_seconds: 3600,
        },
        level("last", "optical.rx_power_dbm", ">", -35, 600),
      ),
      for_seconds: 60,
      summary: "{{entity}} of {{device}} receives 3 dB less than an hour ago",
      description: "Half the light is gone within an hour: a bent fibre, a dirty connector, a cable being dug up.",
      fires:
        "load 0s..30m every 1m if:sfp1 optical.rx_power_dbm -12\nload 31m..90m every 1m if:sfp1 optical.rx_power_dbm -17\nexpect firing optical-rx-falling if:sfp1 at 60m",
      quiet: "load 0h..48h every 1m if:sfp1 optical.rx_power_dbm -12 -> -16\nexpect never optical-rx-falling",
    }),
    packRule({
      id: "optical-tx-low",
      name: "Optical power sent too low",
      severity: "warn",
      condition: level("avg", "optical.tx_power_dbm", "<", -9, 600),
      recover: level("avg", "optical.tx_power_dbm", ">", -8, 600),
      for_seconds: 300,
      summary: "{{entity}} of {{device}} sends only {{value}} dBm",
      description: "The laser ages or is off.",
      fires: "load 0s..20m every 1m if:sfp1 optical.tx_power_dbm -14\nexpect firing optical-tx-low if:sfp1 at 10m",
      quiet: "load 0s..20m every 1m if:sfp1 optical.tx_power_dbm -2\nexpect never optical-tx-low",
    }),
  ],
}

export const wireless: RulePack = {
  id: "wireless",
  name: "Wireless",
  rules: [
    packRule({
      id: "wireless-signal-low",
      name: "Radio signal weak",
      severity: byRole("critical", "warn"),
      condition: level("avg", "wireless.signal_dbm", "<", -75, 600),
      recover: level("avg", "wireless.signal_dbm", ">", -72, 600),
      for_seconds: 300,
      summary: "The radio {{entity}} of {{device}} hears {{value}} dBm",
      description: "Mean of ten minutes below -75 dBm.",
      fires:
        "load 0s..20m every 30s if:wlan1 wireless.signal_dbm -80\nexpect firing wireless-signal-low if:wlan1 at 10m",
      quiet: "load 0s..20m every 30s if:wlan1 wireless.signal_dbm -65 / -78\nexpect never wireless-signal-low",
    }),
    packRule({
      id: "wireless-signal-lost",
      name: "Radio signal fell",
      severity: byRole("warn", "info"),
      condition: {
        type: "rate_of_change",
        metric: "wireless.signal_dbm",
        operator: "<",
        threshold_num: -0.016,
        lookback_seconds: 600,
      },
      for_seconds: 60,
      summary: "The radio {{entity}} of {{device}} lost 10 dB within ten minutes",
      description: "Rain, a moved antenna, a new obstacle, water in a connector.",
      fires:
        "load 0s..10m every 30s if:wlan1 wireless.signal_dbm -55\nload 630s..20m every 30s if:wlan1 wireless.signal_dbm -70\nexpect firing wireless-signal-lost if:wlan1 at 12m",
      quiet: "load 0s..2h every 30s if:wlan1 wireless.signal_dbm -55 -> -68\nexpect never wireless-signal-lost",
    }),
    packRule({
      id: "wireless-ccq-low",
      name: "Radio quality low",
      severity: byRole("warn", "info"),
      condition: level("avg", "wireless.ccq_pct", "<", 60, 600),
      recover: level("avg", "wireless.ccq_pct", ">", 70, 600),
      for_seconds: 300,
      summary: "The radio {{entity}} of {{device}} has a connection quality of {{value}} %",
      description: "Frames are sent again and again: interference, most often.",
      fires: "load 0s..20m every 30s if:wlan1 wireless.ccq_pct 40\nexpect firing wireless-ccq-low if:wlan1 at 10m",
      quiet: "load 0s..20m every 30s if:wlan1 wireless.ccq_pct 92\nexpect never wireless-ccq-low",
    }),
  ],
}
