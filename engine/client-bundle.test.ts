/** client-bundle.ts with builders of its own: what is served, and what is said when nothing can be. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import type { TestContext } from "node:test"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ensureClientBundle } from "#engine/client-bundle.ts"
import type { BuildStep } from "#engine/client-bundle.ts"

const repository = (t: TestContext, builder: string | null, built: boolean): string => {
  const root = mkdtempSync(join(tmpdir(), "heliograph-bundle-"))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, "client/build"), { recursive: true })
  mkdirSync(join(root, "dist/client"), { recursive: true })
  if (builder !== null) writeFileSync(join(root, "client/build/build.ts"), builder)
  if (built) writeFileSync(join(root, "dist/client/index.html"), "old")
  return root
}
const SUCCEEDS = `
import { writeFileSync } from "node:fs"
console.log("not a step")
for (const step of ["basemap", "client"]) console.log(JSON.stringify({ step, ms: 5, cached: step === "basemap" }))
writeFileSync("dist/client/index.html", "new")
writeFileSync("dist/basemap.pmtiles", "PMTiles")
`
const failure = (root: string): Promise<string> =>
  Effect.runPromise(Effect.map(Effect.flip(ensureClientBundle(() => {}, root)), (error) => error.message))

test("the builder's steps are reported, and its products found", async (t) => {
  const root = repository(t, SUCCEEDS, false)
  const steps: BuildStep[] = []
  const bundle = await Effect.runPromise(ensureClientBundle((step) => steps.push(step), root))
  assert.deepEqual(steps, [
    { step: "basemap", ms: 5, cached: true },
    { step: "client", ms: 5, cached: false },
  ])
  assert.deepEqual(bundle, { staticDir: join(root, "dist/client"), basemapPath: join(root, "dist/basemap.pmtiles") })
})

test("a build that fails says why, even when an older bundle is there", async (t) => {
  const root = repository(t, 'throw new Error("map.tsx: unexpected token")', true)
  assert.match(await failure(root), /could not be built:[^]*map.tsx: unexpected token/)
})

test("without the builder's packages an existing bundle is served, and a missing one names the cure", async (t) => {
  const lacking = 'import "vite-that-is-not-installed"'
  const root = repository(t, lacking, true)
  assert.equal((await Effect.runPromise(ensureClientBundle(() => {}, root))).staticDir, join(root, "dist/client"))
  assert.match(await failure(repository(t, lacking, false)), /npm ci/)
  const sourceless = repository(t, null, true)
  assert.equal((await Effect.runPromise(ensureClientBundle(() => {}, sourceless))).basemapPath, null)
})

test("interrupting ends the builder", async (t) => {
  const root = repository(
    t,
    'console.log(JSON.stringify({ step: "pid", ms: process.pid, cached: false })); setInterval(() => {}, 1000)',
    false,
  )
  const pids: number[] = []
  await Effect.runPromise(
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(ensureClientBundle(({ ms }) => pids.push(ms), root))
      while (pids.length === 0) yield* Effect.sleep(5)
      yield* Fiber.interrupt(fiber)
    }),
  )
  const alive = (): boolean => {
    try {
      return process.kill(pids[0]!, 0)
    } catch {
      return false
    }
  }
  while (alive()) await new Promise((settle) => setTimeout(settle, 5))
})
