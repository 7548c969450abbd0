/**
 * What the collectors need to reach each device, made of the stored rows. An opener remembers what it opened by the
 * sealed bytes: an edit of one device opens that device's credentials, not those of thousands of others. It holds no
 * secret that the targets it gave out last do not hold.
 */
import type { RouterOsCredential, SnmpCredential, Target } from "#engine/collectors/target.ts"
import { pingPlan } from "#engine/probes/plan.ts"
import { sortedJson } from "#engine/sorted-json.ts"
import type { Kind, Stored, StoredDevice } from "#engine/storage/inventory-rows.ts"
import { VaultRefused } from "#engine/storage/seal.ts"
import type { TenantKey } from "#engine/storage/vault.ts"

export interface TargetOpener {
  /** True when some credential of these rows was not opened yet: `targets` then needs the tenant's key. */
  readonly needsKey: (stored: Stored) => boolean
  /**
   * Every device with its credentials opened, by name. What cannot be opened is told to `onRefused`, is null in its
   * target, and is tried again next time. A device that is as it was is the same object as last time.
   */
  readonly targets: (
    stored: Stored,
    key: TenantKey | null,
    onRefused: (refused: VaultRefused) => void,
  ) => readonly Target[]
}

/** One device as it was given out last. */
interface Given {
  readonly row: StoredDevice
  readonly target: Target
}

export const makeTargetOpener = (): TargetOpener => {
  let given = new Map<string, Given>()
  return {
    needsKey: ({ devices }) => {
      for (const row of devices.values())
        for (const kind of row.sealed.keys()) if (reusable(given.get(row.device.id), row, kind) === null) return true
      return false
    },
    targets: ({ devices }, key, onRefused) => {
      const next = new Map<string, Given>()
      const rows = [...devices.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      const targets = rows.map((row) => {
        const last = given.get(row.device.id)
        const target = targetOf(row, last, <Credential>(kind: Kind) => open<Credential>(row, kind, key, onRefused))
        next.set(row.device.id, { row, target })
        return target
      })
      given = next
      return targets
    },
  }
}

const targetOf = (
  row: StoredDevice,
  last: Given | undefined,
  openNow: <Credential>(kind: Kind) => Credential | null,
): Target => {
  const snmp = reusable(last, row, "snmp") ?? openNow<SnmpCredential>("snmp")
  // The one that was given out may have the certificate of then: it is opened anew when that changed.
  const routeros = reusable(last, row, "routeros") ?? pinned(openNow<RouterOsCredential>("routeros"), row.pin)
  if (last !== undefined && last.target.snmp === snmp && last.target.routeros === routeros && isAsItWas(last.row, row))
    return last.target
  const { device, probing } = row
  return {
    device: device.id,
    name: device.name,
    address: device.address,
    pollSeconds: device.pollSeconds,
    snmp,
    routeros,
    ping: pingPlan(probing.pingSeconds, device.roles),
    probes: probing.probes,
  }
}

/** What was opened last, when it was sealed in the same bytes; null = none. */
const reusable = <K extends Kind>(last: Given | undefined, row: StoredDevice, kind: K): Target[K] => {
  const sealed = row.sealed.get(kind)
  const before = last?.row.sealed.get(kind)
  if (last === undefined || sealed === undefined || before === undefined || !before.equals(sealed)) return null
  return kind === "routeros" && last.row.pin !== row.pin ? null : last.target[kind]
}

const isAsItWas = (a: StoredDevice, b: StoredDevice): boolean =>
  a.device.name === b.device.name &&
  a.device.address === b.device.address &&
  a.device.pollSeconds === b.device.pollSeconds &&
  a.probing.pingSeconds === b.probing.pingSeconds &&
  a.device.roles.join() === b.device.roles.join() &&
  (a.probing.probes.length === 0
    ? b.probing.probes.length === 0
    : sortedJson(a.probing.probes) === sortedJson(b.probing.probes))

const open = <Credential>(
  row: StoredDevice,
  kind: Kind,
  key: TenantKey | null,
  onRefused: (refused: VaultRefused) => void,
): Credential | null => {
  const blob = row.sealed.get(kind)
  if (blob === undefined) return null
  if (key === null) throw new RangeError("the tenant's key is needed: needsKey says so")
  try {
    return JSON.parse(key.open(row.device.id, kind, blob)) as Credential
  } catch (error) {
    if (!(error instanceof VaultRefused)) throw error
    onRefused(error)
    return null
  }
}

/** What the operator pinned counts; else what was seen first. */
const pinned = (credential: RouterOsCredential | null, pin: string | null): RouterOsCredential | null =>
  credential === null || pin === null || credential.fingerprint !== undefined || !credential.tls
    ? credential
    : { ...credential, fingerprint: pin }
