/**
 * A million hostile inputs in every full test run, over everything that eats SNMP bytes: gate and decoder, both clients,
 * trap receiver, the lab's agents. HOSTILE_INPUTS sets another sum; the seed is the run's own, printed when it fails, beside
 * the kept ones. "Over 50 ms" is meant in the thread's CPU time: a clock would count the other processes of the machine.
 */
import assert from "node:assert/strict"
import test from "node:test"
import { attack, KEPT_SEEDS, type Target } from "#bench/hostile/targets.ts"

const INPUTS = Number(process.env["HOSTILE_INPUTS"] ?? 1_000_000)
/** Of the sum; what costs most per input gets least. */
const SHARES: Readonly<Record<Target, number>> = { decoder: 0.4, v2c: 0.15, v3: 0.1, trap: 0.15, agent: 0.2 }
/** A new one each day: the same for all runs of a day, so that a failure can be repeated. */
const SEED = Math.floor(Date.now() / 86_400_000)
/** Of the third tenth and of the last: before it, code is compiled and buffers get their size. */
const SETTLED = 2
/** A young generation may still take one step of growth; a leak of 30 bytes an input would show. */
const GROWTH_MAX_MIB = 32
const HEAP_GROWTH_MAX_MIB = 4

for (const target of Object.keys(SHARES) as Target[]) {
  const inputs = Math.round(INPUTS * SHARES[target])
  test(`${target}: ${inputs} hostile inputs, 0 escapes, none over 50 ms of CPU, flat memory`, async () => {
    const seeds = [SEED, ...KEPT_SEEDS[target]]
    for (const seed of seeds) {
      const report = await attack(target, Math.round(inputs / seeds.length), seed)
      const words = `${target}, seed ${seed}: ${JSON.stringify(report)}`
      assert.equal(report.escapes, 0, words)
      assert.equal(report.overLimitCpu, 0, words)
      assert.ok(
        report.taken > report.inputs / 50,
        `an enemy who is always dropped at the door proves nothing: ${words}`,
      )
      const [settled = 0, last = 0] = [report.rssMiB[SETTLED], report.rssMiB.at(-1)]
      assert.ok(last - settled < GROWTH_MAX_MIB, `resident memory grew: ${words}`)
      assert.ok(report.heapMiBAfter - report.heapMiBBefore < HEAP_GROWTH_MAX_MIB, `the heap grew: ${words}`)
    }
  })
}
