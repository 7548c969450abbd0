/** [I4] [I5] Alerts over real HTTP: who sees which, in what order, and what an acknowledgement and a mute leave behind. */
import assert from "node:assert/strict"
import test, { before, beforeEach, describe } from "node:test"
import { alertView } from "#engine/rules/judgement.fixture.ts"
import { NOW_MS, useRulesServer } from "#engine/rules/rules-server.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { alertId, type AlertView } from "#protocol/alert.ts"
import type { EntityKey } from "#protocol/id.ts"

const MINUTE = 60_000
interface List {
  readonly items: readonly AlertView[]
  readonly next: string | null
  readonly counts: Readonly<Record<string, number>>
}
const listOf = (body: unknown): List => body as List
const ether1 = "if:ether1" as EntityKey

describe("[I4] alerts by REST", { skip: NO_POSTGRES }, () => {
  const server = useRulesServer()
  let engineer: string
  let viewer: string
  let bound: string
  let stranger: string
  let alerts: readonly AlertView[]
  before(() => {
    const { a, b } = server
    engineer = server.as({ tenant: a, userId: "engineer", roles: ["engineer"] })
    viewer = server.as({ tenant: a, userId: "viewer", roles: ["viewer"] })
    bound = server.as({ tenant: a, userId: "bound", roles: ["engineer"], sites: ["pop-2"] })
    stranger = server.as({ tenant: b, userId: "stranger" })
  })
  beforeEach(() => {
    const { r1, r2 } = server.devices
    const heldBack = { by: "maintenance", reason: "New power supply", untilMs: null } as const
    alerts = [
      alertView({ device: r1, rule: "loss-2", severity: "critical", sinceMs: 5_000 }),
      alertView({ device: r2, rule: "loss-2", severity: "critical", sinceMs: 4_000, site: "pop-2", heldBack }),
      alertView({ device: r1, rule: "utilization-95", entity: ether1, sinceMs: 9_000 }),
      alertView({ device: r2, rule: "cpu-high", state: "recovering", sinceMs: 9_000, site: "pop-2" }),
      alertView({
        device: r1,
        rule: "cpu-high",
        severity: "info",
        state: "pending",
        firedMs: null,
        summary: "CPU 80 %",
      }),
    ]
    server.judgement(server.a).alertList = alerts
    server.judgement(server.a).refuses = false
  })
  const ask = (...args: Parameters<typeof server.ask>) => server.ask(...args)
  const list = async (who: string, query = ""): Promise<List> => {
    const { status, body, text } = await ask(who, "GET", `/alerts${query}`)
    assert.equal(status, 200, text)
    return listOf(body)
  }
  const acts = async () => (await server.acts()).map(({ action }) => action)

  test("[I4] most severe and newest first, with counts of all of them", async () => {
    const { items, next, counts } = await list(viewer)
    assert.deepEqual(
      items.map(({ severity, sinceMs }) => [severity, sinceMs]),
      [
        ["critical", 5_000],
        ["critical", 4_000],
        ["warn", 9_000],
        ["warn", 9_000],
        ["info", 1_000],
      ],
    )
    assert.equal(next, null)
    assert.deepEqual(counts, { pending: 1, firing: 4, critical: 2, warn: 2, info: 0, acknowledged: 0, heldBack: 1 })
    assert.deepEqual(items[0], alerts[0])
  })

  test("[I4] each filter leaves what it names; the counts stay those of all", async () => {
    const { r1 } = server.devices
    for (const [query, count] of [
      ["?state=recovering", 1],
      ["?severity=critical", 2],
      [`?device=${r1}`, 3],
      ["?rule=cpu-high", 2],
      ["?site=pop-2", 2],
      ["?heldBack=true", 1],
      ["?heldBack=false", 4],
      ["?q=ETHER1", 1],
      ["?q=80%20%25", 1],
      ["?severity=critical&heldBack=false", 1],
      ["?rule=nothing", 0],
    ] as const) {
      const { items, counts } = await list(viewer, query)
      assert.equal(items.length, count, query)
      assert.equal(counts["firing"], 4, query)
    }
    assert.equal((await ask(viewer, "GET", "/alerts?state=odd")).status, 400)
  })

  test("[I4] pages hold every alert once, also when the last one of a page is over meanwhile", async () => {
    const found: string[] = []
    let cursor = ""
    for (;;) {
      const { items, next } = await list(viewer, `?limit=2${cursor}`)
      found.push(...items.map(({ id }) => id))
      if (next === null) break
      const gone = items.at(-1)!.id
      server.judgement(server.a).alertList = server.judgement(server.a).alertList.filter(({ id }) => id !== gone)
      cursor = `&cursor=${next}`
    }
    assert.deepEqual(found.toSorted(), alerts.map(({ id }) => id).toSorted())
    for (const cursor of ["e30", "bnVsbA", "WzEsMl0", "!"])
      assert.equal((await ask(viewer, "GET", `/alerts?cursor=${cursor}`)).status, 400, cursor)
  })

  test("[I4] [T2] of other sites and other tenants nothing is there: no row, no count, no id", async () => {
    const { items, counts } = await list(bound)
    assert.deepEqual(new Set(items.map(({ site }) => site)), new Set(["pop-2"]))
    assert.deepEqual([counts["firing"], counts["pending"]], [2, 0])
    const [first] = alerts
    for (const who of [bound, stranger])
      for (const [method, path, body] of [
        ["GET", "", undefined],
        ["GET", "/explain", undefined],
        ["GET", "/receipt", undefined],
        ["PUT", "/ack", { minutes: 5 }],
        ["DELETE", "/ack", undefined],
        ["PUT", "/mute", { minutes: 5, note: "x" }],
        ["DELETE", "/mute", undefined],
      ] as const)
        assert.equal((await ask(who, method, `/alerts/${first!.id}${path}`, body)).status, 404, method + path)
    assert.equal((await list(stranger)).items.length, 0)
    for (const id of ["x", "a.b", "a.b.c.d", "_ffffff_.x.", "....", "%20.x."])
      assert.equal((await ask(viewer, "GET", `/alerts/${id}/explain`)).status, 404, id)
  })

  test("[I5] explain answers also for what does not fire, with the reason", async () => {
    const id = alertId({ device: server.devices.r1, rule: "off", entity: "" })
    const { status, body } = await ask(viewer, "GET", `/alerts/${id}/explain`)
    assert.equal(status, 200)
    assert.deepEqual({ ...body }, { explanation: null, reason: "the rule is off" })
    assert.equal((await ask(viewer, "GET", `/alerts/${id}`)).status, 404)
    assert.deepEqual({ ...(await ask(viewer, "GET", `/alerts/${alerts[0]!.id}`)).body }, { ...alerts[0] })
  })

  test("[I4] acknowledged for four hours unless said otherwise, by name, on record; taken back", async () => {
    const [first] = alerts
    const done = await ask(engineer, "PUT", `/alerts/${first!.id}/ack`, {})
    assert.equal(done.status, 200, done.text)
    assert.deepEqual((done.body as unknown as AlertView).ack, {
      by: "engineer",
      atMs: 1,
      untilMs: NOW_MS + 240 * MINUTE,
    })
    await ask(engineer, "PUT", `/alerts/${first!.id}/ack`, { minutes: 5 })
    assert.equal(server.judgement(server.a).alertList[0]?.ack?.untilMs, NOW_MS + 5 * MINUTE)
    assert.equal((await list(viewer)).counts["acknowledged"], 1)
    assert.equal((await ask(engineer, "DELETE", `/alerts/${first!.id}/ack`)).status, 204)
    assert.equal(server.judgement(server.a).alertList[0]?.ack, null)
    assert.deepEqual((await acts()).slice(-3), ["alert.ack", "alert.ack", "alert.unack"])
    assert.equal((await ask(viewer, "PUT", `/alerts/${first!.id}/ack`, {})).status, 403)
    for (const minutes of [0, 10_081, 1.5])
      assert.equal((await ask(engineer, "PUT", `/alerts/${first!.id}/ack`, { minutes })).status, 400)
  })

  test("[I4] what does not fire, or a twin that takes nothing, leaves no act behind", async () => {
    const before = await acts()
    const quiet = alertId({ device: server.devices.r1, rule: "quiet", entity: "" })
    assert.equal((await ask(engineer, "PUT", `/alerts/${quiet}/ack`, {})).status, 422)
    server.judgement(server.a).refuses = true
    assert.equal((await ask(engineer, "PUT", `/alerts/${alerts[0]!.id}/ack`, {})).status, 503)
    server.rebuilding(server.a, true)
    assert.equal((await ask(viewer, "GET", "/alerts")).status, 503)
    server.rebuilding(server.a, false)
    assert.deepEqual(await acts(), before)
  })

  test("[I6] a mute silences one rule on one entity from now on; unmuting ends it", async () => {
    const on = alertId({ device: server.devices.r1, rule: "ospf-stuck", entity: ether1 })
    const done = await ask(engineer, "PUT", `/alerts/${on}/mute`, { minutes: 90, note: "known, ticket 4711" })
    assert.equal(done.status, 200, done.text)
    const { window, untilMs } = done.body as unknown as { window: string; untilMs: number }
    assert.equal(untilMs, NOW_MS + 90 * MINUTE)
    const silences = () => server.judgement(server.a).silences().silences
    assert.deepEqual(
      silences().find(({ id }) => id === window),
      {
        id: window,
        kind: "mute",
        reason: "ospf-stuck is muted: known, ticket 4711",
        scope: { by_device_ids: [server.devices.r1], by_entity_ids: ["if:ether1"] },
        rule: "ospf-stuck",
        sparesCritical: false,
        times: [[NOW_MS, untilMs]],
      },
    )
    const whole = alertId({ device: server.devices.r1, rule: "ospf-stuck", entity: "" })
    assert.equal(
      (await ask(engineer, "DELETE", `/alerts/${whole}/mute`)).status,
      422,
      "of the device, not the interface",
    )
    assert.equal((await ask(engineer, "DELETE", `/alerts/${on}/mute`)).status, 204)
    assert.equal(silences().length, 0)
    assert.equal((await ask(engineer, "DELETE", `/alerts/${on}/mute`)).status, 422)
    await ask(engineer, "PUT", `/alerts/${whole}/mute`, { minutes: 5, note: "the device" })
    assert.deepEqual(silences()[0]?.scope.by_entity_ids, ["device"])
    const nothing = alertId({ device: server.devices.r1, rule: "no-such-rule", entity: "" })
    assert.equal((await ask(engineer, "PUT", `/alerts/${nothing}/mute`, { minutes: 5, note: "x" })).status, 422)
    assert.deepEqual((await acts()).slice(-3), ["alert.mute", "alert.unmute", "alert.mute"])
  })
})
