/**
 * The inventory as an import document: what `import` takes, without the credentials, so that importing it where it came
 * from changes nothing. Links are written when both their devices are.
 */
import type { ServiceProbe } from "#engine/probes/plan.ts"
import { seesSite, type Reach } from "#engine/inventory-api/declared.ts"
import type { Stored, StoredDevice } from "#engine/storage/inventory-rows.ts"

export const exportDocument = (stored: Stored, reach: Reach): string => {
  const sites = byKey([...stored.sites.values()], (site) => site.id).filter((site) => seesSite(reach, site.id))
  const devices = byKey([...stored.devices.values()], (it) => it.name).filter(({ device }) =>
    seesSite(reach, device.site),
  )
  const nameOf = new Map<string, string>(devices.map(({ device, name }) => [device.id, name]))
  const links = byKey([...stored.links.values()], (link) => link.id).flatMap(({ a, b, capacityBps }) => {
    const [from, to] = [nameOf.get(a.device), nameOf.get(b.device)]
    if (from === undefined || to === undefined) return []
    const ends = { a: { device: from, interface: a.interface }, b: { device: to, interface: b.interface } }
    return [{ ...ends, ...(capacityBps === null ? {} : { capacityBps }) }]
  })
  return `${JSON.stringify({ sites, devices: devices.map(deviceDocument), links }, null, 2)}\n`
}

const deviceDocument = ({ device, probing }: StoredDevice) => {
  const { name, address, site, roles, pollSeconds } = device
  const { pingSeconds, probes } = probing
  const ping = pingSeconds === null ? {} : { ping: pingSeconds === 0 ? false : { intervalSeconds: pingSeconds } }
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
