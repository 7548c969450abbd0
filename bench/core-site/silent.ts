/**
 * The workload of `npm run bench -- silent`: a network of which every router falls silent within one round of polls, as a
 * start after kill -9 folds it when nobody answers. A ring with chords, a hundred routers at a site: the shape that
 * `coldstart` declares without a laboratory.
 */
import { deviceId, linkId, siteId } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { UnreachableInput } from "#twin/input.ts"

const START_MS = Date.UTC(2026, 0, 15, 12)
const ROUND_MS = 60_000
const SITE_ROUTERS = 100
/** Links per router, as in the laboratory's ISP and in what operators have. */
const LINKS_PER_ROUTER = 1.5

const nameOf = (router: number): string => `r${String(router).padStart(5, "0")}`
const siteOf = (router: number) => siteId(`s${Math.floor(router / SITE_ROUTERS)}`)

export const declared = (routers: number): { readonly startMs: number; readonly inventory: Inventory } => {
  const end = (router: number, port: string) => ({ device: deviceId(nameOf(router)), interface: port })
  const inventory: Inventory = {
    sites: Array.from({ length: Math.ceil(routers / SITE_ROUTERS) }, (_, n) => ({
      id: siteId(`s${n}`),
      name: `Site ${n}`,
      latitude: -30 + (n % 40) / 2,
      longitude: -60 + Math.floor(n / 40) / 2,
    })),
    devices: Array.from({ length: routers }, (_, n) => ({
      id: deviceId(nameOf(n)),
      name: nameOf(n),
      address: `127.${240 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`,
      site: siteOf(n),
      roles: ["core"],
      pollSeconds: ROUND_MS / 1_000,
      sources: ["snmp"],
    })),
    links: Array.from({ length: Math.floor(routers * LINKS_PER_ROUTER) }, (_, n) => ({
      id: linkId(`l${n}`),
      a: end(n % routers, `ether${n}a`),
      b: end(((n % routers) + 1 + Math.floor(n / routers)) % routers, `ether${n}b`),
      capacityBps: 1e10,
    })),
  }
  return { startMs: START_MS, inventory }
}

/** The first `inputs` of a round, in the order of a poller that spreads its devices over it. */
export function* silence(routers: number, inputs: number): Generator<UnreachableInput> {
  const step = stepOf(routers)
  for (let n = 0; n < inputs; n++)
    yield {
      kind: "unreachable",
      device: deviceId(nameOf((n * step) % routers)),
      source: "snmp",
      atMs: START_MS + 1_000 + Math.floor((n * ROUND_MS) / routers),
      reason: "refused",
      detail: "nobody listens",
    }
}

/** About the golden section, and without a factor in common with the number of routers, so that each comes once. */
const stepOf = (routers: number): number => {
  let step = Math.max(1, Math.floor(routers * 0.618))
  while (commonOf(step, routers) !== 1) step++
  return step
}

const commonOf = (a: number, b: number): number => (b === 0 ? a : commonOf(b, a % b))
