/** The launcher on this machine: fresh, warm, orphaned, killed, raced, refused. As whoever runs the tests, root too. */
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test, type TestContext } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { Client } from "pg"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { auditRls } from "#engine/storage/audit-rls.ts"
import { findBinaries } from "#engine/storage/binaries.ts"
import { MIGRATIONS, NO_POSTGRES, tempDataDir } from "#engine/storage/database.fixture.ts"
import { openDatabase, type Database, type DatabaseOptions } from "#engine/storage/launcher.ts"
import { migrate } from "#engine/storage/migrate.ts"
import { choosePlace } from "#engine/storage/run-as.ts"

const IS_ROOT = process.getuid?.() === 0
const AS_ROOT = IS_ROOT ? false : "needs root; enable: run the tests as root"
const SYSTEM =
  (await findBinaries()).some((it) => it.origin === "system" && it.major !== 18) || NO_POSTGRES
    ? NO_POSTGRES
    : "needs a system PostgreSQL of another major than npm's 18; enable: apt install postgresql"

interface Opened {
  readonly database: Database
  readonly log: readonly string[]
  readonly close: () => Promise<void>
}
const open = async (t: TestContext, dataDir: string, more: Partial<DatabaseOptions> = {}): Promise<Opened> => {
  const scope = Scope.makeUnsafe()
  const close = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(close)
  const log: string[] = []
  const opening = openDatabase({ dataDir, app: "heliograph", log: (line) => log.push(line), ...more })
  return { database: await Effect.runPromise(Scope.provide(opening, scope)), log, close }
}

const ask = async (url: string, sql: string): Promise<Record<string, unknown>> => {
  const client = new Client({ connectionString: url })
  client.on("error", () => {})
  await client.connect()
  try {
    const { rows } = await client.query(sql)
    return rows[0] as Record<string, unknown>
  } finally {
    await client.end()
  }
}

const failure = async (
  t: TestContext,
  dataDir: string,
  more: Partial<DatabaseOptions> = {},
): Promise<Error & { _tag: string }> => {
  const outcome = await open(t, dataDir, more).then(
    () => null,
    (error: unknown) => error,
  )
  assert.ok(outcome !== null, "it must not open")
  return outcome as Error & { _tag: string }
}

const postmaster = (dataDir: string): number =>
  Number.parseInt(readFileSync(join(choosePlace(dataDir).stateDir, "pg/postmaster.pid"), "utf8"), 10)

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}

/** Another engine process on the directory: prints READY, then lives until it is killed. */
const otherEngine = async (t: TestContext, dataDir: string): Promise<{ pid: number; killed: () => Promise<void> }> => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", ENGINE, dataDir], {
    cwd: new URL("../..", import.meta.url).pathname,
    stdio: ["ignore", "pipe", "ignore"],
  })
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()))
  t.after(async () => {
    child.kill("SIGKILL")
    await exited
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      if (data.toString().includes("READY")) resolve()
    })
    child.on("exit", () => reject(new Error("the other engine ended")))
  })
  const killed = async (): Promise<void> => {
    child.kill("SIGKILL")
    await exited
  }
  return { pid: child.pid!, killed }
}
const ENGINE = `
  import * as Effect from "effect/Effect"
  import { openDatabase } from "#engine/storage/launcher.ts"
  const dataDir = process.argv[1]
  await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
    yield* openDatabase({ dataDir, app: "heliograph", log: () => {} })
    console.log("READY")
    setInterval(() => {}, 1000)
    yield* Effect.never
  })))`

/** A data directory whose cluster was made before and stopped: a copy is much faster than initdb. */
const usedDataDir = async (t: TestContext): Promise<string> => {
  template ??= makeTemplate()
  const dataDir = tempDataDir(t)
  execFileSync("cp", ["-a", `${await template}/.`, dataDir])
  return dataDir
}
let template: Promise<string> | null = null
const makeTemplate = async (): Promise<string> => {
  const dataDir = mkdtempSync(join(tmpdir(), "heliograph-test-"))
  chmodSync(dataDir, 0o755)
  const opening = openDatabase({ dataDir, app: "heliograph", log: () => {} })
  await Effect.runPromise(Effect.scoped(Effect.asVoid(opening)))
  return dataDir
}
after(async () => {
  if (template !== null) rmSync(await template, { recursive: true, force: true })
})

describe("launcher", { skip: NO_POSTGRES }, () => {
  test("a fresh start makes a cluster that keeps its promises; a warm start keeps the data; stop leaves nothing running", async (t) => {
    const dataDir = tempDataDir(t)
    const began = performance.now()
    const first = await open(t, dataDir)
    const fresh = performance.now() - began
    assert.equal(first.database.kind, "started")
    const settings = await ask(
      first.database.appUrl,
      `select current_user as role, current_setting('fsync') as fsync, current_setting('data_checksums') as checksums,
         current_setting('synchronous_commit') as sync, current_setting('listen_addresses') as tcp,
         (select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = current_user) as mighty,
         pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()`,
    )
    assert.deepEqual(settings, {
      role: "heliograph_app",
      fsync: "on",
      checksums: "on",
      sync: "on",
      tcp: "",
      mighty: false,
      encoding: "UTF8",
    })
    assert.equal(statSync(join(dataDir, "pg.secret")).mode & 0o777, 0o600)
    await ask(first.database.ownerUrl, "create table kept as select 42 as answer")
    const pid = postmaster(dataDir)
    await first.close()
    assert.ok(!isAlive(pid))
    const again = performance.now()
    const second = await open(t, dataDir)
    t.diagnostic(`fresh start ${fresh.toFixed(0)} ms, warm start ${(performance.now() - again).toFixed(0)} ms`)
    assert.deepEqual(await ask(second.database.ownerUrl, "select answer from kept"), { answer: 42 })
  })

  test("a second engine on the same data directory is refused by name of the first; a killed first one leaves no lock", async (t) => {
    const dataDir = await usedDataDir(t)
    const other = await otherEngine(t, dataDir)
    const refused = await failure(t, dataDir)
    assert.equal(refused._tag, "DataDirInUse")
    assert.match(refused.message, new RegExp(`process ${other.pid}\\b`))
    await other.killed()
    await open(t, dataDir)
  })

  test("engines racing on an empty directory: exactly one opens it, the others are told", async (t) => {
    const dataDir = tempDataDir(t)
    const racing = await Promise.allSettled([
      open(t, dataDir),
      open(t, dataDir),
      otherEngine(t, dataDir),
      open(t, dataDir),
    ])
    assert.equal(racing.filter((it) => it.status === "fulfilled").length, 1)
  })

  test("an orphan of a killed engine is adopted: same server, nothing restarted, and stopped by its new owner", async (t) => {
    const dataDir = await usedDataDir(t)
    const other = await otherEngine(t, dataDir)
    const pid = postmaster(dataDir)
    await other.killed()
    assert.ok(isAlive(pid))
    const began = performance.now()
    const { database, close } = await open(t, dataDir)
    t.diagnostic(`adopted in ${(performance.now() - began).toFixed(0)} ms`)
    assert.equal(database.kind, "adopted")
    assert.equal(postmaster(dataDir), pid)
    await close()
    assert.ok(!isAlive(pid))
  })

  test("a tool uses the running engine's server and leaves it running; alone it starts and stops one", async (t) => {
    const dataDir = await usedDataDir(t)
    const alone = await open(t, dataDir, { purpose: "tool" })
    assert.equal(alone.database.kind, "started")
    await alone.close()
    const engine = await open(t, dataDir)
    const tool = await open(t, dataDir, { purpose: "tool" })
    assert.equal((await ask(tool.database.appUrl, "select 1 as one"))["one"], 1)
    await tool.close()
    assert.equal((await ask(engine.database.appUrl, "select 1 as one"))["one"], 1)
  })

  test("[W11] kill -9 of the postmaster under four writers: every acknowledged commit is there after its restart", async (t) => {
    const dataDir = await usedDataDir(t)
    const { database, log } = await open(t, dataDir)
    await ask(database.ownerUrl, "create table written (writer int, n int, primary key (writer, n))")
    const acked = [0, 0, 0, 0]
    const stopping = new AbortController()
    const writer = async (w: number): Promise<void> => {
      for (let n = 1; !stopping.signal.aborted;) {
        const client = new Client({ connectionString: database.ownerUrl, connectionTimeoutMillis: 2_000 })
        client.on("error", () => {})
        try {
          await client.connect()
          while (!stopping.signal.aborted) {
            await client.query("insert into written values ($1, $2) on conflict do nothing", [w, n])
            acked[w] = n++
          }
        } catch {
          await sleep(20)
        } finally {
          await client.end().catch(() => {})
        }
      }
    }
    const writers = acked.map((_, w) => writer(w))
    const total = (): number => acked.reduce((a, b) => a + b)
    for (let kills = 0; kills < 3; kills++) {
      const before = total()
      while (total() < before + 200) await sleep(10)
      process.kill(postmaster(dataDir), "SIGKILL")
    }
    const before = total()
    while (total() < before + 50) await sleep(10)
    stopping.abort()
    await Promise.all(writers)
    for (const [w, n] of acked.entries()) {
      const row = await ask(
        database.ownerUrl,
        `select count(*)::int as n from written where writer = ${w} and n <= ${n}`,
      )
      assert.equal(row["n"], n, `writer ${w}`)
    }
    t.diagnostic(`${total()} acknowledged commits, 3 kills, 0 lost`)
    assert.ok(log.some((line) => line.includes("died")))
  })

  test("a stale postmaster.pid that names another living process (container restart) does not stop the start", async (t) => {
    const dataDir = await usedDataDir(t)
    const other = await otherEngine(t, dataDir)
    const pid = postmaster(dataDir)
    await other.killed()
    process.kill(pid, "SIGKILL")
    while (isAlive(pid)) await sleep(10)
    const file = join(choosePlace(dataDir).stateDir, "pg/postmaster.pid")
    const lines = readFileSync(file, "utf8").split("\n")
    writeFileSync(file, [String(process.ppid), ...lines.slice(1)].join("\n"))
    const { database } = await open(t, dataDir)
    assert.equal((await ask(database.appUrl, "select 1 as one"))["one"], 1)
  })

  test("awkward paths and environments: spaces, quotes, umlauts, a path too long for a socket, PG* variables", async (t) => {
    const dataDir = join(tempDataDir(t), `a "quoted", ünïcode dir`, "x".repeat(90))
    mkdirSync(dataDir, { recursive: true })
    for (const [name, value] of Object.entries({
      PGDATA: "/nowhere",
      PGHOST: "nowhere",
      PGPORT: "1",
      PGOPTIONS: "-c x=y",
    })) {
      const before = process.env[name]
      process.env[name] = value
      t.after(() => (before === undefined ? delete process.env[name] : (process.env[name] = before)))
    }
    const scrubbed = await open(t, dataDir)
    delete process.env["PGOPTIONS"]
    assert.equal((await ask(scrubbed.database.appUrl, "select 1 as one"))["one"], 1)
    const host = new URL(scrubbed.database.appUrl).searchParams.get("host")!
    t.after(() => rmSync(host, { recursive: true, force: true }))
    assert.ok(host.startsWith(tmpdir()) && !host.startsWith(dataDir), host)
  })

  test("a lost password file is named, and the cluster is left alone", async (t) => {
    const dataDir = await usedDataDir(t)
    const secret = readFileSync(join(dataDir, "pg.secret"))
    rmSync(join(dataDir, "pg.secret"))
    assert.match((await failure(t, dataDir)).message, /pg\.secret.*missing/)
    assert.ok(!existsSync(join(dataDir, "pg.secret")))
    writeFileSync(join(dataDir, "pg.secret"), secret, { mode: 0o600 })
    await open(t, dataDir)
  })

  test("a cluster of another major is refused with what to do, and not touched", { skip: SYSTEM }, async (t) => {
    const dataDir = await usedDataDir(t)
    const file = join(choosePlace(dataDir).stateDir, "pg/PG_VERSION")
    writeFileSync(file, "14\n")
    const refused = await failure(t, dataDir)
    assert.equal(refused._tag, "DatabaseUnavailable")
    assert.match(refused.message, /made by PostgreSQL 14.*DATABASE_URL.*Nothing was changed/s)
  })

  test("the system's PostgreSQL works the same", { skip: SYSTEM }, async (t) => {
    const dataDir = tempDataDir(t)
    const { database } = await open(t, dataDir, { prefer: "system" })
    assert.notEqual(database.version.split(".")[0], "18")
    assert.equal((await ask(database.appUrl, "select current_user as it"))["it"], "heliograph_app")
  })

  test(
    "root in a directory that the server's user cannot reach: the cluster moves, and says so",
    { skip: AS_ROOT },
    async (t) => {
      const closed = mkdtempSync(join(tmpdir(), "heliograph-test-"))
      chmodSync(closed, 0o700)
      const dataDir = join(closed, "data")
      mkdirSync(dataDir)
      const { stateDir, moved } = choosePlace(dataDir)
      assert.ok(moved)
      t.after(() => {
        rmSync(stateDir, { recursive: true, force: true })
        rmSync(closed, { recursive: true, force: true })
      })
      const first = await open(t, dataDir)
      assert.ok(
        first.log.some((line) => line.includes(stateDir)),
        first.log.join("\n"),
      )
      assert.equal((await ask(first.database.appUrl, "select 1 as one"))["one"], 1)
      assert.ok(readdirSync(stateDir).includes("pg") && !existsSync(join(dataDir, "pg")))
      await first.close()
      const second = await open(t, dataDir)
      assert.equal(second.database.kind, "started")
      await second.close()
    },
  )

  test("DATABASE_URL wins, starts nothing, and gets the same three roles", async (t) => {
    const server = await open(t, await usedDataDir(t))
    const own = new URL(server.database.ownerUrl)
    own.username = "postgres"
    own.password = readFileSync(join(serverDir(own), "..", "pg.secret"), "utf8").trim()
    const admin = own.toString()
    await ask(admin, "create role boss login createrole password 'b/o:ss'")
    await ask(admin, "create database shop owner boss")
    const url = new URL(own)
    url.username = "boss"
    url.password = encodeURIComponent("b/o:ss")
    url.pathname = "/shop"
    const dataDir = tempDataDir(t)
    // Its roles belong to the server's first user here: a role that may create roles but not alter these is told.
    const refused = await failure(t, dataDir, { databaseUrl: url.toString() })
    assert.equal(refused._tag, "DatabaseUnavailable")
    assert.ok(!refused.message.includes("b/o:ss") && !refused.message.includes("b%2Fo"), refused.message)
    // On a server without them, CREATEROLE and the database are enough: no superuser is needed.
    own.pathname = "/postgres"
    await ask(own.toString(), "drop database heliograph with (force)")
    await ask(own.toString(), "drop role heliograph_owner, heliograph_app, heliograph_engine")
    const { database } = await open(t, dataDir, { databaseUrl: url.toString() })
    assert.equal(database.kind, "external")
    assert.ok(!existsSync(join(dataDir, "pg")))
    const row = await ask(
      database.ownerUrl,
      "select current_database() as db, current_user as role, current_schema as schema",
    )
    assert.deepEqual(row, { db: "shop", role: "heliograph_owner", schema: "heliograph" })
    await Effect.runPromise(migrate({ ownerUrl: database.ownerUrl, dir: MIGRATIONS, log: () => {} }))
    assert.deepEqual(await Effect.runPromise(auditRls(database.ownerUrl)), [])
  })

  test("a role that may not create roles gets the SQL that an administrator must run", async (t) => {
    const server = await open(t, await usedDataDir(t))
    const refused = await failure(t, tempDataDir(t), { databaseUrl: server.database.engineUrl })
    assert.match(refused.message, /ALTER ROLE "heliograph_engine" CREATEROLE/)
    assert.ok(!refused.message.includes(new URL(server.database.engineUrl).password))
  })
})

test("a bad DATABASE_URL is refused without repeating it, and an unreachable one by its host only", async (t) => {
  const bad = await failure(t, tempDataDir(t), { databaseUrl: "postgres://me:se cret@[bad/db" })
  assert.equal(bad._tag, "DatabaseUnavailable")
  assert.ok(!bad.message.includes("cret"))
  const away = await failure(t, tempDataDir(t), { databaseUrl: "postgres://me:sesame@127.0.0.1:1/db" })
  assert.match(away.message, /127\.0\.0\.1:1\/db/)
  assert.ok(!away.message.includes("sesame"))
})

/** The socket directory's parent is the cluster's directory: its password lies beside it. */
const serverDir = (url: URL): string => url.searchParams.get("host")!
