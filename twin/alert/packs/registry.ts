/** Every shipped rule pack. A new one is one file and one line. Names of PRODUCT.md: A-G, health, optics, wireless. */
import { engine } from "#twin/alert/packs/engine.ts"
import { health } from "#twin/alert/packs/health.ts"
import { optics, wireless } from "#twin/alert/packs/media.ts"
import type { RulePack } from "#twin/alert/packs/pack.ts"
import { path, reach } from "#twin/alert/packs/reach.ts"
import { bgp, ospf } from "#twin/alert/packs/routing.ts"
import { service } from "#twin/alert/packs/service.ts"
import { subscribers } from "#twin/alert/packs/subscribers.ts"
import { interfaces, utilization } from "#twin/alert/packs/traffic.ts"

export const PACKS: readonly RulePack[] = [
  ospf,
  bgp,
  reach,
  utilization,
  interfaces,
  path,
  subscribers,
  health,
  optics,
  wireless,
  engine,
  service,
]
