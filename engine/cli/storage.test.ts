/** Commands on a real database, without an engine: import writes for the next start, audit-rls finds nothing. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { main } from "#engine/cli.ts"
import { NO_POSTGRES, tempDataDir } from "#engine/storage/database.fixture.ts"

const NETWORK = {
  sites: [{ id: "s", name: "S", latitude: 1, longitude: 2 }],
  devices: [
    { name: "r1", address: "10.0.0.1", site: "s", roles: ["core"], snmp: { community: "S3CRET-community" } },
    { name: "r2", address: "10.0.0.2", site: "s", roles: ["edge"] },
  ],
  links: [{ a: { device: "r1", interface: "e1" }, b: { device: "r2", interface: "e1" } }],
}

test(
  "[T8] import without an engine is idempotent, knows its tenant, and the database passes the audit",
  { skip: NO_POSTGRES },
  async (t) => {
    const dataDir = tempDataDir(t)
    const file = join(dataDir, "net.json")
    writeFileSync(file, JSON.stringify(NETWORK))
    const heliograph = async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
      const said = { out: "", err: "" }
      const env = { HELIOGRAPH_DATA_DIR: dataDir }
      const code = await main(args, {
        env,
        out: (line) => (said.out += `${line}\n`),
        err: (line) => (said.err += `${line}\n`),
      })
      assert.ok(!said.out.includes("S3CRET") && !said.err.includes("S3CRET"))
      return { code, ...said }
    }
    const dry = await heliograph("import", file, "--dry-run")
    assert.equal(dry.code, 0, dry.err)
    assert.match(dry.out, /Would be imported[^]*devices {2}2 added/)
    assert.equal(
      (await heliograph("import", file, "--tenant", "acme", "--dry-run")).code,
      0,
      "the dry run made no tenant",
    )
    const first = await heliograph("import", file)
    assert.match(
      first.out,
      /Imported \(inventory revision 1\)[^]*devices {2}2 added[^]*links {4}1 added[^]*next start has it/,
    )
    const again = await heliograph("import", file)
    assert.match(again.out, /revision 1\)[^]*devices {2}0 added, 0 updated, 2 unchanged/)
    const other = await heliograph("import", file, "--tenant", "mian")
    assert.deepEqual([other.code, /did you mean main\?/.test(other.err)], [1, true])
    const audit = await heliograph("audit-rls")
    assert.deepEqual([audit.code, audit.out], [0, "row security: nothing found\n"])
  },
)
