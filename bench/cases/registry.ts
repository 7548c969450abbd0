/** Every benchmark, by the name that the command line takes. The first one runs when none is named. */
import type { Case } from "#bench/case.ts"
import { alerts } from "#bench/cases/alerts.ts"
import { audit } from "#bench/cases/audit.ts"
import { away } from "#bench/cases/away.ts"
import { canonical } from "#bench/cases/canonical.ts"
import { coldstart } from "#bench/cases/coldstart.ts"
import { charts } from "#bench/cases/charts.ts"
import { coreSite } from "#bench/cases/core-site.ts"
import { detect } from "#bench/cases/detect.ts"
import { doors } from "#bench/cases/doors.ts"
import { fleet } from "#bench/cases/fleet.ts"
import { fleet10k } from "#bench/cases/fleet10k.ts"
import { frr } from "#bench/cases/frr.ts"
import { hostile } from "#bench/cases/hostile.ts"
import { judgement } from "#bench/cases/judgement.ts"
import { incidents } from "#bench/cases/incidents.ts"
import { kill } from "#bench/cases/kill.ts"
import { neighbour } from "#bench/cases/neighbour.ts"
import { outage } from "#bench/cases/outage.ts"
import { probePace } from "#bench/cases/probe-pace.ts"
import { probing } from "#bench/cases/probing.ts"
import { rca } from "#bench/cases/rca.ts"
import { recordings } from "#bench/cases/recordings.ts"
import { recover } from "#bench/cases/recover.ts"
import { replay } from "#bench/cases/replay.ts"
import { rules } from "#bench/cases/rules.ts"
import { samples } from "#bench/cases/samples.ts"
import { silent } from "#bench/cases/silent.ts"
import { snmpCost } from "#bench/cases/snmp-cost.ts"
import { start } from "#bench/cases/start.ts"
import { whatif } from "#bench/cases/whatif.ts"
import { whatifFrr } from "#bench/cases/whatif-frr.ts"

export const CASES: readonly Case[] = [
  canonical,
  alerts,
  audit,
  away,
  coldstart,
  charts,
  coreSite,
  detect,
  doors,
  fleet,
  fleet10k,
  frr,
  hostile,
  incidents,
  neighbour,
  judgement,
  kill,
  outage,
  recover,
  probePace,
  probing,
  rca,
  recordings,
  replay,
  rules,
  samples,
  silent,
  snmpCost,
  start,
  whatif,
  whatifFrr,
]
