/**
 * What a sample costs when ten rules with windows of sixty samples judge it, at a tenth of the series and at all of them;
 * how many bytes a series holds; and whether every verdict is the one that brute force gives. In process, because no user can
 * reach judgement without polls, sockets and a journal, which the other cases measure.
 */
import { existsSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Case } from "#bench/case.ts"
import { bruteForceHash } from "#bench/rules/brute-force.ts"
import { jitter } from "#bench/rules/jitter.ts"
import { checkedRules, judgeAll, ruleTexts } from "#bench/rules/workload.ts"
import { round } from "#bench/statistics.ts"

export const rules: Case = {
  name: "rules",
  about: "CPU ns per sample and bytes per series of ten rules over windows; verdicts against brute force",
  tier: "emulator (ours)",
  full: { series: 100_000, window: 60, steps: 110, seed: 1 },
  small: { series: 300, window: 20, steps: 60, seed: 1 },
  run: async (parameters, report) => {
    const { series, window, steps, seed } = parameters as typeof rules.full & {
      series: number
      window: number
      steps: number
      seed: number
    }
    const checked = checkedRules(ruleTexts(window))
    const collect = garbageCollector()
    const usedBytes = (): number => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const figures: Record<string, number | null> = {}
    const measure = (size: number, suffix: string): void => {
      const sized = { series: size, window, steps, seed }
      const run = judgeAll(checked, sized, usedBytes)
      report(`${size} series, ${checked.length} rules: ${round(run.nsPerSample)} ns a sample, ${run.verdicts} verdicts`)
      const brute = bruteForceHash(sized)
      if (brute !== run.hash) throw new Error(`the verdicts of ${size} series differ from brute force`)
      Object.assign(figures, {
        [`series${suffix}`]: size,
        [`nsPerSample${suffix}`]: round(run.nsPerSample),
        [`nsPerSampleAndRule${suffix}`]: round(run.nsPerSample / checked.length, 2),
        [`nsPerSampleCopying${suffix}`]: round(run.nsPerSampleCopying),
        [`bytesPerSeries${suffix}`]: Math.round(run.bytesPerSeries),
        [`verdicts${suffix}`]: run.verdicts,
        [`verdictHash${suffix}`]: run.hash,
        [`bruteForceHash${suffix}`]: brute,
      })
    }
    measure(Math.ceil(series / 10), "_tenth")
    measure(series, "")
    const shaken = jitter()
    report(
      existsSync("/usr/bin/prometheus")
        ? "Prometheus is here, but this case does not drive it yet: not compared"
        : "Prometheus is not installed (Debian package prometheus): not compared",
    )
    Object.assign(figures, {
      rules: checked.length,
      window,
      jitterNaive: shaken.naive,
      jitterOurs: shaken.fired,
      jitterBareNotices: shaken.bareNotices,
      prometheusCpuRatio: null,
    })
    return { figures, outcome: [figures["verdictHash_tenth"], figures["verdictHash"], shaken] }
  },
}

/** Bytes are counted after a collection, so that garbage is not. */
const garbageCollector = (): (() => void) => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
}
