/** What `heliograph replay` prints of an event, of a state, and of an alert or incident that two folds have otherwise. */
import type { Spell, SpellChange } from "#engine/replay/spells.ts"
import { escapeText } from "#engine/log.ts"
import type { Status } from "#protocol/status.ts"
import type { EventView } from "#protocol/view.ts"

/** Subjects are ids; names are device text, which a terminal must not interpret, so they are printed as JSON. */
export const lineOf = ({ atMs, type, severity, subject, entity, old, new: now }: EventView): string =>
  `${time(atMs)}  ${severity.padEnd(13)} ${type}  ${subject} ${JSON.stringify(entity)} ${JSON.stringify(old)} -> ${JSON.stringify(now)}`

export const statusWords = ({ health, severity, stale }: Status): string =>
  `${health} ${severity}${stale ? " stale" : ""}`

/** `alert cpu-high "core1" "": 10:00:00Z - 10:05:00Z warning, told 2 -> none` */
export const changeLine = ({ before, now }: SpellChange): string => {
  const { kind, what, device, entity } = (before ?? now)!
  const subject =
    kind === "alert" ? `${escapeText(what)} ${JSON.stringify(device)} ${JSON.stringify(entity)}` : JSON.stringify(what)
  return `${kind} ${subject}: ${spellWords(before)} -> ${spellWords(now)}`
}

const spellWords = (spell: Spell | null): string => {
  if (spell === null) return "none"
  const { fromMs, toMs, severity, told, policy } = spell
  const whom = policy === "" ? "" : ` (${escapeText(policy)})`
  return `${time(fromMs)} - ${toMs === null ? "..." : time(toMs)} ${severity}, told ${told}${whom}`
}

const time = (ms: number): string => new Date(ms).toISOString()

/** Figures of the last line: how many are on one side only, or otherwise, and how often people are told on each side. */
export const changeCounts = (changes: readonly SpellChange[]) => {
  const told: Record<string, ReturnType<typeof toldIn>> = {}
  const alerts = changes.filter(({ before, now }) => (before ?? now)!.kind === "alert")
  const incidents = changes.filter(({ before, now }) => (before ?? now)!.kind === "incident")
  for (const policy of new Set(alerts.flatMap(({ before, now }) => [before, now].flatMap((one) => one?.policy ?? []))))
    told[policy === "" ? "anybody" : policy] = toldIn(alerts, policy)
  return {
    alerts: countsIn(alerts),
    incidents: { ...countsIn(incidents), told: toldIn(incidents, "") },
    /** Of alerts, by the rule's policy. */
    told,
  }
}

const countsIn = (changes: readonly SpellChange[]) => {
  const both = changes.filter(({ before, now }) => before !== null && now !== null)
  return {
    onlyBefore: changes.filter(({ now }) => now === null).length,
    onlyNow: changes.filter(({ before }) => before === null).length,
    otherwise: both.length,
    otherSeverity: both.filter(({ before, now }) => before?.severity !== now?.severity).length,
  }
}

const toldIn = (changes: readonly SpellChange[], policy: string) => {
  const sum = (spells: ReadonlyArray<Spell | null>): number =>
    spells.reduce((all, spell) => all + (spell?.policy === policy ? spell.told : 0), 0)
  return { before: sum(changes.map(({ before }) => before)), now: sum(changes.map(({ now }) => now)) }
}
