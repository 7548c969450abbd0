/** The health of services by REST, over real HTTP on a real database with a real twin: who may read it, and that it changes no tag. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { useTopologyServer } from "#engine/topology/topology-server.fixture.ts"
import { DEVICE_ENTITY, deviceId } from "#protocol/id.ts"
import { metricId } from "#protocol/metric.ts"
import type { ServiceCondition } from "#protocol/service.ts"
import type { PollInput } from "#twin/input.ts"

interface Judged {
  readonly id: string
  readonly condition: ServiceCondition | null
}

describe("[W7] health of services by REST", { skip: NO_POSTGRES }, () => {
  const { server, ids } = useTopologyServer()

  test("GET /services says how each does and why; who sees some sites only is not told; the tag is of what was declared", async () => {
    const { a, b } = server
    const admin = server.as({ tenant: a, userId: "admin" })
    const viewer = server.as({ tenant: a, userId: "viewer", roles: ["viewer"] })
    const technician = server.as({ tenant: a, userId: "technician", roles: ["tenant_admin"], sites: ["pop-1"] })
    const stranger = server.as({ tenant: b, userId: "stranger" })
    const dns = { name: "Resolver", kind: "dns", devices: [ids["core2"]], links: [], sites: [], providers: [] }
    assert.equal((await server.ask(admin, "PUT", "/services/dns", dns)).status, 200)
    const startMs = Date.now()
    const probe = async (afterMs: number, up: 0 | 1): Promise<void> => {
      const runtime = server.tenants.runtime(a)
      runtime?.submit(probed(ids["core2"] ?? "", startMs + afterMs, up))
      await runtime?.flush()
    }
    const of = async (who: string): Promise<Judged> => {
      const { text } = await server.ask(who, "GET", "/services")
      return (JSON.parse(text) as { items: readonly Judged[] }).items[0]!
    }
    await probe(1_000, 1)
    await probe(5_000, 1)
    assert.equal((await of(viewer)).condition?.health, "up")
    const before = (await server.ask(viewer, "GET", "/services/dns")).etag
    for (const afterMs of [10_000, 20_000, 25_000]) await probe(afterMs, 0)
    const { condition } = await of(viewer)
    assert.equal(condition?.health, "down")
    assert.deepEqual(condition?.reasons[0], {
      text: "the DNS probe of core2 fails",
      isFault: true,
      kind: "device",
      id: ids["core2"],
    })
    const one = await server.ask(viewer, "GET", "/services/dns")
    assert.equal((JSON.parse(one.text) as Judged).condition?.words, "service Resolver is down")
    assert.equal(one.etag, before)
    const renamed = await server.ask(
      admin,
      "PUT",
      "/services/dns",
      { ...dns, name: "DNS" },
      { "if-match": before ?? "" },
    )
    assert.equal(renamed.status, 200, renamed.text)
    assert.equal((await of(technician)).condition, null)
    assert.deepEqual((await server.ask(stranger, "GET", "/services")).text, JSON.stringify({ items: [] }))
  })
})

const probed = (device: string, atMs: number, up: 0 | 1): PollInput => ({
  kind: "poll",
  device: deviceId(device),
  source: "probe",
  startedMs: atMs - 1,
  atMs,
  entities: [DEVICE_ENTITY],
  entity: Uint16Array.of(0),
  metric: Uint16Array.of(metricId("probe.dns.up")),
  value: Float64Array.of(up),
  texts: [],
  complete: [],
})
