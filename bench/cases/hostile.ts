/**
 * An enemy on the wire: a seeded, structure-aware generator against everything that eats SNMP bytes. Escapes must be 0,
 * no single input may take more than 50 ms, memory must stay flat. `inputs` is the number for each target.
 */
import type { Case } from "#bench/case.ts"
import { attack, KEPT_SEEDS, TARGETS } from "#bench/hostile/targets.ts"
import type { HostileReport, Target } from "#bench/hostile/targets.ts"
import { round } from "#bench/statistics.ts"

export const hostile: Case = {
  name: "hostile",
  about: "mutated SNMP input at gate, decoder, clients, trap receiver, agent: escapes, slowest ms, RSS",
  tier: "emulator (ours)",
  full: { inputs: 1_000_000, seed: 1 },
  small: { inputs: 4000, seed: 1 },
  run: async (parameters, report) => {
    const { inputs, seed } = parameters as { inputs: number; seed: number }
    const figures: Record<string, number | null> = { inputs: 0, escapes: 0, over_50_ms: 0, over_50_ms_cpu: 0 }
    const add = (name: string, value: number): void => void (figures[name] = (figures[name] ?? 0) + value)
    const found: unknown[] = []
    for (const target of Object.keys(TARGETS) as Target[]) {
      for (const one of new Set([seed, ...KEPT_SEEDS[target]])) {
        const result = await attack(target, inputs, one)
        for (const line of describe(target, one, result)) report(line)
        add("inputs", result.inputs)
        add("escapes", result.escapes)
        add("over_50_ms", result.overLimit)
        add("over_50_ms_cpu", result.overLimitCpu)
        figures[`${target}_slowest_ms`] = round(result.slowestMs, 2)
        figures[`${target}_slowest_cpu_ms`] = round(result.slowestCpuMs, 2)
        figures[`${target}_rss_before_mib`] = round(result.rssMiBBefore)
        figures[`${target}_rss_after_mib`] = round(result.rssMiBAfter)
        found.push({
          target,
          seed: one,
          inputs: result.inputs,
          escapes: result.escapes,
          first: result.firstEscape?.index,
        })
      }
    }
    return { figures, outcome: found }
  },
}

const describe = (target: Target, seed: number, result: HostileReport): readonly string[] => {
  const { inputs, taken, escapes, firstEscape, seconds } = result
  const lines = [
    `${TARGETS[target].what}, seed ${seed}: ${inputs} inputs in ${round(seconds)} s, ${taken} taken for honest, ${escapes} escapes`,
    `    slowest ${round(result.slowestMs, 2)} ms by the clock, of which garbage collection ${round(result.slowestGcMs, 2)} ms; ` +
      `${round(result.slowestCpuMs, 2)} ms of CPU (kernels may account it in ticks of 4 ms); longest pause between inputs or in one ${round(result.gcPauseMsMax)} ms`,
    `    RSS ${round(result.rssMiBBefore)} -> ${round(result.rssMiBAfter)} MiB (by tenths ${result.rssMiB.join(" ")}), heap ${round(result.heapMiBBefore, 2)} -> ${round(result.heapMiBAfter, 2)} MiB`,
  ]
  if (firstEscape !== null)
    lines.push(
      `    ESCAPE at input ${firstEscape.index}: ${firstEscape.error}`,
      `    input ${firstEscape.hex}`,
      `    keep seed ${seed} in KEPT_SEEDS (bench/hostile/targets.ts); again: npm run bench -- hostile --seed ${seed} --inputs ${inputs}`,
    )
  return lines
}
