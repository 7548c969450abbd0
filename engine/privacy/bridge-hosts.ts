/**
 * The part of the gate that bridges' forwarding tables pass (PRODUCT.md S11, W3). Most hosts behind a switch are subscribers:
 * of a reading only those MACs go on that belong to an interface of another device of this tenant; of all others the twin
 * hears that there are some. Whose a MAC is, is learned from what devices say of their own interfaces, through the same gate.
 */
import type { BridgeReading, Collected } from "#engine/collectors/collector.ts"
import { HOSTS_MAX, hostsText, isOwnable, macText, readMac } from "#protocol/bridge.ts"
import { entityKind, type DeviceId, type EntityKey } from "#protocol/id.ts"
import type { PollInput } from "#twin/input.ts"

export interface BridgeHostsGate {
  /** Learns the device's own MACs, and replaces its reading, if any, by the texts that the twin may hear. */
  readonly discreet: (poll: Collected) => PollInput
  /** What `discreet` last said of a device did not arrive: it is said again with the next reading. */
  readonly unsaid: (device: DeviceId) => void
  /** These are the tenant's devices from now on: MACs of any other are strangers'. */
  readonly keepOnly: (devices: ReadonlySet<string>) => void
}

/** Own MACs of one device; of further interfaces the MACs stay unknown. */
export const MACS_PER_DEVICE_MAX = 4_096

/** No text of ours: whatever the twin holds of the port. */
const UNKNOWN = "?"

/** Several devices claim it. */
const SHARED = -1

interface Known {
  /** Owner's number, or SHARED, by MAC: half a million interfaces must not be half a million objects. */
  readonly owner: Map<number, number>
  readonly numbers: Map<DeviceId, { readonly number: number; macs: number }>
  /** What was said of each port, by device. */
  readonly said: Map<DeviceId, Map<EntityKey, string>>
  next: number
}

export const makeBridgeHostsGate = (): BridgeHostsGate => {
  const known: Known = { owner: new Map(), numbers: new Map(), said: new Map(), next: 0 }
  return {
    discreet: (poll) => {
      learn(known, poll)
      if (!("bridge" in poll)) return poll
      const { bridge, ...rest } = poll
      return bridge === undefined ? rest : withTexts(rest, tell(known, rest, bridge))
    },
    unsaid: (device) => void known.said.delete(device),
    keepOnly: (devices) => {
      const gone = new Set<number>()
      for (const [device, { number }] of known.numbers) {
        if (devices.has(device)) continue
        gone.add(number)
        known.numbers.delete(device)
      }
      for (const device of known.said.keys()) if (!devices.has(device)) known.said.delete(device)
      if (gone.size === 0) return
      // Of what several claimed, whoever is left says so again with its next discovery.
      gone.add(SHARED)
      for (const [mac, number] of known.owner) if (gone.has(number)) known.owner.delete(mac)
    },
  }
}

const learn = (known: Known, { device, texts }: PollInput): void => {
  for (const { fact, text } of texts) {
    const mac = fact === "interface.mac" ? readMac(text) : null
    if (mac === null || !isOwnable(mac)) continue
    let own = known.numbers.get(device)
    if (own === undefined) known.numbers.set(device, (own = { number: known.next++, macs: 0 }))
    const owner = known.owner.get(mac)
    if (owner === own.number || owner === SHARED) continue
    if (owner !== undefined) known.owner.set(mac, SHARED)
    else if (own.macs < MACS_PER_DEVICE_MAX) {
      own.macs++
      known.owner.set(mac, own.number)
    }
  }
}

/** What is to be said of the device's ports, of those that changed. Of a port that this poll does not list, nothing yet. */
const tell = (known: Known, poll: PollInput, bridge: BridgeReading | null): PollInput["texts"] => {
  const { device } = poll
  const listed = new Set(poll.entities)
  const now = bridge === null ? new Map<EntityKey, string>() : hostsByPort(known, device, bridge)
  let said = known.said.get(device)
  if (said === undefined) {
    if (bridge === null) return []
    // The twin may still hold what was said before this engine started.
    const before = poll.entities.filter((key) => entityKind(key) === "interface" && !now.has(key))
    known.said.set(device, (said = new Map(before.map((key) => [key, UNKNOWN]))))
  }
  const news: Array<PollInput["texts"][number]> = []
  const say = (entity: EntityKey, text: string): void =>
    void news.push({ entity, fact: "interface.bridge_hosts", text })
  for (const [port, text] of now) {
    if (said.get(port) === text || !listed.has(port)) continue
    said.set(port, text)
    say(port, text)
  }
  for (const port of said.keys()) {
    if (now.has(port)) continue
    said.delete(port)
    if (listed.has(port)) say(port, "")
  }
  return news
}

/** The text of each port, "" for one that hears nobody. */
const hostsByPort = (
  { owner, numbers }: Known,
  device: DeviceId,
  { ports, port, mac, isWhole }: BridgeReading,
): ReadonlyMap<EntityKey, string> => {
  const own = numbers.get(device)?.number
  const macs = ports.map(() => new Set<number>())
  const others = new Set<number>()
  for (let i = 0; i < mac.length; i++) {
    const at = port[i] as number
    const whose = owner.get(mac[i] as number)
    if (whose === undefined) others.add(at)
    else if (whose !== own) macs[at]?.add(mac[i] as number)
  }
  return new Map(
    ports.map((key, at) => {
      const all = [...(macs[at] as Set<number>)].sort((x, y) => x - y)
      const more = !isWhole || all.length > HOSTS_MAX
      return [key, hostsText({ macs: all.slice(0, HOSTS_MAX).map(macText), others: others.has(at), more })]
    }),
  )
}

const withTexts = (poll: PollInput, news: PollInput["texts"]): PollInput =>
  news.length === 0 ? poll : { ...poll, texts: [...poll.texts, ...news] }
