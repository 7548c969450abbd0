/** Cells of small devices for tests: a system group, IF-MIB rows with known values, and whatever a test adds. */
import type { Cell } from "#engine/collectors/snmp/recorded-agent.fixture.ts"
import { TAG } from "#engine/collectors/snmp/varbinds.ts"

export const text = (oid: string, value: string): Cell => ({ oid, tag: TAG.octetString, value: Buffer.from(value) })
export const int = (oid: string, value: number): Cell => ({ oid, tag: TAG.integer, value })
export const gauge = (oid: string, value: number): Cell => ({ oid, tag: TAG.gauge32, value })
export const counter = (oid: string, value: number): Cell => ({ oid, tag: TAG.counter32, value })
const counter64 = (oid: string, value: number | bigint): Cell => ({ oid, tag: TAG.counter64, value: BigInt(value) })
const ticks = (oid: string, value: number): Cell => ({ oid, tag: TAG.timeTicks, value })
export const ip = (oid: string, value: string): Cell => ({ oid, tag: TAG.ipAddress, value })

export const IF = "1.3.6.1.2.1.2.2.1"
export const IFX = "1.3.6.1.2.1.31.1.1.1"

export interface Port {
  readonly index: number
  readonly name: string
  readonly oper?: number
  readonly octets?: number
  readonly isNarrow?: boolean
  readonly highSpeed?: number
  readonly speed?: number
}

const system = (uptimeTicks: number): Cell[] => [
  text("1.3.6.1.2.1.1.1.0", "RouterOS RB760iGS"),
  { oid: "1.3.6.1.2.1.1.2.0", tag: TAG.oid, value: "1.3.6.1.4.1.14988.1" },
  ticks("1.3.6.1.2.1.1.3.0", uptimeTicks),
  text("1.3.6.1.2.1.1.5.0", "core-1"),
]

const port = ({
  index,
  name,
  oper = 1,
  octets = index * 1_000,
  isNarrow = false,
  highSpeed = 1_000,
  speed = 1_000_000_000,
}: Port): Cell[] => [
  text(`${IF}.2.${index}`, `descr of ${name}`),
  gauge(`${IF}.5.${index}`, speed),
  int(`${IF}.7.${index}`, 1),
  int(`${IF}.8.${index}`, oper),
  counter(`${IF}.10.${index}`, octets % 2 ** 32),
  counter(`${IF}.11.${index}`, 5),
  counter(`${IF}.13.${index}`, 1),
  counter(`${IF}.14.${index}`, 2),
  counter(`${IF}.16.${index}`, (octets + 7) % 2 ** 32),
  counter(`${IF}.17.${index}`, 6),
  counter(`${IF}.19.${index}`, 3),
  counter(`${IF}.20.${index}`, 4),
  text(`${IFX}.1.${index}`, name),
  text(`${IFX}.18.${index}`, `to ${name}`),
  ...(isNarrow
    ? []
    : [
        counter64(`${IFX}.6.${index}`, octets),
        counter64(`${IFX}.7.${index}`, 10),
        counter64(`${IFX}.8.${index}`, 20),
        counter64(`${IFX}.9.${index}`, 30),
        counter64(`${IFX}.10.${index}`, octets + 7),
        counter64(`${IFX}.11.${index}`, 11),
        gauge(`${IFX}.15.${index}`, highSpeed),
        ticks(`${IFX}.19.${index}`, 250),
      ]),
]

export const device = (uptimeTicks: number, ports: readonly Port[], extra: readonly Cell[] = []): Cell[] => [
  ...system(uptimeTicks),
  int("1.3.6.1.2.1.2.1.0", ports.length),
  ...ports.flatMap(port),
  ...extra,
]
