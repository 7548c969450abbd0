/** The local channel over a real unix socket, with the command line's own client. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { localAdminPath, makeLocalAdmin } from "#engine/api/local-admin.ts"
import type { LocalAdminOptions } from "#engine/api/local-admin.ts"
import { ImportFailed } from "#engine/api/ports.ts"
import { main } from "#engine/cli.ts"
import type { CommandIo } from "#engine/cli/command.ts"
import { askStatus, sendImport } from "#engine/cli/local-client.ts"
import type { ImportDocument, ImportMode } from "#engine/import/document.ts"
import { silentLog } from "#engine/log.ts"

const NETWORK = {
  sites: [{ id: "s", name: "S", latitude: 1, longitude: 2 }],
  devices: [{ name: "r1", address: "10.0.0.1", site: "s", roles: ["core"] }],
  links: [],
}
const REPORT = {
  rev: 3,
  sites: { added: 1, updated: 0, unchanged: 0, removed: 0 },
  devices: { added: 1, updated: 0, unchanged: 0, removed: 0 },
  links: { added: 0, updated: 0, unchanged: 0, removed: 0 },
}

interface Engine {
  readonly dataDir: string
  readonly imported: Array<{
    readonly tenant: string | null
    readonly document: ImportDocument
    readonly mode: ImportMode
  }>
  readonly stop: () => Promise<void>
}

const temporaryDir = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), "heliograph-admin-"))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

const startEngine = async (t: TestContext, dataDir: string): Promise<Engine> => {
  const imported: Array<{ tenant: string | null; document: ImportDocument; mode: ImportMode }> = []
  const options: LocalAdminOptions = {
    dataDir,
    log: silentLog,
    tenants: async () => null,
    importer: {
      apply: (tenant, document, mode) => {
        if (tenant === "nobody") return Effect.fail(new ImportFailed({ detail: 'there is no tenant "nobody"' }))
        imported.push({ tenant, document, mode })
        return Effect.succeed(REPORT)
      },
    },
    status: () => ({
      pid: 42,
      version: "1.2.3",
      url: "http://127.0.0.1:8080",
      uptimeS: 5,
      tenants: [
        {
          slug: "demo",
          name: "Demo\x1B[2J",
          demo: true,
          counts: {
            routers: 3,
            routersUp: 2,
            links: 4,
            linksDown: 1,
            linksHot: 0,
            sites: 1,
            subscribers: null,
          },
        },
      ],
    }),
  }
  const scope = await Effect.runPromise(Scope.make())
  await Effect.runPromise(Scope.provide(makeLocalAdmin(options), scope))
  const stop = (): Promise<void> => Effect.runPromise(Scope.close(scope, Exit.void))
  t.after(stop)
  return { dataDir, imported, stop }
}

/** The command line in this process, as a user types it. */
const heliograph = async (
  dataDir: string,
  ...args: readonly string[]
): Promise<{ code: number; out: string; err: string }> => {
  const said = { out: "", err: "" }
  const io: CommandIo = {
    env: { HELIOGRAPH_DATA_DIR: dataDir },
    out: (line) => (said.out += `${line}\n`),
    err: (line) => (said.err += `${line}\n`),
  }
  return { code: await main(args, io), ...said }
}

test("only the engine's user may open the socket, and it is gone after the engine", async (t) => {
  const { dataDir, stop } = await startEngine(t, temporaryDir(t))
  assert.equal(statSync(localAdminPath(dataDir)).mode & 0o777, 0o600)
  await stop()
  assert.equal(await askStatus(dataDir), null)
})

test("heliograph status shows the engine, and says so when there is none", async (t) => {
  const { dataDir } = await startEngine(t, temporaryDir(t))
  const up = await heliograph(dataDir, "status")
  assert.equal(up.code, 0)
  assert.match(
    up.out,
    /http:\/\/127.0.0.1:8080 {2}heliograph 1.2.3, process 42, up 5 s\n {2}demo \(Demo\\u001b\[2J, demo\): 2 of 3 routers up, 1 of 4 links down/,
  )
  const down = await heliograph(temporaryDir(t), "status")
  assert.deepEqual([down.code, /no engine runs/.test(down.err)], [1, true])
})

test("heliograph import hands the file to the running engine and tells what changed", async (t) => {
  const engine = await startEngine(t, temporaryDir(t))
  const file = join(engine.dataDir, "net.json")
  writeFileSync(file, JSON.stringify(NETWORK))
  const done = await heliograph(engine.dataDir, "import", file, "--tenant", "demo", "--dry-run", "--replace")
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /Would be imported \(inventory revision 3\):\n {2}sites {4}1 added, 0 updated, 0 unchanged\n/)
  assert.deepEqual(
    engine.imported.map(({ tenant, mode, document }) => [tenant, mode, document.devices[0]?.name]),
    [["demo", { dryRun: true, replace: true }, "r1"]],
  )
  const refused = await heliograph(engine.dataDir, "import", file, "--tenant", "nobody")
  assert.deepEqual([refused.code, refused.err], [1, 'heliograph import: there is no tenant "nobody"\n'])
})

test("a wrong file is named by line and field before anybody is asked; the engine checks again", async (t) => {
  const engine = await startEngine(t, temporaryDir(t))
  const file = join(engine.dataDir, "net.json")
  writeFileSync(
    file,
    JSON.stringify({ ...NETWORK, devices: [{ ...NETWORK.devices[0], address: "r1.example" }] }, null, 1),
  )
  const wrong = await heliograph(engine.dataDir, "import", file)
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /net\.json:\d+:\d+ {2}devices\[0\]\.address: "r1\.example" is not an IPv4 or IPv6 address/)
  const answer = await sendImport(engine.dataDir, Buffer.from('{"sites": 1}'), null, { dryRun: false, replace: false })
  assert.ok(answer?.status === 422 && answer.total === 3)
  assert.equal(engine.imported.length, 0)
})

test("the socket of an engine that died is replaced; one that answers is not", async (t) => {
  const dataDir = temporaryDir(t)
  const path = localAdminPath(dataDir)
  // A file that nobody listens on, as after kill -9.
  const dead = createServer()
  await new Promise<void>((settle) => dead.listen(path, settle))
  await new Promise((settle) => dead.close(settle))
  writeFileSync(path, "")
  await startEngine(t, dataDir)
  assert.equal((await askStatus(dataDir))?.pid, 42)
  await assert.rejects(startEngine(t, dataDir), /another engine answers/)
})

test("a data directory with a very long name still has its socket", async (t) => {
  const dataDir = join(temporaryDir(t), "x".repeat(150))
  assert.ok(Buffer.byteLength(localAdminPath(dataDir)) <= 103)
  await startEngine(t, dataDir)
  assert.equal((await askStatus(dataDir))?.pid, 42)
})
