/**
 * The collectors of this build. A new one is its own file and one line here (STYLE.md, "The day").
 */
import type { Collector } from "#engine/collectors/collector.ts"
import { routerosCollector } from "#engine/collectors/routeros/poller.ts"
import { snmpCollector } from "#engine/collectors/snmp/collector.ts"

export const COLLECTORS: readonly Collector[] = [snmpCollector, routerosCollector]
