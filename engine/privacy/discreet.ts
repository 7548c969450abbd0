/**
 * The one gate between collectors and a tenant's inbox where subscribers are left out (PRODUCT.md S11). What passes here
 * is journaled, replayed and shown, so that this is the last place where an identity may still be: counts go on, names,
 * MACs and addresses do not. The twin behind it stays pure: it never sees what was withheld. Whatever a new collector
 * brings passes here too.
 */
import type { Sink } from "#engine/collectors/collector.ts"
import { makeBridgeHostsGate, type BridgeHostsGate } from "#engine/privacy/bridge-hosts.ts"
import {
  isSubscriberInterface,
  tellsOfSubscribers,
  withholdIn,
  withholdLine,
  type Naming,
} from "#engine/privacy/subscriber-line.ts"
import { entityKind, entityName, type EntityKey } from "#protocol/id.ts"
import type { DeviceInput, PollInput, SyslogInput, TrapInput } from "#twin/input.ts"

/** `naming` is asked anew for each input: opting in or out counts from the next one. */
export const discreetSink = (
  sink: Sink,
  naming: () => Naming,
  hosts: BridgeHostsGate = makeBridgeHostsGate(),
): Sink => ({
  submit: (input, durable) => {
    const passed = discreet(input.kind === "poll" ? hosts.discreet(input) : input, naming())
    const isTaken = sink.submit(passed, durable)
    if (!isTaken && input.kind === "poll") hosts.unsaid(input.device)
    return isTaken
  },
})

/** The same input when nothing in it was to be withheld. */
export const discreet = (input: DeviceInput, naming: Naming): DeviceInput => {
  switch (input.kind) {
    case "poll":
      return discreetPoll(input, naming)
    case "syslog":
      return discreetSyslog(input, naming)
    case "trap":
      return discreetTrap(input, naming)
    case "unreachable":
      return input
  }
}

// --- polls

/** Sessions are no inventory: their rows are dropped, as the RouterOS API does by their type (routeros/map.ts). */
const isSession = (key: EntityKey): boolean => {
  const kind = entityKind(key)
  const isNamedByPort = kind === "interface" || kind === "lldp.neighbor" || kind === "discovery.neighbor"
  return isNamedByPort && isSubscriberInterface(entityName(key))
}

const discreetPoll = (poll: PollInput, naming: Naming): PollInput => {
  const isClean = !poll.entities.some(isSession)
  const texts = discreetTexts(poll.texts, naming)
  if (isClean) return texts === poll.texts ? poll : { ...poll, texts }
  const place = new Map<number, number>()
  const entities = poll.entities.filter((key, index) => {
    if (isSession(key)) return false
    place.set(index, place.size)
    return true
  })
  const kept = [...poll.entity.keys()].filter((row) => place.has(poll.entity[row]!))
  return {
    ...poll,
    entities,
    entity: Uint16Array.from(kept, (row) => place.get(poll.entity[row]!)!),
    metric: Uint16Array.from(kept, (row) => poll.metric[row]!),
    value: Float64Array.from(kept, (row) => poll.value[row]!),
    texts: texts.filter(({ entity }) => !isSession(entity)),
  }
}

/** The same array when no text names a session. A neighbour's own MAC is the network's, and stays. */
const discreetTexts = (texts: PollInput["texts"], naming: Naming): PollInput["texts"] => {
  let changed: Array<PollInput["texts"][number]> | null = null
  for (const [index, said] of texts.entries()) {
    if (!said.text.includes("<")) continue
    // At most as long as device texts are (device-text.ts), also with a pseudonym in it.
    const text = withholdIn(said.text, naming).slice(0, 256)
    if (text === said.text) continue
    changed ??= [...texts]
    changed[index] = { ...said, text }
  }
  return changed ?? texts
}

// --- what routers say unasked

const discreetSyslog = (input: SyslogInput, naming: Naming): SyslogInput => {
  const { raw, ...rest } = input
  if (!tellsOfSubscribers(input.topics, input.message, raw ?? input.message)) return input
  // The header and structured data are the sender's own words too: they go with the raw line.
  return { ...rest, message: withholdLine(input.message, naming), event: discreetEvent(input.event, naming) }
}

/** The interface of a session is nothing that the twin has; a refused login still counts as one. */
const discreetEvent = (event: SyslogInput["event"], naming: Naming): SyslogInput["event"] => {
  if (event?.type === "auth-failed") return { type: "auth-failed", user: naming(event.user), from: "" }
  if (event?.type !== "interface") return event
  return isSubscriberInterface(event.ifName) ? null : event
}

/** Of a session's link trap the twin would find no interface: without the name it is kept as text only. */
const discreetTrap = (input: TrapInput, naming: Naming): TrapInput => {
  const isOfSession = input.ifName !== null && isSubscriberInterface(input.ifName)
  const raw = withholdIn(input.raw, naming)
  if (!isOfSession && raw === input.raw) return input
  return { ...input, ifName: isOfSession ? null : input.ifName, raw: raw.slice(0, 1_000) }
}
