/**
 * [5.5] Branches over real doors: a whole engine with its database, threads and REST. What a branch hears is seen in it by
 * whoever may, stands in the audit, and reaches neither the past nor the live twin nor another tenant.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { somebody, useTwoTenants, type OneTenant } from "#engine/isolation/two-tenants.fixture.ts"
import { askReplaysOf, keptMs, liveTwinOf } from "#engine/replay/doors.fixture.ts"
import type { ReplayView } from "#engine/replay/replays.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { hello, openViewer } from "#engine/stream/viewer.fixture.ts"
import { poll } from "#engine/tenant/network.fixture.ts"
import type { IncidentView } from "#protocol/incident.ts"
import { unpackStatus } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"

interface Body extends ReplayView {
  readonly detail?: string
  readonly incidents: readonly IncidentView[]
  readonly events: readonly EventView[]
  readonly failed: { readonly devices: ReadonlyArray<{ readonly id: string }> }
}

describe("[5.5] branches over real doors", { skip: NO_POSTGRES }, () => {
  const it = useTwoTenants()
  const ask = askReplaysOf<Body>(it)
  const twinOf = (tenant: OneTenant) => liveTwinOf(it, tenant)
  /** Every device answers once; resolves with a moment at which that is kept. */
  const happen = (tenant: OneTenant): Promise<number> => {
    const twin = twinOf(tenant)
    for (const { id } of twin.inventory().devices) assert.ok(twin.submit(poll(id, Date.now())))
    return keptMs(twin)
  }

  test("[5.5] a fault is seen in the branch, by its viewer too; leaving it shows the past, and the live twin heard nothing", async () => {
    const who = await somebody(it, it.a, ["engineer"])
    const atMs = await happen(it.a)
    const [, opened] = await ask(who, "POST", "", { fromMs: atMs })
    const viewer = await openViewer(`${it.url}/stream?replay=${opened.id}`, who.headers)
    viewer.send(hello())
    await viewer.until(() => viewer.state.nodes.status.length > 0)
    const past = Uint8Array.from(viewer.state.nodes.status)

    assert.equal((await ask(who, "GET", `/${opened.id}/branch`))[0], 422, "there is none yet")
    const [status, branch] = await ask(who, "POST", `/${opened.id}/branch`, {})
    assert.equal(status, 200, branch.detail ?? "")
    assert.deepEqual(branch.branch, { sinceMs: atMs, alone: false, faults: [], inputs: 0, waiting: 0 })
    const device = twinOf(it.a).inventory().devices[0]!
    const fault = { kind: "router", device: device.id }
    const own = [1, 2, 3].map((n) => ({ at: `+${n * 10}s`, kind: "unreachable", device: device.name }))
    const [said, told] = await ask(who, "POST", `/${opened.id}/branch/inputs`, { faults: [fault], inputs: own })
    assert.equal(said, 200, told.detail ?? "")
    assert.deepEqual([told.branch?.faults, told.branch?.inputs, told.branch?.waiting], [[fault], 3, 3])
    await ask(who, "PATCH", `/${opened.id}`, { atMs: atMs + 31_000 })
    const isGone = (): boolean => unpackStatus(viewer.state.nodes.status[0]!).health === "unreachable"
    await viewer.until(isGone)

    const [, seen] = await ask(who, "GET", `/${opened.id}/branch`)
    assert.ok(seen.events.some(({ subject }) => subject === device.id))
    const [asked, answer] = await ask(who, "POST", `/${opened.id}/branch/what-if`, { faults: [fault] })
    assert.deepEqual([asked, answer.failed.devices.map(({ id }) => id)], [200, [device.id]])

    const [left, back] = await ask(who, "DELETE", `/${opened.id}/branch`)
    assert.deepEqual([left, back.branch, back.atMs], [200, null, atMs])
    await viewer.until(() => !isGone())
    assert.deepEqual(Uint8Array.from(viewer.state.nodes.status), past)
    const live = twinOf(it.a)
    assert.notEqual(unpackStatus(live.columns().nodeStatus[0]!).health, "unreachable")
    assert.ok(!live.recentEvents().some(({ raw }) => raw?.includes("a fault of the branch") === true))
    await viewer.close()
    assert.equal((await ask(who, "DELETE", `/${opened.id}`))[0], 204)
  })

  test("[5.5] only who opened it branches it; a viewer may look; another tenant finds nothing", async () => {
    const atMs = await happen(it.a)
    const who = await somebody(it, it.a, ["engineer"])
    const [other, viewer, foreign] = [
      await somebody(it, it.a, ["engineer"]),
      await somebody(it, it.a, ["viewer"]),
      await somebody(it, it.b, ["engineer"]),
    ]
    const [, { id }] = await ask(who, "POST", "", { fromMs: atMs })
    assert.equal((await ask(other, "POST", `/${id}/branch`, {}))[0], 422)
    assert.equal((await ask(viewer, "POST", `/${id}/branch`, {}))[0], 403)
    assert.equal((await ask(who, "POST", `/${id}/branch`, {}))[0], 200)
    assert.equal((await ask(other, "POST", `/${id}/branch/inputs`, { faults: [] }))[0], 422)
    assert.equal((await ask(other, "DELETE", `/${id}/branch`))[0], 422)
    assert.equal((await ask(viewer, "GET", `/${id}/branch`))[0], 200)
    assert.equal(
      (await ask(viewer, "POST", `/${id}/branch/what-if`, { faults: [{ kind: "router", device: "x" }] }))[0],
      403,
    )
    for (const [method, path, body] of [
      ["POST", "/branch", {}],
      ["POST", "/branch/inputs", { faults: [] }],
      ["GET", "/branch", undefined],
      ["POST", "/branch/what-if", { faults: [{ kind: "router", device: "x" }] }],
      ["DELETE", "/branch", undefined],
    ] as const)
      assert.equal((await ask(foreign, method, `/${id}${path}`, body))[0], 404, `${method} ${path}`)
    const many = Array.from({ length: 1_001 }, () => ({ at: "+1s", kind: "tick" }))
    assert.equal((await ask(who, "POST", `/${id}/branch/inputs`, { inputs: many }))[0], 400)
    const [, { detail }] = await ask(who, "POST", `/${id}/branch/inputs`, {
      inputs: [{ at: "+1s", kind: "poll", device: "x" }],
    })
    assert.match(detail ?? "", /inputs\[0\]: device "x" is none of that moment/)
    assert.equal((await ask(who, "DELETE", `/${id}`))[0], 204)
  })
})
