/**
 * What a scan found as an import document, for an operator to look through, change and import: nothing is added by itself.
 * It holds the credentials that worked, because without them the import would not poll; so it goes to whoever gave them.
 */
import type { SnmpCredential } from "#engine/collectors/target.ts"
import type { ImportSite } from "#engine/import/document.ts"
import type { FoundDevice, ScanReport } from "#engine/scan/scan.ts"

interface ProposedDevice {
  readonly name: string
  readonly address: string
  readonly site: string
  readonly roles: readonly ["other"]
  readonly snmp: SnmpCredential
}

interface ProposedImport {
  readonly sites: readonly ImportSite[]
  readonly devices: readonly ProposedDevice[]
  readonly links: readonly []
}

/** Names of devices are taken up to this length (engine/import/parse.ts). */
const NAME_MAX = 128

/** Only what SNMP told apart is proposed: what merely pings may be anything. */
export const proposeImport = (
  { devices }: ScanReport,
  site: ImportSite,
  snmp: readonly SnmpCredential[],
): ProposedImport => {
  const taken = new Set<string>()
  const proposed = devices.flatMap((device): readonly ProposedDevice[] => {
    const credential = device.credential === null ? undefined : snmp[device.credential]
    const address = device.addresses[0]
    if (credential === undefined || address === undefined) return []
    const name = nameOf(device, address, taken)
    taken.add(name)
    return [{ name, address, site: site.id, roles: ["other"], snmp: credential }]
  })
  return { sites: [site], devices: proposed, links: [] }
}

/** What the device calls itself; with its address where two call themselves the same. */
const nameOf = ({ sysName }: FoundDevice, address: string, taken: ReadonlySet<string>): string => {
  const own = sysName?.slice(0, NAME_MAX - 40).trim() || address
  return taken.has(own) ? `${own} (${address})` : own
}
