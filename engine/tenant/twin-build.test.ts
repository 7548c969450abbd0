/** Two builds that may decide differently have two names; what decides nothing changes none. */
import assert from "node:assert/strict"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { buildOf, twinBuild } from "#engine/tenant/twin-build.ts"

const sources = (t: TestContext): string => {
  const root = mkdtempSync(join(tmpdir(), "heliograph-test-build-"))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const folder of ["twin/judge", "protocol", "engine/tenant"]) mkdirSync(join(root, folder), { recursive: true })
  for (const path of ["twin/round.ts", "twin/judge/judged.ts", "protocol/id.ts", "engine/tenant/state-hash.ts"])
    writeFileSync(join(root, path), `// ${path}\n`)
  return root
}

test("[W11] this build has a name that a mark can carry, and keeps it", () => {
  assert.match(twinBuild(), /^2-[0-9a-f]{12}$/)
  assert.equal(twinBuild(), twinBuild())
})

test("[W11] every source that decides a state is in the name: changed, added, moved", (t) => {
  const root = sources(t)
  const names = [buildOf(root)]
  const after = (change: () => void): void => {
    change()
    names.push(buildOf(root))
  }
  after(() => writeFileSync(join(root, "twin/judge/judged.ts"), "// another\n"))
  after(() => writeFileSync(join(root, "protocol/id.ts"), "// another\n"))
  after(() => writeFileSync(join(root, "engine/tenant/state-hash.ts"), "// another\n"))
  after(() => writeFileSync(join(root, "twin/new.ts"), ""))
  after(() => cpSync(join(root, "twin/new.ts"), join(root, "twin/judge/new.ts")))
  assert.equal(new Set(names).size, names.length)
})

test("[W11] tests and the rest of the engine are not, nor where the sources lie", (t) => {
  const [root, elsewhere] = [sources(t), sources(t)]
  const name = buildOf(root)
  for (const path of ["twin/round.test.ts", "twin/town.fixture.ts", "engine/tenant/live.ts", "twin/notes.md"])
    writeFileSync(join(root, path), "// something\n")
  assert.equal(buildOf(root), name)
  assert.equal(buildOf(elsewhere), name)
})

test("without sources there is no name: marks of two unknown builds must not pass for one", () => {
  assert.throws(() => buildOf(join(tmpdir(), "heliograph-test-nowhere")), { code: "ENOENT" })
})
