/**
 * A whole engine with two PostgreSQL servers (PRODUCT.md T3): the second one holds one tenant and is stopped in mid-run,
 * and then before a start. Everybody else detects as before; that tenant alone is told 503.
 */
import assert from "node:assert/strict"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { assemble, type Engine } from "#engine/assemble.ts"
import { SESSION_COOKIE } from "#engine/api/signed-in.ts"
import { openToolStorage } from "#engine/cli/storage.ts"
import { loadConfig } from "#engine/config.ts"
import { parseImport } from "#engine/import/parse.ts"
import { ADMIN_PASSWORD, networkOf } from "#engine/isolation/two-tenants.fixture.ts"
import { makeLog } from "#engine/log.ts"
import { NO_POSTGRES, tempDataDir } from "#engine/storage/database.fixture.ts"
import { openDatabase } from "#engine/storage/launcher.ts"
import { createSession } from "#engine/storage/sessions.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { LiveTwin } from "#engine/tenant/live-twin.ts"

const run = Effect.runPromise
const HOME = { slug: "home", name: "Home", demo: false }
const OWN = { slug: "own", name: "Own", demo: false }
const SAMPLES = 150

describe("an own database's outage", { skip: NO_POSTGRES, timeout: 600_000 }, () => {
  test("[T3] stopped in mid-run: the others detect as before, its tenant alone is told 503; the next start does without", async (t) => {
    const [dataDir, otherDir] = [tempDataDir(t), tempDataDir(t)]
    const second = Scope.makeUnsafe()
    const other = await run(
      Scope.provide(openDatabase({ dataDir: otherDir, app: "heliograph", log: () => {} }), second),
    )
    const url = new URL(other.ownerUrl)
    url.username = "postgres"
    url.password = readFileSync(join(otherDir, "pg.secret"), "utf8").trim()
    const file = join(dataDir, "databases.json")
    writeFileSync(file, JSON.stringify({ own: url.toString() }), { mode: 0o600 })
    chmodSync(file, 0o600)
    const loaded = loadConfig({
      env: {
        HELIOGRAPH_DATA_DIR: dataDir,
        HELIOGRAPH_PORT: "0",
        HELIOGRAPH_TRAP_PORT: "0",
        HELIOGRAPH_SYSLOG_PORT: "0",
        HELIOGRAPH_LISTEN_HOST: "127.0.0.1",
        HELIOGRAPH_LOOPBACK_TARGETS: "allow",
        HELIOGRAPH_ADMIN_PASSWORD: ADMIN_PASSWORD,
        HELIOGRAPH_TENANT_DATABASES_FILE: file,
      },
    })
    assert.ok(loaded._tag === "Config")
    const { config } = loaded
    const logged: string[] = []
    const log = makeLog({ level: "info", format: "json", write: (line) => void logged.push(line) })
    const begin = (scope: Scope.Closeable): Promise<Engine> =>
      run(Scope.provide(assemble({ config, log, firstTenant: HOME, progress: () => undefined }), scope))

    const life = Scope.makeUnsafe()
    const engine = await begin(life)
    await run(engine.ensureTenant(OWN))
    for (const { slug } of [HOME, OWN]) {
      const parsed = parseImport(JSON.stringify(networkOf(`${slug}-canary`)))
      assert.ok(parsed.ok)
      await run(engine.importer.apply(slug, parsed.document, { dryRun: false, replace: true }))
    }
    const twinOf = (slug: string): LiveTwin => engine.tenants().find(({ twin }) => twin.tenant.slug === slug)!.twin
    const tools = Scope.makeUnsafe()
    const { db } = await run(
      Scope.provide(
        openToolStorage(config, () => undefined),
        tools,
      ),
    )
    const cookieOf = async (slug: string): Promise<Record<string, string>> => {
      const { id } = twinOf(slug).tenant
      const userId = uuidv7()
      const { token } = await run(
        db.tenant(id)(async (tx) => {
          await tx.query(
            "insert into app_user (tenant_id, user_id, name, roles, password, created_ms) values ($1, $2, $3, $4, '-', 1)",
            [id, userId, `user-${userId}`, ["tenant_admin"]],
          )
          const nowMs = Date.now()
          return createSession(tx, id, { userId, source: null, nowMs, expiresAtMs: nowMs + 3_600_000 })
        }),
      )
      return { cookie: `${SESSION_COOKIE}=${token}` }
    }
    const cookies = { home: await cookieOf("home"), own: await cookieOf("own") }
    await run(Scope.close(tools, Exit.void))
    const status = async (url_: string, slug: keyof typeof cookies): Promise<number> =>
      (await fetch(`${url_}/api/v1/events`, { headers: cookies[slug] })).status
    assert.deepEqual([await status(engine.url, "home"), await status(engine.url, "own")], [200, 200])

    // Its devices speak and its viewers ask all the while that the other tenant is measured: before, and without it.
    const measure = async (): Promise<{ readonly times: readonly number[]; readonly answers: readonly number[] }> => {
      const ending = new AbortController()
      const seen = new Set<number>()
      const crowd = (async () => {
        do {
          say(twinOf("own"))
          seen.add(await status(engine.url, "own"))
        } while (!ending.signal.aborted)
      })()
      const times = await detect(twinOf("home"))
      ending.abort()
      await crowd
      return { times, answers: [...seen] }
    }
    await measure()
    const before = await measure()
    await other.stop()
    const during = await measure()
    const [usualBefore, usualDuring] = [before, during].map(({ times }) => quantile(times, 0.5)) as [number, number]
    const [p99Before, p99During] = [before, during].map(({ times }) => quantile(times, 0.99)) as [number, number]
    t.diagnostic(
      `detection of the other tenant: p50 ${usualBefore.toFixed(1)} ms before, ${usualDuring.toFixed(1)} ms during; p99 ${p99Before.toFixed(1)}, ${p99During.toFixed(1)}`,
    )
    assert.deepEqual([before.answers, during.answers], [[200], [503]])
    // The usual one: a p99 of 150 is the machine's own pauses. Waiting for a database that is away would be in each.
    assert.ok(usualDuring < usualBefore * 3 + 100, `${usualBefore} ms, then ${usualDuring} ms`)
    assert.equal(await status(engine.url, "home"), 200)
    // The live twin of the tenant went on without its database.
    assert.ok(twinOf("own").seq() > 0)
    await run(Scope.close(life, Exit.void))

    const again = Scope.makeUnsafe()
    const restarted = await begin(again)
    assert.deepEqual(
      restarted.tenants().map(({ twin }) => twin.tenant.slug),
      ["home"],
    )
    assert.deepEqual([await status(restarted.url, "home"), await status(restarted.url, "own")], [200, 503])
    assert.ok(!logged.join().includes(url.password))
    await run(Scope.close(again, Exit.void))
    await run(Scope.close(second, Exit.void))
  })
})

const say = (twin: LiveTwin): boolean =>
  twin.submit({
    kind: "syslog",
    device: twin.inventory().devices[0]!.id,
    atMs: Date.now(),
    severity: 3,
    topics: [],
    message: "link down",
    event: { type: "auth-failed", user: "thief", from: "127.0.0.9" },
    count: 1,
  })

/** Milliseconds from a device's word to the round that tells of it, journaled and all. */
const detect = async (twin: LiveTwin): Promise<readonly number[]> => {
  const times: number[] = []
  for (let n = 0; n < SAMPLES; n++) {
    const startedMs = performance.now()
    await new Promise<void>((told) => {
      const stop = twin.onRound(({ events }) => {
        if (events.length === 0) return
        stop()
        told()
      })
      say(twin)
    })
    times.push(performance.now() - startedMs)
  }
  return times
}

const quantile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * share)]!
