/**
 * What the rest of the engine sees of one tenant's running twin: the stream, the API and the collectors hold this,
 * never the actors behind it. One LiveTwin per tenant; nothing in it can name another tenant.
 */
import type { DeviceInput, EngineInput } from "#twin/input.ts"
import type { Columns } from "#twin/columns.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { AlertName, AlertView } from "#protocol/alert.ts"
import type { IncidentView } from "#protocol/incident.ts"
import type { Silence } from "#protocol/maintenance.ts"
import type { ServiceCondition } from "#protocol/service.ts"
import type { Rule } from "#protocol/rule.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import type { Feedback } from "#twin/incident/feedback.ts"
import type { ProbeRequest } from "#twin/incident/question.ts"
import type { IncidentRecord } from "#twin/round.ts"
import type { Explained } from "#twin/alert/explain.ts"
import type { Receipt } from "#twin/alert/receipt.ts"
import type { Counts, EventView, FocusView } from "#protocol/view.ts"
import type { TenantId } from "#protocol/id.ts"

export interface TenantInfo {
  readonly id: TenantId
  /** Short name in URLs and on the command line, unique on this system. */
  readonly slug: string
  readonly name: string
  /** Its devices are emulated: every screen says so. */
  readonly demo: boolean
}

/** After each round that changed something. Arrays belong to the receiver until it returns. */
export interface RoundNotice {
  readonly epoch: number
  /** Journal seq of the last input of the round. */
  readonly seq: number
  /** Time of the newest input. */
  readonly atMs: number
  /** Slots whose columns changed, ascending, no duplicates. */
  readonly nodes: readonly number[]
  readonly links: readonly number[]
  readonly events: readonly EventView[]
  /** The inventory was replaced: slots have a new meaning, `epoch` is new. */
  readonly topologyChanged: boolean
  /** Devices whose detail changed (for focus frames). */
  readonly touched: ReadonlySet<string>
  /** For storage: incidents that ended, changed after their end or opened again. Absent = none. */
  readonly incidents?: readonly IncidentRecord[]
  /** To be asked of the network now (engine/incidents/probing.ts). Absent = nothing. */
  readonly asks?: readonly ProbeRequest[]
}

export interface LiveTwin {
  readonly tenant: TenantInfo
  /** Grows with every start and every change of the inventory. */
  readonly epoch: () => number
  readonly seq: () => number
  readonly inventory: () => Inventory
  readonly columns: () => Columns
  readonly counts: () => Counts
  /** Newest last, at most 512. */
  readonly recentEvents: () => readonly EventView[]
  readonly view: (focus: { readonly kind: "device" | "link"; readonly id: string }) => FocusView | null
  /** See Sink.submit. */
  readonly submit: (input: DeviceInput | EngineInput, durable?: () => void) => boolean
  /** Replaces the inventory; resolves when it is journaled and applied. */
  readonly setInventory: (rev: number, inventory: Inventory) => Promise<void>
  readonly onRound: (listener: (notice: RoundNotice) => void) => () => void
  /** One that the twin holds, else null; absent = it holds none. */
  readonly incident?: (id: string) => IncidentView | null
  /** How a declared service does; null = not judged (yet); absent = by whom sees a part only. */
  readonly service?: (id: string) => ServiceCondition | null
}

/** The judgement of a tenant's twin, for doors and storage. Each change is an input of the journal. */
export interface Judgement {
  /** The rules that it judges by now. */
  readonly rules: () => { readonly rev: number; readonly rules: readonly Rule[] }
  /** Replaces all rules; resolves when journaled and applied. Rules have passed twin/alert/check.ts. */
  readonly setRules: (rev: number, rules: readonly Rule[]) => Promise<void>
  readonly silences: () => { readonly rev: number; readonly silences: readonly Silence[] }
  /** Replaces all silences; resolves when journaled and applied. */
  readonly setSilences: (rev: number, silences: readonly Silence[]) => Promise<void>
  /** Every alert that is not ok, most severe and newest first. */
  readonly alerts: () => readonly AlertView[]
  /** Why it fires, does not, or nobody is told; null = the device is unknown. */
  readonly explain: (name: AlertName) => Explained | null
  /** Of the decision that brought an alert to where it is; null = it is ok, or nothing of it is kept. */
  readonly receipt: (name: AlertName) => Receipt | null
  /** Until then nobody is told of it again; null takes an acknowledgement back. Resolves to false when it does not fire. */
  readonly acknowledge: (name: AlertName, by: string, untilMs: number | null) => Promise<boolean>
}

/** The incidents of a tenant's twin, for doors and storage. What people do to one is an input of the journal. */
export interface Incidents {
  /** Those that are not closed and those that closed last, newest first. */
  readonly list: () => readonly IncidentView[]
  /** Resolves when journaled and applied. `gone` = the twin does not hold it (any more), `closed` = too late for this, `full` = it has all the words that it can hold. */
  readonly act: (id: string, by: string, act: IncidentAct) => Promise<"done" | "gone" | "closed" | "full">
  /** What confirmations have taught. */
  readonly feedback: () => Feedback
}
