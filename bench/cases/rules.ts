/**
 * What a sample costs when ten rules with windows of sixty samples judge it, at a tenth of the series and at all of them;
 * how many bytes a series holds; and whether every verdict is the one that brute force gives. In process, because no user can
 * reach judgement without polls, sockets and a journal, which the other cases measure.
 */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Case } from "#bench/case.ts"
import { bruteForceHash } from "#bench/rules/brute-force.ts"
import { jitter } from "#bench/rules/jitter.ts"
import { fullSteps, hasPrometheus, runPrometheus, type Size } from "#bench/rules/prometheus.ts"
import { checkedRules, heldByUs, judgeAll, ruleTexts, valueAt } from "#bench/rules/workload.ts"
import { ratio, round } from "#bench/statistics.ts"

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
    const peer = await comparedWithPrometheus({ series: Math.ceil(series / 10), window, steps, seed }, report)
    Object.assign(figures, {
      rules: checked.length,
      window,
      jitterNaive: shaken.naive,
      jitterOurs: shaken.fired,
      jitterBareNotices: shaken.bareNotices,
      ...peer,
      prometheusCpuRatio: ratio(peer.nsPerEvaluationPrometheus, figures["nsPerSampleAndRule_tenth"] ?? null),
    })
    return { figures, outcome: [figures["verdictHash_tenth"], figures["verdictHash"], shaken] }
  },
}

/** The tenth's samples through Prometheus, and where its verdict on a condition is another than ours. */
const comparedWithPrometheus = async (
  size: Size,
  report: (line: string) => void,
): Promise<Readonly<Record<string, number | null>> & { readonly nsPerEvaluationPrometheus: number | null }> => {
  if (!hasPrometheus()) {
    report("Prometheus is not installed (Debian package prometheus): not compared")
    return { nsPerEvaluationPrometheus: null, differ: null, differP95: null, differOfZero: null, held: null }
  }
  const theirs = await runPrometheus(size)
  const ours = heldByUs(size, fullSteps(size))
  const differ = [...new Set([...ours, ...theirs.held])].filter((line) => ours.has(line) !== theirs.held.has(line))
  const isP95 = (line: string): boolean => line.startsWith("p95 ")
  const isOfZero = (line: string): boolean => {
    const [rule, series, step] = line.split(" ")
    return rule === "rate" && valueAt(Number(series), Number(step) - size.window, size.seed) === 0
  }
  report(
    `Prometheus ${theirs.version}: ${round(theirs.nsPerEvaluation)} ns per series, rule and evaluation ` +
      `(${theirs.cpuMs} ms CPU); ${ours.size} of our verdicts hold, ${theirs.held.size} of its`,
  )
  report(
    `${differ.length} verdicts differ: ${differ.filter(isP95).length} of p95, nearest rank (ours) against interpolation ` +
      `(quantile_over_time); ${differ.filter(isOfZero).length} of growth from zero, no evidence (ours) against infinity`,
  )
  const others = differ.filter((line) => !isP95(line) && !isOfZero(line))
  if (others.length > 0) throw new Error(`verdicts differ without a reason: ${others.slice(0, 10).join(", ")}`)
  return {
    nsPerEvaluationPrometheus: round(theirs.nsPerEvaluation),
    differ: differ.length,
    differP95: differ.filter(isP95).length,
    differOfZero: differ.filter(isOfZero).length,
    held: ours.size,
  }
}

/** Bytes are counted after a collection, so that garbage is not. */
const garbageCollector = (): (() => void) => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
}
