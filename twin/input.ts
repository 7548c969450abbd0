/**
 * Everything that can change a twin. An Input is what the tenant's inbox orders, the journal keeps and a replay folds:
 * if it is not an Input, it did not happen. Plain data, packable by msgpack; times are whole milliseconds (Unix).
 */
import type { DeviceId, EntityKey } from "#protocol/id.ts"
import type { Inventory } from "#protocol/inventory.ts"
import type { Silence } from "#protocol/maintenance.ts"
import type { TextFact } from "#protocol/metric.ts"
import type { Rule } from "#protocol/rule.ts"
import type { Source } from "#protocol/view.ts"
import type { EntityKind } from "#protocol/id.ts"
import type { IncidentAct } from "#twin/incident/act.ts"
import type { Refusal } from "#twin/incident/question.ts"

/** One whole poll of one device by one collector, column-wise. Row i: entities[entity[i]] has metric[i] = value[i]. */
export interface PollInput {
  readonly kind: "poll"
  readonly device: DeviceId
  readonly source: Source
  /** When the first request left: states read by this poll are no newer than this. */
  readonly startedMs: number
  /** When the last answer was in: the time of the counters. */
  readonly atMs: number
  readonly entities: readonly EntityKey[]
  readonly entity: Uint16Array
  /** Metric ids of protocol/metric.ts; derived metrics are refused. */
  readonly metric: Uint16Array
  /** Finite. Counters are exact up to 2^53; above, off by at most 1024 of 2^64, which no rate can show. */
  readonly value: Float64Array
  readonly texts: ReadonlyArray<{ readonly entity: EntityKey; readonly fact: TextFact; readonly text: string }>
  /** Kinds that this poll listed completely: an entity of such a kind that is missing has vanished. */
  readonly complete: readonly EntityKind[]
}

/** A poll that got no usable answer within its deadline and retries. Data, not an exception. */
export interface UnreachableInput {
  readonly kind: "unreachable"
  readonly device: DeviceId
  readonly source: Source
  readonly atMs: number
  readonly reason: "timeout" | "refused" | "auth" | "protocol" | "breaker"
  /** One line for an operator; holds no secret. */
  readonly detail: string
}

/** SNMPv2-MIB / IF-MIB notification from a known device. */
export interface TrapInput {
  readonly kind: "trap"
  readonly device: DeviceId
  readonly atMs: number
  readonly trap:
    | "linkDown"
    | "linkUp"
    | "coldStart"
    | "warmStart"
    | "authenticationFailure"
    | "ospfNbrStateChange"
    /** `remote` is the own address whose interface changed, `ifIndex` that of one without an address. */
    | "ospfIfStateChange"
    | "bgpBackwardTransition"
    | "bgpEstablished"
    | "other"
  /** snmpTrapOID. */
  readonly oid: string
  /** linkDown/linkUp; the twin knows which interface has it. */
  readonly ifIndex: number | null
  /** When a varbind named it (ifName/ifDescr). */
  readonly ifName: string | null
  /** ifAdminStatus of the trap: true = up(1); null = not carried. */
  readonly adminUp: boolean | null
  /** Neighbour of an OSPF/BGP trap. */
  readonly remote: string | null
  /** ospfNbrState / bgpPeerState of the trap, as OSPF_STATES / BGP_STATES spell it; null = not carried. */
  readonly state: string | null
  readonly raw: string
}

/** A parsed syslog line from a known device. `event` is null when the line means nothing to the twin. */
export interface SyslogInput {
  readonly kind: "syslog"
  readonly device: DeviceId
  readonly atMs: number
  /** RFC 5424 numerical severity, 0-7. */
  readonly severity: number
  readonly topics: readonly string[]
  readonly message: string
  readonly event:
    | { readonly type: "interface"; readonly ifName: string; readonly up: boolean }
    | { readonly type: "ospf"; readonly remote: string; readonly state: string }
    | { readonly type: "bgp"; readonly remote: string; readonly up: boolean }
    | { readonly type: "auth-failed"; readonly user: string; readonly from: string }
    | { readonly type: "rebooted" }
    | null
  /** Repeats folded into this one, >= 1. */
  readonly count: number
  /** When the first of the folded lines came; `atMs` is the last. Absent = the same. */
  readonly firstMs?: number
  /** The whole line as it was received, when it held more than the message: header, host, structured data. */
  readonly raw?: string
  /** Kept and shown, but no evidence: the line changes no state (PRODUCT.md C8). */
  readonly eventOnly?: true
}

/** The whole inventory, replacing the one before. */
export interface TopologyInput {
  readonly kind: "topology"
  readonly atMs: number
  readonly rev: number
  readonly inventory: Inventory
}

/** All rules of the tenant, replacing those before. They have passed twin/alert/check.ts. */
export interface RulesInput {
  readonly kind: "rules"
  readonly atMs: number
  readonly rev: number
  readonly rules: readonly Rule[]
}

/** All silences of the tenant (maintenance, changes, mutes), replacing those before. */
export interface SilencesInput {
  readonly kind: "silences"
  readonly atMs: number
  readonly rev: number
  readonly silences: readonly Silence[]
}

/** Somebody has seen an alert: until then nobody is told of it again. */
export interface AckInput {
  readonly kind: "ack"
  readonly atMs: number
  readonly device: DeviceId
  readonly rule: string
  readonly entity: EntityKey
  readonly by: string
  /** null takes an acknowledgement back. */
  readonly untilMs: number | null
}

/** Somebody does something to an incident: acknowledges, assigns, notes, escalates, closes, confirms. */
export interface IncidentInput {
  readonly kind: "incident"
  readonly atMs: number
  /** Incident.id. One that the twin does not hold changes nothing. */
  readonly incident: string
  readonly by: string
  readonly act: IncidentAct
}

/** A quota of the tenant was passed (engine/quota); told at most once a minute of each. Changes no state: it is an event. */
export interface QuotaInput {
  readonly kind: "quota"
  readonly atMs: number
  /** protocol/quota.ts */
  readonly quota: string
  readonly limit: number
  /** Refused or held back since it was told before. */
  readonly times: number
}

/** A certificate that the engine serves comes to its end (engine/tls); told once per threshold. Changes no state. */
export interface CertificateInput {
  readonly kind: "certificate"
  readonly atMs: number
  /** Whom it is for. */
  readonly names: string
  /** Day of its end, UTC, YYYY-MM-DD. */
  readonly endsOn: string
  /** The threshold that was crossed: it ends within so many days; 0 = it has ended. */
  readonly days: number
}

/**
 * What became of a question that the twin asked of the network (twin/incident/question.ts). A question to read a device is
 * answered by its poll, and comes here only when it was not asked.
 */
export interface ProbedInput {
  readonly kind: "probed"
  /** When it was known. */
  readonly atMs: number
  readonly incident: string
  /** Asked.number */
  readonly question: number
  readonly device: DeviceId
  /** Who asked. */
  readonly source: Source
  /** When the first packet left. */
  readonly startedMs: number
  readonly outcome: "answered" | "silent" | Refusal
  /** Mean of the pings that were answered; null = none was. */
  readonly rttMs: number | null
}

/** What the engine itself has to say. */
export type EngineInput = QuotaInput | CertificateInput | ProbedInput

/** The inbox's heartbeat: nothing happened, but time passed. */
export interface TickInput {
  readonly kind: "tick"
  readonly atMs: number
}

export type DeviceInput = PollInput | UnreachableInput | TrapInput | SyslogInput
/** What people change, one after the other; each waits for its answer. */
export type ChangeInput = TopologyInput | RulesInput | SilencesInput | AckInput | IncidentInput
export type Input = DeviceInput | ChangeInput | EngineInput | TickInput

/** An Input with its place in the tenant's one order. */
export interface Sequenced {
  readonly seq: number
  readonly input: Input
}
