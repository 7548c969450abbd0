/**
 * What asking the network before a verdict is worth: of the root-cause benchmark's incidents (docs/rca.md), clean and noisy,
 * how many are decided and how many are named right, without a question and with at most eight that are answered truly.
 */
import { loadavg } from "node:os"
import type { Case } from "#bench/case.ts"
import { coverage, incidentAt } from "#bench/rca/incidents.ts"
import { converser } from "#bench/rca/probing.ts"
import type { Verdict } from "#bench/rca/probing.ts"
import { grade, newTally, resultOf } from "#bench/rca/score.ts"
import { CLEAN, NOISY } from "#bench/rca/simulate.ts"
import type { Noise } from "#bench/rca/simulate.ts"
import { ownWorld } from "#bench/rca/world.ts"
import { quantile, round } from "#bench/statistics.ts"

export const probing: Case = {
  name: "probing",
  about: "asking before the verdict: incidents decided and named right, without and with at most 8 questions each",
  tier: "emulator (ours)",
  full: { incidents: 520, routers: 1_000, seed: 20_261_121 },
  small: { incidents: 26, routers: 132, seed: 20_261_121 },
  run: async (parameters, report) => {
    const figures: Record<string, number | null> = {}
    const outcome: unknown[] = []
    for (const noise of [CLEAN, NOISY]) {
      const one = measured(parameters as Record<"incidents" | "routers" | "seed", number>, noise, report)
      Object.assign(figures, one.figures)
      outcome.push(one.roots)
    }
    return { figures, outcome }
  },
}

const measured = (
  { incidents, routers, seed }: Readonly<Record<"incidents" | "routers" | "seed", number>>,
  noise: Noise,
  report: (line: string) => void,
) => {
  const world = ownWorld(routers, seed)
  const cover = coverage(world, noise, seed)
  const converse = converser(world, cover)
  const [before, after] = [newTally(), newTally()]
  const decided = { before: 0, after: 0 }
  const alone = { before: 0, after: 0 }
  const questions: number[] = []
  const ms: number[] = []
  const roots: string[] = []
  let done = 0
  let silent = 0
  for (let number = 0; done < incidents && number < 4 * incidents; number++) {
    const incident = incidentAt(world, cover, noise, seed, number)
    if (incident === null) continue
    done++
    const one = converse(incident)
    const gradeOf = (verdict: Verdict, tally: typeof before): void => void grade(tally, incident, verdict.roots, 0)
    gradeOf(one.before, before)
    gradeOf(one.after, after)
    decided.before += Number(one.before.isDecided)
    decided.after += Number(one.after.isDecided)
    alone.before += Number(one.before.isAlone)
    alone.after += Number(one.after.isAlone)
    questions.push(one.questions)
    ms.push(one.ms)
    silent += one.silent
    roots.push(one.after.roots.map(({ element }) => element).join())
  }
  const [was, is] = [resultOf(before), resultOf(after)]
  const name = noise.name
  const asked = questions.reduce((sum, count) => sum + count, 0)
  const figures: Record<string, number | null> = {
    [`incidents_${name}`]: done,
    [`decided_before_${name}`]: round(decided.before / done, 4),
    [`decided_after_${name}`]: round(decided.after / done, 4),
    [`told_apart_before_${name}`]: round(alone.before / done, 4),
    [`told_apart_after_${name}`]: round(alone.after / done, 4),
    [`f1_class_before_${name}`]: was.class.f1,
    [`f1_class_after_${name}`]: is.class.f1,
    [`precision_class_before_${name}`]: was.class.p,
    [`precision_class_after_${name}`]: is.class.p,
    [`recall_class_before_${name}`]: was.class.r,
    [`recall_class_after_${name}`]: is.class.r,
    [`false_per_healthy_before_${name}`]: was.falsePerHealthyRound,
    [`false_per_healthy_after_${name}`]: is.falsePerHealthyRound,
    [`brier_before_${name}`]: was.brier,
    [`brier_after_${name}`]: is.brier,
    [`questions_mean_${name}`]: round(asked / done, 2),
    [`questions_silent_share_${name}`]: asked === 0 ? null : round(silent / asked, 3),
    [`ms_p95_${name}`]: round(quantile(ms, 0.95), 1),
  }
  report(
    `${name}: ${done} incidents on ${world.name}; decided ${percent(decided.before / done)} -> ${percent(decided.after / done)}, ` +
      `F1 class ${percent(was.class.f1)} -> ${percent(is.class.f1)}; ${round(asked / done, 2)} questions each, load ${round(loadavg()[0] ?? 0, 1)}`,
  )
  return { figures, roots }
}

const percent = (value: number | null): string => (value === null ? "-" : `${(100 * value).toFixed(1)} %`)
