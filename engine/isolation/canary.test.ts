/**
 * Tenants never mix, on the wire and in memory (PRODUCT.md T4): every string of each tenant carries its canary, and
 * everything that one tenant can be told (answers, errors, frames), and everything that is told about it (log lines and
 * metric samples with its name), is searched for the other's. CANARY_OUTPUTS=1000000 is the full size.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { BODIES, NOBODY_ID, QUERIES } from "#engine/access/matrix-bodies.fixture.ts"
import { diceOf } from "#engine/dice.ts"
import { ALL_ROUTES, pathOf, type Route } from "#engine/isolation/routes-by-id.ts"
import { call, somebody, useTwoTenants, type OneTenant, type Somebody } from "#engine/isolation/two-tenants.fixture.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"
import { hello, openViewer, type TestViewer } from "#engine/stream/viewer.fixture.ts"

const OUTPUTS = Number(process.env["CANARY_OUTPUTS"] ?? 20_000)
const SEED = Number(process.env["CANARY_SEED"] ?? 4)

/** One thing that somebody was told: a string of an answer, a frame, a log line, a metric sample. */
interface Sieve {
  outputs: number
  own: number
  readonly hits: string[]
}

describe("canaries", { skip: NO_POSTGRES, timeout: 580_000 }, () => {
  const it = useTwoTenants()

  const sift = (sieve: Sieve, text: string, mine: OneTenant, other: OneTenant, where: string): void => {
    sieve.outputs += 1
    if (text.includes(other.canary) || text.includes(other.slug) || text.includes(other.id))
      sieve.hits.push(`${where}: ${text.slice(0, 200)}`)
    if (text.includes(mine.canary) || text.includes(mine.slug)) sieve.own += 1
  }
  /** Every leaf of a JSON text is an output; what is no JSON is one. */
  const siftAnswer = (sieve: Sieve, text: string, mine: OneTenant, other: OneTenant, where: string): void => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return sift(sieve, text, mine, other, where)
    }
    const walk = (node: unknown): void => {
      if (Array.isArray(node)) return node.forEach(walk)
      if (typeof node !== "object" || node === null) return sift(sieve, String(node), mine, other, where)
      for (const [key, inner] of Object.entries(node)) {
        if (key.includes(other.canary)) sieve.hits.push(`${where}: key ${key}`)
        walk(inner)
      }
    }
    walk(value)
  }

  /** Safe to repeat: reads, and acts that are refused for their form or their wrong secret are left to the matrix. */
  const READS = ALL_ROUTES.filter(({ method }) => method === "GET")
  const readPath = (route: Route, id: string): string =>
    `${pathOf(route, (param) => (param === "kind" ? "snmp" : id))}${QUERIES[route.name] ?? ""}`

  const feed = async (sieve: Sieve, mine: OneTenant, other: OneTenant, who: Somebody, dice: () => number) => {
    const list = async (path: string): Promise<readonly string[]> => {
      const response = await call(it, "GET", path, who.headers)
      const { items } = (await response.json()) as { items?: ReadonlyArray<{ id: string }> }
      assert.ok(items, `${path}: ${response.status}`)
      return items.map(({ id }) => id)
    }
    const ids = [...(await list("/api/v1/devices")), ...(await list("/api/v1/links")), ...(await list("/api/v1/sites"))]
    // Ids of the other, as somebody who overheard them would try; an answer repeats no more than the path it was asked by.
    const pick = (): string => (dice() < 0.8 ? ids[Math.floor(dice() * ids.length)]! : NOBODY_ID)
    return async (): Promise<void> => {
      const route = READS[Math.floor(dice() * READS.length)]!
      const response = await call(it, "GET", readPath(route, pick()), who.headers)
      siftAnswer(sieve, await response.text(), mine, other, `${mine.slug} ${route.name} ${response.status}`)
      for (const [name, value] of response.headers)
        sift(sieve, `${name}: ${value}`, mine, other, `${route.name} header`)
    }
  }

  const watch = async (who: Somebody): Promise<TestViewer> => {
    const viewer = await openViewer(`${it.url}/stream`, who.headers)
    viewer.send(hello())
    await viewer.until(() => viewer.frames.some(({ kind }) => kind === "SNAP"))
    return viewer
  }
  const twinOf = (tenant: OneTenant): LiveTwin =>
    it.engine.tenants().find(({ twin }) => twin.tenant.id === tenant.id)!.twin
  /** What its devices would say: lines and events with the tenant's canary in them. */
  const speak = async (tenant: OneTenant, rounds: number): Promise<void> => {
    const twin = twinOf(tenant)
    for (let round = 0; round < rounds; round++) {
      for (const device of twin.inventory().devices)
        twin.submit({
          kind: "syslog",
          device: device.id,
          atMs: Date.now(),
          severity: 3,
          topics: [`topic-${tenant.canary}`],
          message: `round ${round} of ${tenant.canary}`,
          event: { type: "auth-failed", user: `thief-${tenant.canary}`, from: "127.0.0.9" },
          count: 1,
        })
      await sleep(20)
    }
  }

  test(`[T4] ${OUTPUTS} answers, errors, frames, log lines and samples: 0 carry the other tenant's canary`, async (t) => {
    const dice = diceOf(SEED)
    const sieve: Sieve = { outputs: 0, own: 0, hits: [] }
    const pairs = [
      [it.a, it.b],
      [it.b, it.a],
    ] as const
    const counts: Record<string, number> = {}
    const counted = async (name: string, work: () => Promise<void>): Promise<void> => {
      const before = sieve.outputs
      await work()
      counts[name] = (counts[name] ?? 0) + sieve.outputs - before
    }
    const viewers: TestViewer[] = []
    const feeds: Array<() => Promise<void>> = []
    for (const [mine, other] of pairs) {
      const admin = await somebody(it, mine, ["tenant_admin"])
      viewers.push(await watch(admin))
      feeds.push(await feed(sieve, mine, other, admin, dice))
      feeds.push(
        await feed(
          sieve,
          mine,
          other,
          await somebody(it, mine, ["tenant_admin"], ["network.read", "audit.read"]),
          dice,
        ),
      )
    }
    await Promise.all([speak(it.a, 20), speak(it.b, 20)])
    await counted("answers", async () => {
      const worker = async (one: () => Promise<void>): Promise<void> => {
        while (sieve.outputs < OUTPUTS) await one()
      }
      await Promise.all(feeds.map(worker))
    })
    // Refusals of acts, which might quote what they looked at.
    await counted("refusals", async () => {
      for (const [mine, other] of pairs) {
        const viewer = await somebody(it, mine, ["viewer"])
        for (const route of ALL_ROUTES.filter(({ method }) => method !== "GET")) {
          const path = pathOf(route, (param) => (param === "kind" ? "snmp" : NOBODY_ID))
          const response = await call(it, route.method, path, viewer.headers, BODIES[route.name])
          siftAnswer(sieve, await response.text(), mine, other, `${mine.slug} ${route.name}`)
        }
      }
    })
    await counted("frames", async () => {
      for (const [index, viewer] of viewers.entries())
        for (const bytes of viewer.bytes) sift(sieve, bytes.toString("latin1"), ...pairs[index]!, "frame")
    })
    for (const viewer of viewers) await viewer.close()
    await counted("log lines", async () => {
      for (const line of it.logged) {
        const { tenant } = JSON.parse(line) as { tenant?: string }
        const pair = pairs.find(([mine]) => mine.slug === tenant)
        if (pair !== undefined) sift(sieve, line, ...pair, "log")
        else sieve.outputs += 1
      }
    })
    await counted("metric samples", async () => {
      const operator = await somebody(it, it.a, ["platform_admin"])
      const text = await (await call(it, "GET", "/metrics", operator.headers)).text()
      for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
        const pair = pairs.find(([mine]) => line.includes(`tenant="${mine.slug}"`))
        if (pair !== undefined) sift(sieve, line, ...pair, "metric")
        else {
          sieve.outputs += 1
          // Of the operator: no name but a slug stands in any label.
          if (/canary/.test(line)) sieve.hits.push(`metric: ${line}`)
        }
      }
    })
    t.diagnostic(
      `seed ${SEED}: ${sieve.outputs} outputs ${JSON.stringify(counts)}, ${sieve.own} with the own canary, ${sieve.hits.length} hits`,
    )
    assert.deepEqual(sieve.hits.slice(0, 10), [])
    assert.ok(sieve.own > sieve.outputs / 100, "the sieve sees canaries at all")
    assert.ok(sieve.outputs >= OUTPUTS)
  })

  test("[T4] a tenant's runtime is killed: the other's frames go on without a gap", async (t) => {
    const viewer = await watch(await somebody(it, it.b, ["viewer"]))
    const epochs = [twinOf(it.a).epoch(), twinOf(it.b).epoch()]
    const seqBefore = viewer.state.seq
    assert.ok(it.engine.killTenant(it.a.id, "the test kills it"))
    await speak(it.b, 60)
    const deadline = Date.now() + 120_000
    while (twinOf(it.a).epoch() === epochs[0] && Date.now() < deadline) await sleep(50)
    assert.notEqual(twinOf(it.a).epoch(), epochs[0], "the killed one was not rebuilt")
    assert.equal(twinOf(it.b).epoch(), epochs[1])
    // The viewer itself throws at a gap; what it saw has to be all there was.
    const told = viewer.frames.flatMap((frame) => (frame.kind === "DELTA" ? [frame] : []))
    assert.equal(viewer.frames.filter(({ kind }) => kind === "SNAP").length, 1)
    t.diagnostic(`${told.length} deltas, seq ${seqBefore} to ${viewer.state.seq}`)
    assert.ok(viewer.state.seq > seqBefore, "nothing was told meanwhile")
    await viewer.close()
  })
})
