/**
 * Compares what `heliograph device test` said of a recorded device with what LibreNMS made of the same recording. Where
 * the two differ, the recording itself is the judge: a difference is explained only when our value is the recorded one
 * to the digit and LibreNMS' own is a change that LibreNMS is known to make. Everything else is unexplained: our defect
 * until somebody shows otherwise.
 */
import type { RecordedValue } from "#lab/replay/recording.ts"
import type { Interface } from "#engine/device-test/report.ts"

/** A port of LibreNMS' test data; numbers as the digits that the file has. */
export type ExpectedPort = { readonly ifIndex: string } & Readonly<Record<string, string | null>>

/** Why values differ, each class with its proof in `reasonFor`. */
export const REASONS = {
  "no-such-row": "LibreNMS made this port from a vendor's own table; the recording has no IF-MIB row for it",
  "alias-is-name": "ifAlias is empty on the device; LibreNMS fills in the port's name",
  "zero-for-absent": "the device has no such counter; LibreNMS stores 0, we say null",
  "backslash-cut": "LibreNMS cuts the backslash at the end of the text",
  "made-safe": "the text has control characters; ours has a space instead, as all device text here",
  "hidden-there": "the device lists this interface; LibreNMS leaves its kind out",
} as const
export type Reason = keyof typeof REASONS

export interface Difference {
  readonly ifIndex: number
  readonly field: string
  readonly ours: string | null
  readonly expected: string | null
  /** Null = unexplained. */
  readonly reason: Reason | null
}

/** Values that could be compared, and those that were equal, of one field. */
export interface Tally {
  compared: number
  equal: number
}

export interface Comparison {
  readonly byField: Readonly<Record<string, Tally>>
  /** Expected ports. */
  readonly ports: number
  /** Ports with every compared value equal. */
  readonly portsEqual: number
  readonly differences: readonly Difference[]
}

/** Our field and the expected one, which LibreNMS fills from the 64-bit column where there is one. */
const TEXTS = ["ifOperStatus", "ifAdminStatus", "ifName", "ifDescr", "ifAlias"] as const
const COUNTERS = {
  ifHCInOctets: "ifInOctets",
  ifHCOutOctets: "ifOutOctets",
  ifHCInUcastPkts: "ifInUcastPkts",
  ifHCOutUcastPkts: "ifOutUcastPkts",
  ifHCInMulticastPkts: "ifInMulticastPkts",
  ifHCOutMulticastPkts: "ifOutMulticastPkts",
  ifHCInBroadcastPkts: "ifInBroadcastPkts",
  ifHCOutBroadcastPkts: "ifOutBroadcastPkts",
  ifInErrors: "ifInErrors",
  ifOutErrors: "ifOutErrors",
} as const satisfies Partial<Record<keyof Interface, string>>
export const FIELDS: readonly string[] = [...TEXTS, ...Object.keys(COUNTERS)]
type TextField = (typeof TEXTS)[number]
type CounterField = keyof typeof COUNTERS

export const compare = (
  interfaces: readonly Interface[],
  expected: readonly ExpectedPort[],
  recording: readonly RecordedValue[],
): Comparison => {
  const recorded = new Map(recording.map((value) => [value.oid.join("."), value]))
  const byIndex = new Map(interfaces.map((one) => [one.ifIndex, one]))
  const differences: Difference[] = []
  const byField: Record<string, Tally> = Object.fromEntries(FIELDS.map((field) => [field, { compared: 0, equal: 0 }]))
  let portsEqual = 0
  for (const port of expected) {
    const ifIndex = Number(port.ifIndex)
    const ours = byIndex.get(ifIndex)
    if (ours === undefined) {
      const reason = hasRow(recorded, ifIndex) ? null : "no-such-row"
      differences.push({ ifIndex, field: "port", ours: null, expected: nameOf(port), reason })
      continue
    }
    const found = [...textDifferences(ours, port, recorded), ...counterDifferences(ours, port, recorded)]
    differences.push(...found)
    const different = new Set(found.map((one) => one.field))
    for (const field of FIELDS) {
      const tally = byField[field] as Tally
      tally.compared++
      if (!different.has(field)) tally.equal++
    }
    if (found.length === 0) portsEqual++
  }
  const known = new Set(expected.map((port) => Number(port.ifIndex)))
  for (const { ifIndex, ifName, ifDescr } of interfaces) {
    if (ifIndex === null || known.has(ifIndex)) continue
    const reason = hasRow(recorded, ifIndex) ? "hidden-there" : null
    differences.push({ ifIndex, field: "port", ours: ifName ?? ifDescr, expected: null, reason })
  }
  return { byField, ports: expected.length, portsEqual, differences }
}

type Recorded = ReadonlyMap<string, RecordedValue>

const IF = "1.3.6.1.2.1.2.2.1"
const IF_X = "1.3.6.1.2.1.31.1.1.1"
const COLUMNS: Readonly<Record<TextField | CounterField, string>> = {
  ifOperStatus: `${IF}.8`,
  ifAdminStatus: `${IF}.7`,
  ifName: `${IF_X}.1`,
  ifDescr: `${IF}.2`,
  ifAlias: `${IF_X}.18`,
  ifHCInOctets: `${IF_X}.6`,
  ifHCOutOctets: `${IF_X}.10`,
  ifHCInUcastPkts: `${IF_X}.7`,
  ifHCOutUcastPkts: `${IF_X}.11`,
  ifHCInMulticastPkts: `${IF_X}.8`,
  ifHCOutMulticastPkts: `${IF_X}.12`,
  ifHCInBroadcastPkts: `${IF_X}.9`,
  ifHCOutBroadcastPkts: `${IF_X}.13`,
  ifInErrors: `${IF}.14`,
  ifOutErrors: `${IF}.20`,
}

/** The 32-bit columns that a 64-bit one may be missing for. */
const NARROW_COLUMNS: Readonly<Partial<Record<CounterField, string>>> = {
  ifHCInOctets: `${IF}.10`,
  ifHCOutOctets: `${IF}.16`,
  ifHCInUcastPkts: `${IF}.11`,
  ifHCOutUcastPkts: `${IF}.17`,
}

const hasRow = (recorded: Recorded, ifIndex: number): boolean =>
  Object.values(COLUMNS).some((column) => recorded.has(`${column}.${ifIndex}`))

const nameOf = (port: ExpectedPort): string | null => port["ifName"] ?? port["ifDescr"] ?? null

const textDifferences = (ours: Interface, port: ExpectedPort, recorded: Recorded): Difference[] =>
  TEXTS.flatMap((field) => {
    const mine = ours[field]
    const expected = port[field] ?? null
    if (mine === expected) return []
    const ifIndex = ours.ifIndex as number
    const reason = textReason(field, mine, port, recorded.get(`${COLUMNS[field]}.${ifIndex}`)?.content ?? null)
    return [{ ifIndex, field, ours: mine, expected, reason }]
  })

const textReason = (field: TextField, mine: string | null, port: ExpectedPort, cell: Buffer | null): Reason | null => {
  const said = cell === null ? null : cell.toString("utf8").trim()
  const expected = port[field] ?? null
  if (said === expected && said !== null && said.replaceAll(CONTROLS, " ") === mine) return "made-safe"
  if (mine !== said) return null
  if (field === "ifAlias" && !mine && (expected === port["ifName"] || expected === port["ifDescr"]))
    return "alias-is-name"
  if (mine !== null && mine !== expected && mine.replace(/\\$/, "") === expected) return "backslash-cut"
  return null
}

// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]+/g

const counterDifferences = (ours: Interface, port: ExpectedPort, recorded: Recorded): Difference[] =>
  (Object.keys(COUNTERS) as CounterField[]).flatMap((field) => {
    const narrow = COUNTERS[field]
    // A device without 64-bit columns is compared by its 32-bit ones, as LibreNMS does.
    const mine = ours[field] ?? (narrow in ours ? (ours[narrow as keyof Interface] as string | null) : null)
    const expected = port[narrow] ?? null
    if (mine === expected) return []
    const ifIndex = ours.ifIndex as number
    const columns = [COLUMNS[field], NARROW_COLUMNS[field]]
    const isAbsent = mine === null && columns.every((column) => !recorded.has(`${column}.${ifIndex}`))
    return [{ ifIndex, field, ours: mine, expected, reason: isAbsent && expected === "0" ? "zero-for-absent" : null }]
  })
