/** The simulator can see: every planted bug is found within 50 seeds. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { BUGS } from "#lab/sim/bugs.ts"
import { runSimulation } from "#lab/sim/run.ts"

const SEEDS_MAX = 50

test("[2] at least 20 planted bugs, each found within 50 seeds, and by whom", { timeout: 800_000 }, async () => {
  const rows: string[] = []
  const missed: string[] = []
  for (const bug of BUGS) {
    let found: string | null = null
    for (let seed = 1; seed <= SEEDS_MAX && found === null; seed++) {
      const { violation, virtualMs } = await runSimulation({ seed, hours: 0.1, routers: 12, bug })
      if (violation !== null)
        found = `seed ${String(seed).padStart(2)}  ${violation.auditor.padEnd(11)}  ${(virtualMs / 60_000).toFixed(1).padStart(5)} min`
    }
    if (found === null) missed.push(bug.name)
    rows.push(`${bug.name.padEnd(28)} ${found ?? "NOT FOUND"}  ${bug.about}`)
  }
  console.log(`planted bug                  seed     auditor      simulated\n${rows.join("\n")}`)
  assert.deepEqual(missed, [], rows.join("\n"))
  assert.ok(BUGS.length >= 20)
  assert.equal(new Set(BUGS.map(({ name }) => name)).size, BUGS.length)
})
