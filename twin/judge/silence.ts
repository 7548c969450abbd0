/**
 * Which silences hold for a device at an instant, as suppressions of its judgement. A silence becomes one when it begins;
 * its end is the suppression's own, so that judgement ends it at the very instant and tells what it kept back.
 */
import type { Silence } from "#protocol/maintenance.ts"
import type { AlertCommand } from "#twin/alert/command.ts"
import type { Suppression } from "#twin/alert/suppression.ts"

/** Suppressions of this prefix are the silences'. */
const PREFIX = "silence:"

/** Made of a silence, by `silenced`. */
export const isSilence = ({ id }: Suppression): boolean => id.startsWith(PREFIX)

export interface Silenced {
  /** What makes the suppressions right at `nowMs`. */
  readonly commands: readonly AlertCommand[]
  /** When another silence begins; null = none will. */
  readonly nextMs: number | null
}

export const silenced = (
  silences: readonly Silence[],
  suppressions: readonly Suppression[],
  nowMs: number,
): Silenced => {
  const commands: AlertCommand[] = []
  const wanted = new Set<string>()
  let nextMs = Number.POSITIVE_INFINITY
  for (const silence of silences) {
    const { untilMs, beginsMs } = placeIn(silence.times, nowMs)
    if (beginsMs < nextMs) nextMs = beginsMs
    if (untilMs === null) continue
    const suppression = suppressionOf(silence, untilMs)
    wanted.add(suppression.id)
    const held = suppressions.find(({ id }) => id === suppression.id)
    if (held === undefined || !same(held, suppression)) commands.push({ kind: "suppress", atMs: nowMs, suppression })
  }
  for (const held of suppressions)
    if (isSilence(held) && !wanted.has(held.id)) commands.push({ kind: "lift", atMs: nowMs, id: held.id })
  return { commands, nextMs: Number.isFinite(nextMs) ? nextMs : null }
}

/** The end of the time that holds now (times that touch are one), and the beginning of the next. */
const placeIn = (
  times: Silence["times"],
  nowMs: number,
): { readonly untilMs: number | null; readonly beginsMs: number } => {
  let untilMs: number | null = null
  for (const [fromMs, toMs] of times) {
    if (fromMs <= (untilMs ?? nowMs) && toMs > nowMs) untilMs = Math.max(untilMs ?? 0, toMs)
    else if (fromMs > nowMs) return { untilMs, beginsMs: fromMs }
  }
  return { untilMs, beginsMs: Number.POSITIVE_INFINITY }
}

const suppressionOf = ({ id, kind, rule, scope, reason, sparesCritical }: Silence, untilMs: number): Suppression => {
  const { by_entity_ids, by_entity_type } = scope
  const parts =
    by_entity_ids === undefined && by_entity_type === undefined
      ? {}
      : {
          scope: {
            ...(by_entity_ids === undefined ? {} : { by_entity_ids }),
            ...(by_entity_type === undefined ? {} : { by_entity_type }),
          },
        }
  return { id: `${PREFIX}${id}`, kind, rule: rule ?? null, entity: null, ...parts, reason, untilMs, sparesCritical }
}

const same = (a: Suppression, b: Suppression): boolean =>
  a.kind === b.kind &&
  a.rule === b.rule &&
  a.reason === b.reason &&
  a.untilMs === b.untilMs &&
  a.sparesCritical === b.sparesCritical &&
  JSON.stringify(a.scope ?? null) === JSON.stringify(b.scope ?? null)
