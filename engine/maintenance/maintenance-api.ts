/**
 * Windows, changes and mutes as people and programs plan them: one transaction per act with its entry in the audit, then
 * the twin follows. What somebody may not see is not there.
 */
import * as Effect from "effect/Effect"
import { etagOf, fitsIfMatch } from "#engine/api/etag.ts"
import type { Unavailable } from "#engine/api/ports.ts"
import { Changed, Conflict, NotFound, Refused } from "#engine/api/problems.ts"
import { away } from "#engine/people/away.ts"
import { recordAct, type Actor, type Json } from "#engine/audit/act.ts"
import { MAY_BECOME } from "#engine/maintenance/change-states.ts"
import { forgotten, STORED_MAX } from "#engine/maintenance/retention.ts"
import { silentTimes, type StoredWindow } from "#engine/maintenance/silences.ts"
import {
  checkWindow,
  isOver,
  mayPlan,
  seesWindow,
  type WindowFields,
  type WindowReach,
} from "#engine/maintenance/window-check.ts"
import { deleteWindows, readWindows, takeWindowsTurn, writeWindow } from "#engine/maintenance/window-rows.ts"
import { readRuleSet } from "#engine/rules/rule-rows.ts"
import type { DbShape, Tx } from "#engine/storage/db.ts"
import { uuidv7 } from "#engine/storage/uuidv7.ts"
import type { AlertName } from "#protocol/alert.ts"
import type { TenantId } from "#protocol/id.ts"
import { SILENCES_MAX, type ChangeState, type MaintenanceWindow } from "#protocol/maintenance.ts"

/** Who plans. */
export interface Planner extends WindowReach {
  readonly tenant: TenantId
  readonly by: Actor
}
type Gone = NotFound | Refused | Unavailable

export interface MaintenanceApi {
  /** Those that the asker sees, newest first. */
  readonly read: (who: Planner) => Effect.Effect<readonly StoredWindow[], Unavailable>
  readonly create: (who: Planner, fields: WindowFields) => Effect.Effect<StoredWindow, Refused | Unavailable>
  readonly put: (
    who: Planner,
    id: string,
    fields: WindowFields,
    ifMatch: string | undefined,
  ) => Effect.Effect<StoredWindow, Gone | Changed>
  readonly remove: (who: Planner, id: string, ifMatch: string | undefined) => Effect.Effect<void, Gone | Changed>
  readonly setState: (who: Planner, id: string, state: ChangeState) => Effect.Effect<StoredWindow, Gone | Conflict>
  /** Ends what is going on now. */
  readonly end: (who: Planner, id: string) => Effect.Effect<StoredWindow, Gone | Conflict>
  /** Silences one rule on one entity from now on. */
  readonly mute: (
    who: Planner,
    alert: AlertName,
    minutes: number,
    note: string,
  ) => Effect.Effect<StoredWindow, Refused | Unavailable>
  /** Ends every mute of exactly this. */
  readonly unmute: (who: Planner, alert: AlertName) => Effect.Effect<void, Refused | Unavailable>
}

export interface MaintenanceOptions {
  readonly db: DbShape
  /** Lets the tenant's twin keep to what stands there now. */
  readonly follow: (tenant: TenantId) => Effect.Effect<void>
  readonly nowMs: () => number
}

/** Of what a writer can change. */
export const windowEtag = ({ window }: Pick<StoredWindow, "window">): string => etagOf(window)

export const makeMaintenanceApi = ({ db, follow, nowMs }: MaintenanceOptions): MaintenanceApi => {
  const changing = <A, E>(who: Planner, body: (tx: Tx, all: readonly StoredWindow[]) => Promise<A>) =>
    db
      .tenant(who.tenant)<A, E>(async (tx) => {
        await takeWindowsTurn(tx, who.tenant)
        return body(tx, await readWindows(tx, who.tenant))
      })
      .pipe(
        Effect.tap(() => follow(who.tenant)),
        Effect.uninterruptible,
      )
  /** Writes it and its entry in the audit. */
  const keep = async (
    tx: Tx,
    who: Planner,
    action: string,
    before: StoredWindow | null,
    after: Omit<StoredWindow, "updatedAtMs" | "updatedBy">,
  ): Promise<StoredWindow> => {
    const stored: StoredWindow = { ...after, updatedAtMs: nowMs(), updatedBy: who.by.name }
    await writeWindow(tx, who.tenant, stored)
    await audited(tx, who, action, before, stored)
    return stored
  }
  const add = async (
    tx: Tx,
    who: Planner,
    all: readonly StoredWindow[],
    action: string,
    fields: WindowFields,
  ): Promise<StoredWindow> => {
    const now = nowMs()
    checkWindow(fields, now)
    mayPlan(who, fields.scope)
    const old = forgotten(all, now)
    await deleteWindows(tx, who.tenant, old)
    if (all.filter((one) => !isOver(one, now)).length >= SILENCES_MAX)
      throw new Refused({ detail: `a tenant has at most ${SILENCES_MAX} windows that are not over` })
    if (all.length - old.length >= STORED_MAX)
      throw new Refused({ detail: `a tenant keeps at most ${STORED_MAX} windows` })
    await checkRuleName(tx, who.tenant, fields.rule)
    const state = fields.kind === "change" ? { changeState: "planned" as const } : {}
    const window: MaintenanceWindow = { id: uuidv7(now), ...fields, ...state }
    return keep(tx, who, action, null, { window, begunMs: 0, endedMs: 0 })
  }

  return {
    read: (who) =>
      db
        .tenant(who.tenant)(async (tx) => (await readWindows(tx, who.tenant)).filter((one) => seesWindow(who, one)))
        .pipe(Effect.mapError(away)),

    create: (who, fields) =>
      changing<StoredWindow, Refused>(who, (tx, all) => add(tx, who, all, "maintenance.create", fields)).pipe(
        Effect.mapError(away),
      ),

    put: (who, id, fields, ifMatch) =>
      changing<StoredWindow, NotFound | Refused | Changed>(who, async (tx, all) => {
        const before = ownOf(who, all, id)
        if (!fitsIfMatch(ifMatch, windowEtag(before))) throw new Changed({})
        const { changeState, kind } = before.window
        if (fields.kind !== kind) throw new Refused({ detail: `kind: it is a ${kind} and stays one` })
        if (changeState === "completed" || changeState === "canceled")
          throw new Refused({ detail: `the change is ${changeState}: plan another one` })
        checkWindow(fields, nowMs())
        mayPlan(who, fields.scope)
        const window: MaintenanceWindow = { id, ...fields, ...(changeState === undefined ? {} : { changeState }) }
        if (etagOf(window) === windowEtag(before)) return before
        return keep(tx, who, "maintenance.update", before, { ...before, window })
      }).pipe(Effect.mapError(away)),

    remove: (who, id, ifMatch) =>
      changing<void, NotFound | Refused | Changed>(who, async (tx, all) => {
        const before = ownOf(who, all, id)
        if (!fitsIfMatch(ifMatch, windowEtag(before))) throw new Changed({})
        await deleteWindows(tx, who.tenant, [id])
        await audited(tx, who, "maintenance.delete", before, null)
      }).pipe(Effect.mapError(away)),

    setState: (who, id, state) =>
      changing<StoredWindow, NotFound | Refused | Conflict>(who, async (tx, all) => {
        const before = ownOf(who, all, id)
        return keep(tx, who, "maintenance.state", before, moved(before, state, nowMs()))
      }).pipe(Effect.mapError(away)),

    end: (who, id) =>
      changing<StoredWindow, NotFound | Refused | Conflict>(who, async (tx, all) => {
        const before = ownOf(who, all, id)
        const now = nowMs()
        if (silentTimes(before, now, now + 1, 1).length === 0)
          throw new Conflict({ detail: "nothing of it is going on now" })
        const after = before.window.kind === "change" ? moved(before, "completed", now) : { ...before, endedMs: now }
        return keep(tx, who, "maintenance.end", before, after)
      }).pipe(Effect.mapError(away)),

    mute: (who, alert, minutes, note) =>
      changing<StoredWindow, Refused>(who, (tx, all) =>
        add(tx, who, all, "alert.mute", muteOf(alert, minutes, note, nowMs())),
      ).pipe(Effect.mapError(away)),

    unmute: (who, alert) =>
      changing<void, Refused>(who, async (tx, all) => {
        const now = nowMs()
        const own = muteOf(alert, 1, "", now)
        const mutes = all.filter(
          (one) =>
            one.window.kind === "mute" &&
            !isOver(one, now) &&
            one.window.rule === own.rule &&
            etagOf(one.window.scope) === etagOf(own.scope),
        )
        if (mutes.length === 0) throw new Refused({ detail: "this rule is not muted on this entity" })
        await deleteWindows(
          tx,
          who.tenant,
          mutes.map(({ window }) => window.id),
        )
        await audited(tx, who, "alert.unmute", mutes[0]!, null)
      }).pipe(Effect.mapError(away)),
  }
}

const muteOf = ({ device, rule, entity }: AlertName, minutes: number, note: string, now: number): WindowFields => ({
  kind: "mute",
  title: `${rule} is muted`,
  note,
  scope: { by_device_ids: [device], by_entity_ids: [entity === "" ? "device" : entity] },
  rule,
  sparesCritical: false,
  startsAtMs: now,
  durationSeconds: minutes * 60,
  recurrence: { every: "never" },
  timeZone: "UTC",
  untilMs: null,
})

const moved = (before: StoredWindow, state: ChangeState, now: number): StoredWindow => {
  const { window } = before
  if (window.changeState === undefined)
    throw new Conflict({ detail: `a ${window.kind} has no state: only a change has` })
  if (!MAY_BECOME[window.changeState][state])
    throw new Conflict({ detail: `a change that is ${window.changeState} cannot become ${state}` })
  if (state === "in_progress" && window.startsAtMs + window.durationSeconds * 1_000 <= now)
    throw new Conflict({ detail: "its planned time is over: move it first" })
  return {
    ...before,
    window: { ...window, changeState: state },
    begunMs: state === "in_progress" ? now : before.begunMs,
  }
}

/** Seen and changeable, or else it throws. */
const ownOf = (who: Planner, all: readonly StoredWindow[], id: string): StoredWindow => {
  const found = all.find(({ window }) => window.id === id)
  if (found === undefined || !seesWindow(who, found)) throw new NotFound({})
  mayPlan(who, found.window.scope)
  return found
}

/** A name that is no rule's would silence nothing, and nobody would notice. */
const checkRuleName = async (tx: Tx, tenant: TenantId, rule: string | undefined): Promise<void> => {
  if (rule === undefined) return
  const { entries } = await readRuleSet(tx, tenant)
  if (!entries.some((entry) => entry.rule.id === rule)) throw new Refused({ detail: "rule: there is no such rule" })
}

const audited = (
  tx: Tx,
  { tenant, by }: Planner,
  action: string,
  before: StoredWindow | null,
  after: StoredWindow | null,
): Promise<void> => {
  const { window } = (after ?? before)!
  const json = (stored: StoredWindow | null): Json | null => (stored === null ? null : { ...stored.window })
  return recordAct(tx, tenant, by, {
    action,
    object: { kind: window.kind, id: window.id, name: window.title },
    before: json(before),
    after: json(after),
  })
}
