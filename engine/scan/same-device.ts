/**
 * Which of the addresses that answered are one device. Two are when they show the same serial number of the same vendor; or
 * the same SNMP engine and name (clones of one virtual machine share an engine id, and are told apart by their names); or
 * when one lists the other among its own addresses and has its name. A name alone proves nothing.
 */
import type { Identity } from "#engine/scan/identify.ts"

interface Answering {
  readonly address: string
  /** Null = it did not answer SNMP. */
  readonly identity: Identity | null
}

/** Groups in the order of their first member; members keep their order. */
export const sameDevices = <Found extends Answering>(found: readonly Found[]): ReadonlyArray<readonly Found[]> => {
  const leader = found.map((_, i) => i)
  const rootOf = (i: number): number => {
    let root = i
    while (leader[root] !== root) root = leader[root] as number
    return root
  }
  const join = (i: number, j: number): void => {
    const [a, b] = [rootOf(i), rootOf(j)]
    leader[Math.max(a, b)] = Math.min(a, b)
  }
  const firstWith = new Map<string, number>()
  for (const [i, { address, identity }] of found.entries())
    for (const mark of marksOf(address, identity)) {
      const first = firstWith.get(mark)
      if (first === undefined) firstWith.set(mark, i)
      else join(first, i)
    }
  const groups = Map.groupBy(found.entries(), ([i]) => rootOf(i))
  return [...groups.values()].map((members) => members.map(([, one]) => one))
}

/** Whoever shares a mark is one device. An own address is a mark of the address that was asked, too. */
const marksOf = (address: string, identity: Identity | null): readonly string[] => {
  if (identity === null) return []
  const { vendor, serial, engineId, sysName, ownAddresses } = identity
  return [
    ...(serial === null ? [] : [JSON.stringify(["serial", vendor, serial])]),
    ...(engineId === null || sysName === null ? [] : [JSON.stringify(["engine", engineId, sysName])]),
    ...(sysName === null
      ? []
      : [address, ...ownAddresses.filter(isOnes)].map((one) => JSON.stringify(["own", one, sysName]))),
  ]
}

/** Loopback's and link-local addresses are every device's own. */
const isOnes = (address: string): boolean => !/^(127\.|169\.254\.|::1$|fe80:)/.test(address)
