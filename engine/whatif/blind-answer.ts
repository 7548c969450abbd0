/** Blind spots by name: classes of faults that look alike today, and what to watch besides (twin/rca/blind.ts). */
import { momentOf } from "#engine/whatif/moment.ts"
import type { Answers } from "#engine/whatif/question.ts"
import { Impossible } from "#engine/whatif/question.ts"
import type { Ref, Seen } from "#engine/whatif/seen.ts"
import { blindSpots } from "#twin/rca/blind.ts"
import type { Suggestion } from "#twin/rca/blind.ts"
import { newBoard } from "#twin/rca/board.ts"
import type { Cause } from "#twin/rca/cause.ts"
import { buildModel } from "#twin/rca/model.ts"
import { structureOf } from "#twin/rca/network-of.ts"

const CLASSES_MAX = 200
const FAULTS_SHOWN = 50
const INVISIBLE_MAX = 1_000
/** Every fault is predicted, and most of them once more for each suggestion: beyond this an answer takes minutes. */
export const BLIND_DEVICES_MAX = 12_000

export const blindSpotsAnswer = (seen: Seen): Answers["blindSpots"] => {
  const { devices } = seen.inventory
  if (devices.length > BLIND_DEVICES_MAX)
    throw new Impossible(`blind spots are worked out for at most ${BLIND_DEVICES_MAX} devices`)
  const { network } = structureOf(seen.world, seen.cells)
  const found = blindSpots(newBoard(buildModel(network)))
  const named = (cause: Cause) => ({ kind: kindOf(cause), ...refOf(seen, cause) })
  const unclear = found.classes.reduce((sum, { length }) => sum + length, found.invisible.length)
  return {
    ...momentOf(seen),
    classes: found.classes.slice(0, CLASSES_MAX).map((one) => one.slice(0, FAULTS_SHOWN).map(named)),
    invisible: found.invisible.slice(0, INVISIBLE_MAX).map(named),
    totals: {
      faults: found.faults,
      classes: found.classes.length,
      invisible: found.invisible.length,
      told: found.faults - unclear,
    },
    suggestions: found.suggestions.map(({ watch, node, cost, gain }) => ({
      watch,
      device: seen.device(node),
      cost,
      gain,
      text: wordsOf(watch, seen.device(node).name, gain),
    })),
    assumptions: [
      "one thing fails at a time",
      ...(network.vantages.length === 0
        ? ["every device is reached over a management network of its own"]
        : [
            `polls and pings start next to ${network.vantages[0]
              ?.map((node) => seen.device(node).name)
              .slice(0, 3)
              .join(", ")}`,
          ]),
    ],
  }
}

const kindOf = ({ kind }: Cause): Answers["blindSpots"]["invisible"][number]["kind"] => {
  switch (kind) {
    case "router":
    case "bgp":
    case "site":
    case "group":
      return kind
    default:
      return "link"
  }
}

const refOf = (seen: Seen, { kind, index }: Cause): Ref => {
  switch (kind) {
    case "router":
    case "bgp":
      return seen.device(index)
    case "site":
      return seen.site(index)
    case "group": {
      const { id, name } = seen.inventory.srlgs?.[index] ?? { id: "", name: `group ${index}` }
      return { id, name }
    }
    default:
      return seen.link(index)
  }
}

const wordsOf = (watch: Suggestion["watch"], name: string, gain: number): string => {
  const more = `${gain} more ${gain === 1 ? "kind of fault" : "kinds of faults"} could be told apart`
  if (watch === "ping") return `ping ${name}: ${more}`
  return watch === "poll" ? `poll ${name}: ${more}` : `ping from ${name} as well: ${more}`
}
