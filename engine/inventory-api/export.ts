/**
 * The inventory as an import document: what `import` takes, without the credentials, so that importing it where it came
 * from changes nothing. Links are written when both their devices are.
 */
import type { ServiceProbe } from "#engine/probes/plan.ts"
import { seesSite, type Reach } from "#engine/inventory-api/declared.ts"
import type { Stored, StoredDevice } from "#engine/storage/inventory-rows.ts"
import { structureDocument } from "#engine/topology/structure-import.ts"

export const exportDocument = (stored: Stored, reach: Reach): string => {
  const sites = byKey([...stored.sites.values()], (site) => site.id).filter((site) => seesSite(reach, site.id))
  const devices = byKey([...stored.devices.values()], (it) => it.name).filter(({ device }) =>
    seesSite(reach, device.site),
  )
  const nameOf = new Map<string, string>(devices.map(({ device, name }) => [device.id, name]))
  const links = [...stored.links.values()].flatMap(({ a, b, capacityBps }) => {
    const [from, to] = [nameOf.get(a.device), nameOf.get(b.device)]
    if (from === undefined || to === undefined) return []
    const ends = { a: { device: from, interface: a.interface }, b: { device: to, interface: b.interface } }
    return [{ ...ends, ...(capacityBps === null ? {} : { capacityBps }) }]
  })
  // By their ends, not by ids, which are of this database: the same network is the same document wherever it is stored.
  const inOrder = byKey(links, ({ a, b }) => JSON.stringify([a.device, a.interface, b.device, b.interface]))
  // Structure joins what lies in several sites: it is nothing for somebody who sees some of them.
  const structure = reach.sites === null ? structureDocument(stored) : {}
  const document = { sites, devices: devices.map(deviceDocument), links: inOrder, ...structure }
  return `${JSON.stringify(document, null, 2)}\n`
}

const deviceDocument = ({ device, probing }: StoredDevice) => {
  const { name, address, site, roles, pollSeconds } = device
  const { pingSeconds, probes } = probing
  const ping = pingSeconds === null ? {} : { ping: pingSeconds === 0 ? false : { intervalSeconds: pingSeconds } }
  // Without an address it is never pinged, which goes without saying.
  if (address === "") return { name, address: null, site, roles, pollSeconds }
  return {
    name,
    address,
    site,
    roles,
    pollSeconds,
    ...ping,
    ...(probes.length === 0 ? {} : { probes: probes.map(written) }),
  }
}

/** As probes.ts reads them: what is null is left out. */
const written = (probe: ServiceProbe): object =>
  Object.fromEntries(Object.entries(probe).filter(([, value]) => value !== null))

const byKey = <T>(items: readonly T[], key: (item: T) => string): readonly T[] =>
  items.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
