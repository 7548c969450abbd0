/**
 * The collectors of this build. A new one is its own file and one line here (STYLE.md, "The day").
 */
import type { Collector } from "#engine/collectors/collector.ts"
import { makeRouterOsCollector, type RouterOsOptions } from "#engine/collectors/routeros/poller.ts"
import { snmpCollector } from "#engine/collectors/snmp/collector.ts"

/** Who is told what a device says on its own over a session that polls it. */
export type Hearing = Required<Pick<RouterOsOptions, "onChange" | "onLog" | "onPin">>

export const makeCollectors = (hearing: Hearing): readonly Collector[] => [
  snmpCollector,
  makeRouterOsCollector(hearing),
]
