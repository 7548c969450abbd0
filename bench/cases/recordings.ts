/**
 * Recordings of real devices, served by `lab replay` and read by `heliograph device test`, against what LibreNMS made
 * of them: port states, names and 64-bit counters must be equal, and every difference must have its reason.
 */
import type { Case } from "#bench/case.ts"
import { FIELDS, REASONS } from "#bench/recordings/compare.ts"
import type { Difference } from "#bench/recordings/compare.ts"
import { HOW_TO_ENABLE, recordingNames } from "#bench/recordings/library.ts"
import { runRecording } from "#bench/recordings/run.ts"
import type { RecordingResult } from "#bench/recordings/run.ts"
import { quantile, round } from "#bench/statistics.ts"

/** Differences of one kind that are printed for one recording; the rest is counted. */
const EXAMPLES = 2

export const recordings: Case = {
  name: "recordings",
  about:
    "ports of real devices' recordings read as LibreNMS reads them; differences with reasons (--recordings 0: all)",
  tier: "recording",
  full: { recordings: 0 },
  small: { recordings: 2 },
  run: async (parameters, report) => {
    const all = recordingNames()
    const wanted = parameters["recordings"] === 0 ? all : all.slice(0, parameters["recordings"])
    if (wanted.length === 0) report(`SKIPPED: no recordings here; enable: ${HOW_TO_ENABLE}`)
    const results: RecordingResult[] = []
    report(row("recording", "listed", "expected", "equal", "differences", "unexplained", "ms"))
    for (const name of wanted) {
      const result = await runRecording(name)
      results.push(result)
      for (const line of describe(result)) report(line)
    }
    const differences = results.flatMap((one) => one.differences)
    const sum = (of: (one: RecordingResult) => number): number => results.reduce((total, one) => total + of(one), 0)
    const figures: Record<string, number | null> = {
      recordings: results.length,
      ports_listed: sum((one) => one.report.interfaces.length),
      ports_compared: sum((one) => one.ports),
      ports_equal: sum((one) => one.portsEqual),
      values_compared: sum((one) => total(one, "compared")),
      values_equal: sum((one) => total(one, "equal")),
      values_or_ports_different: differences.length,
    }
    for (const field of FIELDS) {
      figures[`${field}_compared`] = sum((one) => one.byField[field]?.compared ?? 0)
      figures[`${field}_equal`] = sum((one) => one.byField[field]?.equal ?? 0)
    }
    for (const reason of Object.keys(REASONS))
      figures[`different_${reason.replaceAll("-", "_")}`] = differences.filter((one) => one.reason === reason).length
    figures["unexplained"] = differences.filter((one) => one.reason === null).length
    figures["lines_not_understood"] = sum((one) => one.unreadable)
    figures["device_test_ms_p50"] =
      wanted.length === 0
        ? null
        : round(
            quantile(
              results.map((one) => one.tookMs),
              0.5,
            ),
            0,
          )
    figures["device_test_ms_max"] =
      wanted.length === 0
        ? null
        : round(
            quantile(
              results.map((one) => one.tookMs),
              1,
            ),
            0,
          )
    return { figures, outcome: results.map(({ name, byField, differences }) => ({ name, byField, differences })) }
  },
}

const describe = (result: RecordingResult): readonly string[] => {
  const { name, report, ports, portsEqual, differences, tookMs } = result
  const unexplained = differences.filter((one) => one.reason === null)
  const lines = [
    row(name, report.interfaces.length, ports, portsEqual, differences.length, unexplained.length, Math.round(tookMs)),
  ]
  for (const reason of Object.keys(REASONS) as Array<keyof typeof REASONS>) {
    const same = differences.filter((one) => one.reason === reason)
    if (same.length === 0) continue
    const fields = [...new Set(same.map((one) => one.field))].join(", ")
    lines.push(
      `    ${same.length} x ${reason}: ${REASONS[reason]} [${fields}], such as ${same.slice(0, EXAMPLES).map(example).join("; ")}`,
    )
  }
  for (const one of unexplained) lines.push(`    UNEXPLAINED ${one.field} ${example(one)}`)
  return lines
}

const total = ({ byField }: RecordingResult, what: "compared" | "equal"): number =>
  Object.values(byField).reduce((sum, tally) => sum + tally[what], 0)

const example = ({ ifIndex, ours, expected }: Difference): string =>
  `ifIndex ${ifIndex} ${JSON.stringify(ours)} / ${JSON.stringify(expected)}`

const row = (name: string, ...cells: ReadonlyArray<string | number>): string =>
  name.padEnd(20) + cells.map((cell) => String(cell).padStart(12)).join("")
