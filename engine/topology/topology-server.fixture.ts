/**
 * Proposals, structure and what-if over real HTTP on a real database, with real twins and the reasoning thread, fed with
 * what devices would say of each other by LLDP.
 */
import { after, before } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { useInventoryServer, type InventoryServer } from "#engine/api/inventory.fixture.ts"
import { makeReasoning } from "#engine/topology/reasoning.ts"
import { deviceId, interfaceKey, lldpKey } from "#protocol/id.ts"
import type { EntityKey, TenantId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { TextFact } from "#protocol/metric.ts"
import type { PollInput } from "#twin/input.ts"

export interface TopologyServer {
  readonly server: InventoryServer
  /** Of tenant A, by name: core1, core2, acc1, acc2, the latter two at pop-2. */
  readonly ids: Readonly<Record<string, string>>
  /** What a device hears: own port -> `device port`. */
  readonly hears: (
    name: string,
    ports: Readonly<Record<string, string | null>>,
    /** Own port -> its address. */
    addresses?: Readonly<Record<string, string>>,
  ) => Promise<void>
  /** Everything that the audit of tenant A holds of these actions, oldest first. */
  readonly acts: (pattern: string) => Promise<ReadonlyArray<Act>>
}
export interface Act {
  readonly action: string
  readonly object_name: string
  readonly before: unknown
  readonly after: unknown
}

export const useTopologyServer = (): TopologyServer => {
  const scope = Scope.makeUnsafe()
  const ids: Record<string, string> = {}
  let polls = 0
  const server = useInventoryServer({
    api: async ({ it, inventory, tenants }) => {
      const options = { db: it.db, inventory, tenants, appUrl: () => it.database.appUrl, nowMs: Date.now }
      return Effect.runPromise(Scope.provide(makeReasoning(options), scope))
    },
  })
  before(async () => {
    const admin = server.as({ tenant: server.a, userId: "builder" })
    for (const site of ["pop-1", "pop-2"])
      await server.ask(admin, "PUT", `/sites/${site}`, { name: site, latitude: -23.5, longitude: -46.6 })
    for (const [name, role, site] of [
      ["core1", "core", "pop-1"],
      ["core2", "core", "pop-1"],
      ["acc1", "access", "pop-2"],
      ["acc2", "access", "pop-2"],
    ] as const) {
      const device = { name, address: "192.0.2.1", site, roles: [role], pollSeconds: 30, pingSeconds: 0 }
      ids[name] = (await server.ask(admin, "POST", "/devices", device)).body.id
    }
  })
  after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return {
    server,
    ids,
    hears: async (name, ports, addresses = {}) => {
      const runtime = server.tenants.runtime(server.a)
      runtime?.submit(heard(ids[name] ?? "", Date.now() + ++polls, ports, addresses))
      await runtime?.flush()
    },
    acts: (pattern) => actsOf(server, server.a, pattern),
  }
}

const actsOf = (server: InventoryServer, tenant: TenantId, pattern: string): Promise<readonly Act[]> =>
  Effect.runPromise(
    server.it.db.tenant(tenant)(async (tx) => {
      const { rows } = await tx.query<Act>(
        `select action, object_name, before, after from audit_entry where tenant_id = $1 and action ~ $2 order by seq`,
        [tenant, pattern],
      )
      return rows
    }),
  )

const heard = (
  device: string,
  atMs: number,
  ports: Readonly<Record<string, string | null>>,
  addresses: Readonly<Record<string, string>>,
): PollInput => {
  const names = Object.keys(ports)
  const neighbours = Object.entries(ports).flatMap(([port, far]) => (far === null ? [] : [[port, far] as const]))
  const entities: EntityKey[] = [...names.map(interfaceKey), ...neighbours.map(([port]) => lldpKey(port))]
  const rows = names.flatMap((_, entity) => [
    [entity, metricId("interface.oper_up"), 1] as const,
    [entity, metricId("interface.speed_bps"), 1e10] as const,
  ])
  const text = (entity: EntityKey, fact: TextFact, words: string) => ({ entity, fact, text: words })
  return {
    kind: "poll",
    device: deviceId(device),
    source: "snmp",
    startedMs: atMs - 1,
    atMs,
    entities,
    entity: Uint16Array.from(rows, ([entity]) => entity),
    metric: Uint16Array.from(rows, ([, metric]) => metric),
    value: Float64Array.from(rows, ([, , value]) => value),
    texts: [
      ...Object.entries(addresses).map(([port, address]) => text(interfaceKey(port), "interface.addresses", address)),
      ...neighbours.flatMap(([port, far]) => {
        const [name = "", farPort = ""] = far.split(" ")
        const key = lldpKey(port)
        return [
          text(key, "lldp.neighbor.interface", port),
          text(key, "lldp.neighbor.system_name", name),
          text(key, "lldp.neighbor.port", farPort),
        ]
      }),
    ],
    complete: ["interface", "lldp.neighbor"],
  }
}
