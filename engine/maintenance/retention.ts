/** How long windows are kept when they are over: a year's reports must still know what was planned. */
import type { StoredWindow } from "#engine/maintenance/silences.ts"
import { isOver } from "#engine/maintenance/window-check.ts"

const DAY_MS = 86_400_000
export const KEPT_MS = 400 * DAY_MS
/** A mute explains nothing to anybody after that. */
export const MUTE_KEPT_MS = 30 * DAY_MS
/** Windows of a tenant, those that are over included; more are refused. */
export const STORED_MAX = 20_000

/** Ids of those that nobody needs any more. Asked whenever one is made. */
export const forgotten = (all: readonly StoredWindow[], nowMs: number): readonly string[] =>
  all
    .filter((one) => isOver(one, nowMs - (one.window.kind === "mute" ? MUTE_KEPT_MS : KEPT_MS)))
    .filter(({ updatedAtMs, window }) => nowMs - updatedAtMs > (window.kind === "mute" ? MUTE_KEPT_MS : KEPT_MS))
    .map(({ window }) => window.id)
