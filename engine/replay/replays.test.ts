/**
 * [W10] Replays over real doors: a whole engine with its database, threads, REST and sockets. What the viewer gets is what
 * was live; who may not gets nothing; and a thread that fails takes nobody along.
 */
import assert from "node:assert/strict"
import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import { after, describe, test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import WebSocket from "ws"
import { somebody, useTwoTenants, type OneTenant, type Somebody } from "#engine/isolation/two-tenants.fixture.ts"
import { silentLog } from "#engine/log.ts"
import {
  IDLE_MS_MAX,
  makeReplays,
  type Asker,
  type NewReplay,
  type Replays,
  type ReplayView,
} from "#engine/replay/replays.ts"
import { askReplaysOf, keptMs, liveTwinOf } from "#engine/replay/doors.fixture.ts"
import { openReplay } from "#engine/replay/replay.ts"
import { ReplayRefused } from "#engine/replay/session.ts"
import { storedSource, type ReplaySource } from "#engine/replay/source.ts"
import { makeQuotas, QuotaPassed, type Quotas } from "#engine/quota/quotas.ts"
import { NO_POSTGRES } from "#engine/storage/database.fixture.ts"
import { makeFakeTwin } from "#engine/stream/fake-twin.fixture.ts"
import { hello, openViewer } from "#engine/stream/viewer.fixture.ts"
import { encodeSnapshot } from "#engine/tenant/snapshot-codec.ts"
import { poll, unreachable } from "#engine/tenant/network.fixture.ts"

/** Without snapshots, so that any input can be stopped at. */
const fromTheStart = (source: ReplaySource): ReplaySource => ({ ...source, checkpoint: async () => null })

type Body = Omit<ReplayView, "id"> & { readonly id: string; readonly detail?: string; readonly quota?: string }

describe("[W10] replays over real doors", { skip: NO_POSTGRES }, () => {
  const it = useTwoTenants()
  const ask = askReplaysOf<Body>(it)
  const twinOf = (tenant: OneTenant) => liveTwinOf(it, tenant)
  /** Says one thing of each device and waits until it is kept. */
  const happen = (tenant: OneTenant, answers: boolean): Promise<number> => {
    const twin = twinOf(tenant)
    const atMs = Date.now()
    for (const { id } of twin.inventory().devices)
      for (let again = 0; again < 3; again++) assert.ok(twin.submit(answers ? poll(id, atMs) : unreachable(id, atMs)))
    return keptMs(twin)
  }
  /** What the live twin showed after this input, folded here from the same rows. */
  const livedAt = async (tenant: OneTenant, seq: number): Promise<Uint8Array> => {
    const replay = await openReplay(storedSource(it.db, tenant.id), Number.MAX_SAFE_INTEGER)
    const from = replay.startSeq <= seq ? replay : await openReplay(fromTheStart(storedSource(it.db, tenant.id)), 0)
    await from.runTo({ seq })
    return from.world.columns.nodeStatus
  }
  const streamOf = (id: string): string => `${it.url}/stream?replay=${id}`
  /** Status of an upgrade that is refused. */
  const refusedWith = async (who: Somebody, id: string): Promise<number> => {
    const socket = new WebSocket(streamOf(id).replace("http", "ws"), { headers: who.headers })
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage]
    response.resume()
    return response.statusCode ?? 0
  }
  const end = async (who: Somebody, id: string): Promise<void> =>
    assert.equal((await ask(who, "DELETE", `/${id}`))[0], 204)

  test("a viewer sees the moment, then another, then what followed; and hears that it is a replay", async () => {
    const who = await somebody(it, it.a, ["engineer"])
    const wellMs = await happen(it.a, true)
    const goneMs = await happen(it.a, false)

    const [status, opened] = await ask(who, "POST", "", { fromMs: wellMs })
    assert.equal(status, 200, opened.detail ?? "")
    assert.deepEqual([opened.atMs, opened.playing, opened.mine], [wellMs, false, true])
    const viewer = await openViewer(streamOf(opened.id), who.headers)
    viewer.send(hello())
    await viewer.until(() => viewer.state.nodes.status.length > 0)
    const welcome = viewer.frames[0]!
    assert.equal(welcome.kind === "WELCOME" && welcome.mode, "replay")
    const well = await livedAt(it.a, opened.seq)
    assert.deepEqual(viewer.state.nodes.status, well)
    assert.equal(viewer.state.atMs, wellMs, "frames bear the replayed moment")

    const [, later] = await ask(who, "PATCH", `/${opened.id}`, { atMs: goneMs })
    await viewer.until(() => viewer.state.seq === later.seq)
    const gone = await livedAt(it.a, later.seq)
    assert.notDeepEqual(gone, well)
    assert.deepEqual(viewer.state.nodes.status, gone)
    const [, back] = await ask(who, "PATCH", `/${opened.id}`, { atMs: wellMs })
    await viewer.until(() => viewer.state.seq === back.seq)
    assert.deepEqual(viewer.state.nodes.status, well)
    await ask(who, "PATCH", `/${opened.id}`, { playing: true, speed: 1000 })
    await viewer.until(() => Buffer.from(viewer.state.nodes.status).equals(gone))
    const device = twinOf(it.a).inventory().devices[0]!.id
    viewer.send({ kind: "SUB", focus: { kind: "device", id: device }, cells: [], tiers: [], hidden: false })
    await viewer.until(() => viewer.frames.some((frame) => frame.kind === "FOCUS"))

    const [, standing] = await ask(who, "GET", `/${opened.id}`)
    assert.equal(standing.viewers, 1)
    await end(who, opened.id)
    await viewer.closed
    assert.equal((await ask(who, "GET", `/${opened.id}`))[0], 404)
  })

  test("who may watch, who may steer, and that another tenant finds nothing", async () => {
    const [engineer, other] = [await somebody(it, it.a, ["engineer"]), await somebody(it, it.a, ["engineer"])]
    const [viewer, foreign] = [await somebody(it, it.a, ["viewer"]), await somebody(it, it.b, ["engineer"])]
    assert.equal((await ask(viewer, "POST", "", { fromMs: Date.now() }))[0], 403)
    const [, { id }] = await ask(engineer, "POST", "", { fromMs: Date.now() })
    assert.equal((await ask(viewer, "GET", `/${id}`))[1].mine, false)
    assert.equal((await ask(viewer, "PATCH", `/${id}`, { playing: true }))[0], 403)
    const [status, refused] = await ask(other, "PATCH", `/${id}`, { playing: true })
    assert.equal(status, 422)
    assert.match(refused.detail ?? "", /who opened it/)
    assert.equal((await ask(other, "DELETE", `/${id}`))[0], 422)
    for (const [method, body] of [["GET"], ["PATCH", { playing: true }], ["DELETE"]] as const)
      assert.equal((await ask(foreign, method, `/${id}`, body))[0], 404)
    assert.equal(await refusedWith(foreign, id), 404)
    assert.equal(await refusedWith(engineer, "018f0000-0000-7000-8000-00000000dead"), 404)
    assert.equal(await refusedWith({ userId: "", headers: {} }, id), 401)
    const watched = await openViewer(streamOf(id), viewer.headers)
    await watched.close()
    await end(engineer, id)
  })

  test("nothing of another tenant comes out of a replay", async () => {
    const who = await somebody(it, it.a, ["engineer"])
    await happen(it.b, false)
    const [, { id }] = await ask(who, "POST", "", { fromMs: Date.now() })
    const viewer = await openViewer(streamOf(id), who.headers)
    viewer.send(hello())
    await viewer.until(() => viewer.state.nodes.status.length > 0)
    const bytes = Buffer.concat(viewer.bytes)
    assert.ok(bytes.includes(it.a.canary))
    assert.ok(!bytes.includes(it.b.canary))
    await viewer.close()
    await end(who, id)
  })

  test("somebody of other sites sees nothing of this one", async () => {
    const who = await somebody(it, it.a, ["engineer"])
    await Effect.runPromise(
      it.db.tenant(it.a.id)((tx) =>
        tx.query("update app_user set sites = $2 where tenant_id = $3 and user_id = $1", [
          who.userId,
          [`site2-${it.a.canary}`],
          it.a.id,
        ]),
      ),
    )
    const [status, { id }] = await ask(who, "POST", "", { fromMs: Date.now() })
    assert.equal(status, 200)
    const viewer = await openViewer(streamOf(id), who.headers)
    viewer.send(hello())
    await viewer.until(() => viewer.frames.some(({ kind }) => kind === "SNAP"))
    assert.equal(viewer.state.nodes.id.length, 0)
    assert.ok(!Buffer.concat(viewer.bytes).includes(`r1-${it.a.canary}`))
    await viewer.close()
    await end(who, id)
  })

  test("[T5] as many at once as the quota says, then a refusal that names it; one that ends makes room", async () => {
    const who = await somebody(it, it.a, ["engineer"])
    const open = () => ask(who, "POST", "", { fromMs: Date.now() })
    const limit = 8
    const all = await Promise.all(Array.from({ length: limit + 1 }, open))
    const ok = all.filter(([status]) => status === 200)
    const over = all.filter(([status]) => status === 429)
    assert.deepEqual([ok.length, over.length], [limit, 1], JSON.stringify(all))
    assert.equal(over[0]![1].quota, "max_concurrent_replays")
    await end(who, ok[0]![1].id)
    const [status, again] = await open()
    assert.equal(status, 200)
    await Promise.all([again, ...ok.slice(1).map(([, body]) => body)].map(({ id }) => end(who, id)))
  })

  test("the future and a time before anything was kept are refused in words", async () => {
    const who = await somebody(it, it.a, ["engineer"])
    const [late, future] = await ask(who, "POST", "", { fromMs: Date.now() + 60_000 })
    assert.deepEqual([late, future.detail], [422, "the future cannot be replayed"])
    const [odd] = await ask(who, "POST", "", { fromMs: 2_000, toMs: 1_000 })
    assert.equal(odd, 422)
    assert.equal((await ask(who, "GET", ""))[0], 200)
  })

  test("what is told as the oldest moment can be opened, a snapshot there or not", async () => {
    const who = await somebody(it, it.a, ["engineer"])
    const oldest = async (): Promise<number> => {
      const response = await fetch(`${it.url}/api/v1/replays`, { headers: who.headers })
      return ((await response.json()) as { firstMs: number }).firstMs
    }
    const opens = async (fromMs: number): Promise<boolean> => {
      const [status, { id }] = await ask(who, "POST", "", { fromMs })
      if (status === 200) await end(who, id)
      return status === 200
    }
    const write = (sql: string, values: readonly unknown[]) =>
      Effect.runPromise(it.db.ingest(it.a.id)((tx) => tx.query(sql, values)))
    const begin = await oldest()
    assert.equal(await opens(begin), true)
    // A snapshot of now, as the engine would leave one.
    const replay = await openReplay(storedSource(it.db, it.a.id), Date.now())
    await replay.runTo({ atMs: Date.now() })
    const { seq, atMs } = replay.world
    const blob = await encodeSnapshot(replay.snapshot())
    await write(
      `insert into snapshot (tenant_id, seq, epoch, at_ms, data, state_hash, checkpoint)
       values ($1, $2, 1, $3, $4, $5, true) on conflict do nothing`,
      [it.a.id, seq, Math.trunc(atMs), blob, (await replay.hash()).all],
    )
    assert.equal(await oldest(), begin, "the first input is still there")
    assert.equal(await opens(begin), true)
  })

  test("no URL of a database is told or logged", () => {
    const password = new URL(it.database.appUrl).password
    assert.ok(password.length > 10)
    assert.ok(it.logged.every((line) => !line.includes(password)))
  })
})

describe("[W10] a thread that fails", () => {
  const scope = Scope.makeUnsafe()
  after(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const twin = makeFakeTwin("t", 1, 1)
  const asker: Asker = {
    actor: { kind: "user", id: "u", name: "ana", source: null },
    twin,
    sites: null,
  }
  const wanted: NewReplay = { fromMs: 1, toMs: 2, speed: 1 }
  interface Over {
    readonly quotas?: Quotas
    readonly heapMb?: number
    readonly openMsMax?: number
    readonly runs?: () => boolean
    readonly monotonicMs?: () => number
  }
  const register = (code: string, over: Over = {}) =>
    Effect.runPromise(
      Scope.provide(
        makeReplays({
          // The audit's transaction, which these threads reach only when they open.
          db: { tenant: () => () => Effect.void } as never,
          quotas: over.quotas ?? makeQuotas(() => 0),
          log: silentLog,
          appUrl: () => "postgres://app:secret-of-the-url@localhost/x",
          runs: over.runs ?? (() => true),
          nowMs: Date.now,
          monotonicMs: over.monotonicMs ?? (() => performance.now()),
          worker: new URL(`data:text/javascript,${encodeURIComponent(code)}`),
          limits: { heapMb: over.heapMb ?? 64, openMsMax: over.openMsMax ?? 20_000 },
        }),
        scope,
      ),
    )
  const failure = async (replays: Replays): Promise<unknown> =>
    Effect.runPromise(Effect.flip(replays.open(asker, wanted)))
  const OPENED = `
    import { parentPort } from "node:worker_threads"
    parentPort.postMessage({ kind: "opened", standing: { atMs: 1, toMs: 2, playing: false, speed: 1, seq: 0, epoch: 0, problem: null } })`

  test("one that throws at its start is told in words, and holds no place in the quota", async () => {
    const replays = await register("throw new Error('boom')")
    for (let again = 0; again < 10; again++) {
      const error = await failure(replays)
      assert.ok(error instanceof ReplayRefused)
      assert.match(error.message, /defect: Error: boom/)
      assert.doesNotMatch(error.message, /secret-of-the-url/)
    }
    assert.deepEqual(replays.list(asker), [])
  })

  test("one that wants more memory than it may have ends alone", async () => {
    const replays = await register("const all = []; for (;;) all.push(new Array(1e5).fill({}))", { heapMb: 32 })
    const error = await failure(replays)
    assert.match(String(error), /more than 32 MB of memory/)
  })

  test("one that takes too long is stopped", async () => {
    const replays = await register("setInterval(() => {}, 1e6)", { openMsMax: 50 })
    assert.match(String(await failure(replays)), /was not there after 0.05 s/)
  })

  test("one that dies while it is watched says why for a while; its viewers are told", async () => {
    const replays = await register(`${OPENED}
      parentPort.on("message", () => { throw new Error("later") })`)
    const { id } = await Effect.runPromise(replays.open(asker, wanted))
    const gone = new Promise<string>((settle) => replays.onEnd(settle))
    const hub = replays.hub(twin.tenant.id, id, null)
    assert.ok(hub !== null)
    hub.join({ ready: () => true, send: () => undefined }, null)
    assert.equal(await gone, id)
    assert.match(replays.get(asker, id)?.ended ?? "", /defect: Error: later/)
    const refused = await Effect.runPromise(Effect.flip(replays.steer(asker, id, { playing: true })))
    assert.match(refused.message, /the replay ended/)
    assert.equal(replays.hub(twin.tenant.id, id, null), null)
    assert.deepEqual(replays.list(asker), [])
  })

  test("nobody asks anything of it for ten minutes: it ends; one that is played before a viewer goes on", async () => {
    let nowMs = 0
    const playing = OPENED.replace("playing: false", "playing: true")
    for (const [code, watched, goesOn] of [
      [OPENED, true, false],
      [playing, false, false],
      [playing, true, true],
    ] as const) {
      const replays = await register(`${code}\nsetInterval(() => {}, 1e6)`, { monotonicMs: () => nowMs })
      const { id } = await Effect.runPromise(replays.open(asker, wanted))
      const gone = new Promise<void>((settle) => replays.onEnd(() => settle()))
      if (watched) replays.hub(twin.tenant.id, id, null)!.join({ ready: () => true, send: () => undefined }, null)
      nowMs += IDLE_MS_MAX - 1
      await new Promise((swept) => setTimeout(swept, 1_200))
      assert.equal(replays.get(asker, id)?.ended, null)
      nowMs += 2
      if (goesOn) {
        await new Promise((swept) => setTimeout(swept, 1_200))
        assert.equal(replays.get(asker, id)?.ended, null)
        await Effect.runPromise(replays.close(asker, id))
      } else {
        await gone
        assert.match(replays.get(asker, id)?.ended ?? "", /10 minutes/)
      }
    }
  })

  test("when its tenant stops, so does it", async () => {
    let runs = true
    const replays = await register(`${OPENED}\nsetInterval(() => {}, 1e6)`, { runs: () => runs })
    const { id } = await Effect.runPromise(replays.open(asker, wanted))
    const gone = new Promise<string>((settle) => replays.onEnd(settle))
    runs = false
    assert.equal(await gone, id)
  })

  test("a slow viewer holds back what the thread sends, never more than it was given", async () => {
    const replays = await register(`${OPENED}
      let taken = 0
      parentPort.on("message", (message) => {
        const send = () => parentPort.postMessage({ kind: "frame", viewer: message.viewer, bytes: new Uint8Array(10) })
        if (message.kind === "join") send()
        if (message.kind === "taken") { taken += message.bytes; if (taken < 30) send() }
      })`)
    const { id } = await Effect.runPromise(replays.open(asker, wanted))
    const sent: number[] = []
    let ready = false
    let asked = 0
    const three = new Promise<void>((settle) => {
      const hub = replays.hub(twin.tenant.id, id, null)!
      const viewer = {
        ready: () => {
          asked++
          ready = asked >= 3
          return ready
        },
        send: (bytes: Uint8Array) => {
          assert.ok(ready)
          sent.push(bytes.length)
          if (sent.length === 3) settle()
        },
      }
      hub.join(viewer, null)
    })
    await three
    assert.deepEqual(sent, [10, 10, 10])
    await Effect.runPromise(replays.close(asker, id))
  })

  test("[T5] a burst cannot pass the quota together", async () => {
    const quotas = makeQuotas(() => 0)
    quotas.set(twin.tenant.id, "small", { max_concurrent_replays: 3 })
    const replays = await register(OPENED + "\nsetInterval(() => {}, 1e6)", { quotas })
    const all = await Promise.all(
      Array.from({ length: 8 }, () => Effect.runPromise(Effect.exit(replays.open(asker, wanted)))),
    )
    assert.equal(all.filter(Exit.isSuccess).length, 3)
    assert.ok((await failure(replays)) instanceof QuotaPassed)
    assert.equal(quotas.used(twin.tenant.id).find(({ name }) => name === "max_concurrent_replays")?.used, 3)
  })
})
