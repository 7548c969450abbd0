/**
 * Polls one RouterOS router over its API: one session, kept between polls, opened again by the next poll when it broke
 * (PRODUCT.md C1, C6). State that changes by the second is read every poll, the rest once a minute; what the router
 * does not have (no BGP, no PPP) is asked again only every ten minutes. A read-only user suffices.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { DeviceId, EntityKey } from "#protocol/id.ts"
import type { BridgeReading, Collected, Collector, Poller } from "#engine/collectors/collector.ts"
import type { RouterOsCredential, Target } from "#engine/collectors/target.ts"
import type { Ears, Hearers } from "#engine/collectors/routeros/listen.ts"
import type { Answer, RouterOsError, RouterOsSession } from "#engine/collectors/routeros/session.ts"
import type { Subnet } from "#engine/collectors/routeros/subnets.ts"
import type { Row } from "#engine/collectors/routeros/reply.ts"
import type { Sentence } from "#engine/collectors/routeros/words.ts"
import { DEVICE_ENTITY } from "#protocol/id.ts"
import { PollFailed } from "#engine/collectors/collector.ts"
import { connect } from "#engine/collectors/routeros/client.ts"
import {
  BRIDGE_HOSTS,
  HOSTS_WITHIN_MS,
  onceSettled,
  readBridgeHosts,
} from "#engine/collectors/routeros/bridge-hosts.ts"
import * as map from "#engine/collectors/routeros/map.ts"
import type { Ethernet, Light } from "#engine/collectors/routeros/ethernet.ts"
import { duePorts, learnPorts, makeEthernet, monitorWords } from "#engine/collectors/routeros/ethernet.ts"
import { clockSkewSeconds, readRouterOsClock } from "#engine/collectors/device-clock.ts"
import { makeEars } from "#engine/collectors/routeros/listen.ts"
import { tellStacks, type Stacks } from "#engine/collectors/lower-layers.ts"
import {
  makeQueueMemory,
  QUEUE_MENUS,
  takeQueues,
  type QueueMemory,
  type QueueMenu,
  type QueueReading,
} from "#engine/collectors/routeros/queues.ts"
import { readStacks, stackMenus } from "#engine/collectors/routeros/stack.ts"
import { readSubnets } from "#engine/collectors/routeros/subnets.ts"
import {
  ADDRESS_PROPERTIES,
  makeTold,
  mapAddresses,
  mapNeighbors,
  mapOspfCosts,
  NEIGHBOR_PROPERTIES,
  OSPF_INTERFACE_PROPERTIES,
  type Told,
} from "#engine/collectors/routeros/surroundings.ts"
import { NETWATCH_WORDS, readNetwatch } from "#engine/collectors/routeros/netwatch.ts"
import { parseCount, parseMajor } from "#engine/collectors/routeros/values.ts"

export interface RouterOsOptions {
  /** The certificate seen first, when the credential pinned none: whoever keeps credentials may store it. */
  readonly onPin?: (device: DeviceId, fingerprint: string) => void
  /**
   * Told when an interface of the device changed, within a tenth of a second of the router's own word: a reason for a
   * confirm-poll. Without it nobody listens. May not throw.
   */
  readonly onChange?: (device: DeviceId) => void
  /** Takes new lines of the router's log: topics (`interface,info`) and message. Without it the log is not followed. */
  readonly onLog?: (device: DeviceId, topics: string, message: string) => void
}

/** Identity, serial, addresses, health, comments, leases: how often they are read. */
const SLOW_MS = 60_000
/** Which interface runs over which, and OSPF's costs: how often they are read. */
const STACKS_MS = 300_000
/** How long an optional command is left out after a `!trap` (the router has no such menu), and after no answer. */
const REFUSED_REST_MS = 600_000
const TIMEOUT_REST_MS = 60_000
/** Shares of the time left that a command may take: the counters may come even when the OSPF table does not. */
const NEEDED_SHARE = 0.95
const OPTIONAL_SHARE = 0.8

/** Policies that a monitoring user should not have (notes/hostile.md: least privilege). */
const EXCESS_POLICIES = ["write", "policy", "sensitive", "reboot"]

export const makeRouterOsCollector = (options: RouterOsOptions = {}): Collector => ({
  source: "routeros",
  open: (target) => (target.routeros === null ? null : openPoller(target, target.routeros, options)),
})

/** What one poller remembers between polls. Bounded: one entry per interface, per optional command. */
interface Memory {
  session: RouterOsSession | null
  pinned: string | undefined
  /** RouterOS major version of this session; null until it said. */
  major: number | null
  slowAtMs: number
  readonly restUntilMs: Map<string, number>
  readonly ethernet: Ethernet
  subnets: readonly Subnet[]
  readonly told: Told
  readonly ears: Ears
  /** Interfaces whose lower layers were told, and when they were read. */
  readonly stacked: Set<EntityKey>
  stacksAtMs: number
  bridgeAtMs: number
  /** Forwarding tables that are being asked for, beside the polls. */
  hosts: Fiber.Fiber<Answer | null, RouterOsError> | null
  /** The poller's own. */
  readonly scope: Scope.Scope
  costsAtMs: number
  readonly queues: QueueMemory
  /** It watches public targets by itself: then it is asked with every poll. */
  watches: boolean
  /** Interfaces whose comment was sent: a comment that is gone must be sent once more, as empty. */
  readonly aliased: Set<EntityKey>
  privilegesChecked: boolean
}

const openPoller = (target: Target, credential: RouterOsCredential, options: RouterOsOptions) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const memory: Memory = {
      session: null,
      pinned: credential.fingerprint,
      major: null,
      slowAtMs: Number.NEGATIVE_INFINITY,
      restUntilMs: new Map(),
      ethernet: makeEthernet(),
      subnets: [],
      told: makeTold(),
      ears: makeEars(hearersOf(target, options), () => monotonicMs(clock)),
      stacked: new Set(),
      stacksAtMs: Number.NEGATIVE_INFINITY,
      bridgeAtMs: Number.NEGATIVE_INFINITY,
      hosts: null,
      scope: yield* Effect.scope,
      costsAtMs: Number.NEGATIVE_INFINITY,
      queues: makeQueueMemory(),
      watches: false,
      aliased: new Set(),
      privilegesChecked: false,
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => endSession(memory)))
    const poller: Poller = {
      poll: (deadlineMs) =>
        pollRouter(target, credential, options, memory, deadlineMs).pipe(
          Effect.mapError((error) => pollFailed(error, credential)),
          // A session whose poll failed is not trusted with the next one; a `!trap` is an answer like any other.
          Effect.onExit((exit) => Effect.sync(() => (Exit.isSuccess(exit) ? undefined : endSession(memory)))),
        ),
    }
    return poller
  })

const hearersOf = ({ device }: Target, { onChange, onLog }: RouterOsOptions): Hearers => ({
  ...(onChange === undefined ? {} : { changed: () => onChange(device) }),
  ...(onLog === undefined ? {} : { log: (topics, message) => onLog(device, topics, message) }),
})

const endSession = (memory: Memory): void => {
  memory.ears.close()
  memory.session?.close()
  memory.session = null
  memory.major = null
}

// --- one poll

interface Poll {
  readonly session: RouterOsSession
  readonly memory: Memory
  readonly clock: Clock.Clock
  readonly deadlineAtMs: number
  readonly nowMs: number
  readonly slow: boolean
}

const monotonicMs = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const pollRouter = (
  target: Target,
  credential: RouterOsCredential,
  options: RouterOsOptions,
  memory: Memory,
  deadlineMs: number,
): Effect.Effect<Collected, RouterOsError> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const nowMs = monotonicMs(clock)
    const startedMs = Math.floor(clock.currentTimeMillisUnsafe())
    const session = yield* openSession(target, credential, options, memory, deadlineMs)
    const slow = nowMs - memory.slowAtMs >= SLOW_MS
    const poll: Poll = { session, memory, clock, deadlineAtMs: nowMs + deadlineMs, nowMs, slow }
    // The first answer of a session names the version, which names the BGP menu.
    const first = memory.major === null ? yield* readResource(poll) : null
    // By SNMP too: then it tells of surroundings (surroundings.ts).
    const alone = target.snmp === null
    // Before the lists are read: what changes while they are is told.
    memory.ears.open(session)
    const parts = yield* Effect.all(
      {
        resource: first === null ? readResource(poll) : Effect.succeed(first),
        interfaces: readInterfaces(poll),
        ospf: optional(poll, ["/routing/ospf/neighbor/print"]),
        bgp: optional(poll, [memory.major === 6 ? "/routing/bgp/peer/print" : "/routing/bgp/session/print"]),
        pppoe: optional(poll, ["/ppp/active/print", "=count-only=", "?service=pppoe"]),
        netwatch: slow || memory.watches ? optional(poll, NETWATCH_WORDS) : NOTHING,
        identity: slow ? optional(poll, ["/system/identity/print"]) : NOTHING,
        routerboard: slow ? optional(poll, ["/system/routerboard/print"]) : NOTHING,
        addresses: slow ? optional(poll, ["/ip/address/print", ADDRESS_PROPERTIES]) : NOTHING,
        addresses6: slow && alone ? optional(poll, ["/ipv6/address/print", ADDRESS_PROPERTIES]) : NOTHING,
        neighbors: slow && alone ? optional(poll, ["/ip/neighbor/print", NEIGHBOR_PROPERTIES]) : NOTHING,
        health: slow ? optional(poll, ["/system/health/print"]) : NOTHING,
        leases: slow ? optional(poll, ["/ip/dhcp-server/lease/print", "=count-only=", "?status=bound"]) : NOTHING,
      },
      { concurrency: "unbounded" },
    )
    memory.ears.polled(parts.interfaces.rows)
    const batch = map.makeBatch()
    const lights = yield* readPorts(poll, parts.interfaces.rows)
    const stacks = yield* askStacks(poll, parts.interfaces.rows)
    const costs = yield* askCosts(poll)
    const queues = slow ? yield* askQueues(poll) : []
    const bridge = alone ? yield* askBridge(poll, batch, parts.interfaces.rows) : undefined
    const skew = slow && alone ? yield* askClock(poll) : null
    yield* checkPrivileges(poll, target, credential)
    if (slow) memory.slowAtMs = nowMs

    map.mapResource(batch, parts.resource, slow)
    map.mapInterfaces(batch, parts.interfaces.rows, memory.ethernet.speedBps)
    map.mapLights(batch, lights)
    if (slow) mapAliases(batch, parts.interfaces.rows, memory.aliased)
    if (slow && alone) map.mapMacs(batch, parts.interfaces.rows)
    if (parts.addresses !== null) {
      const own = [...parts.addresses.rows, ...(parts.addresses6?.rows ?? [])]
      memory.subnets = readSubnets(parts.addresses.rows)
      if (alone) mapAddresses(batch, own, parts.interfaces.rows, memory.told.addressed)
    }
    if (parts.neighbors !== null) mapNeighbors(batch, parts.neighbors.rows, parts.interfaces.rows, memory.told)
    if (parts.ospf !== null) map.mapOspf(batch, parts.ospf.rows, memory.subnets)
    if (costs !== null) mapOspfCosts(batch, costs, parts.interfaces.rows)
    if (parts.bgp !== null) map.mapBgp(batch, parts.bgp.rows)
    batch.value(DEVICE_ENTITY, "pppoe.sessions.active", countOf(parts.pppoe))
    batch.value(DEVICE_ENTITY, "dhcp.leases.active", countOf(parts.leases))
    if (parts.netwatch !== null) mapNetwatch(batch, parts.netwatch.rows, memory)
    if (stacks !== null) tellStacks(stacks, memory.stacked, batch.text)
    mapQueues(batch, queues)
    batch.value(DEVICE_ENTITY, "device.clock.skew_seconds", skew)
    if (parts.health !== null) map.mapHealth(batch, parts.health.rows)
    const identity = parts.identity?.rows[0]
    if (identity !== undefined) map.mapIdentity(batch, identity)
    const routerboard = parts.routerboard?.rows[0]
    if (routerboard !== undefined) map.mapRouterboard(batch, routerboard)
    const { atMs } = parts.interfaces
    const input = { kind: "poll", device: target.device, source: "routeros", startedMs, atMs } as const
    return { ...input, ...batch.columns(), ...(bridge === undefined ? {} : { bridge }) }
  })

/** One that watches none tells nothing, but once that it does no more. */
const mapNetwatch = (batch: map.Batch, rows: readonly Row[], memory: Memory): void => {
  const { targets, up } = readNetwatch(rows)
  if (targets === 0 && !memory.watches) return
  memory.watches = targets > 0
  batch.value(DEVICE_ENTITY, "probe.public.targets", targets)
  batch.value(DEVICE_ENTITY, "probe.public.up", up)
}

const NOTHING = Effect.succeed(null)

const openSession = (
  target: Target,
  credential: RouterOsCredential,
  options: RouterOsOptions,
  memory: Memory,
  deadlineMs: number,
): Effect.Effect<RouterOsSession, RouterOsError> =>
  Effect.gen(function* () {
    if (memory.session?.isOpen() === true) return memory.session
    endSession(memory)
    const pinned = memory.pinned === undefined ? credential : { ...credential, fingerprint: memory.pinned }
    const session = yield* connect({ address: target.address, credential: pinned, deadlineMs })
    memory.session = session
    if (session.fingerprint !== null && memory.pinned === undefined) {
      memory.pinned = session.fingerprint
      options.onPin?.(target.device, session.fingerprint)
    }
    return session
  })

const timeLeft = (poll: Poll, share: number): number =>
  Math.max(1, Math.floor((poll.deadlineAtMs - monotonicMs(poll.clock)) * share))

const needed = (poll: Poll, words: Sentence): Effect.Effect<Answer, RouterOsError> =>
  Effect.suspend(() => poll.session.command(words, timeLeft(poll, NEEDED_SHARE)))

/** Null when the router has no such thing, or not in time; both leave the rest of the poll alone. */
const optional = (poll: Poll, words: Sentence, withinMs?: number): Effect.Effect<Answer | null, RouterOsError> =>
  Effect.suspend(() => {
    const path = words[0] ?? ""
    const { restUntilMs } = poll.memory
    if ((restUntilMs.get(path) ?? 0) > poll.nowMs) return NOTHING
    const leaveOut = (restMs: number) =>
      Effect.sync(() => {
        restUntilMs.set(path, poll.nowMs + restMs)
        return null
      })
    return Effect.catchTags(poll.session.command(words, withinMs ?? timeLeft(poll, OPTIONAL_SHARE)), {
      RouterOsTrap: () => leaveOut(REFUSED_REST_MS),
      RouterOsTimeout: () => leaveOut(TIMEOUT_REST_MS),
    })
  })

const readResource = (poll: Poll): Effect.Effect<Row, RouterOsError> =>
  Effect.map(needed(poll, ["/system/resource/print"]), ({ rows }) => {
    const row = rows[0] ?? new Map<string, string>()
    poll.memory.major = parseMajor(row.get("version"))
    return row
  })

/** All interfaces but the subscribers', which the router itself leaves out: `?#` works on a stack, here "none of these". */
const readInterfaces = (
  poll: Poll,
): Effect.Effect<{ readonly rows: readonly Row[]; readonly atMs: number }, RouterOsError> => {
  const properties = poll.slow ? [...map.INTERFACE_PROPERTIES, "comment", "mac-address"] : map.INTERFACE_PROPERTIES
  const none = [
    ...map.SUBSCRIBER_TYPES.map((type) => `?type=${type}`),
    `?#${"|".repeat(map.SUBSCRIBER_TYPES.length - 1)}!`,
  ]
  const words = ["/interface/print", "=stats=detail", `=.proplist=${properties.join(",")}`, ...none]
  return Effect.map(needed(poll, words), ({ rows }) => ({
    rows,
    atMs: Math.floor(poll.clock.currentTimeMillisUnsafe()),
  }))
}

const readPorts = (poll: Poll, rows: readonly Row[]): Effect.Effect<readonly Light[], RouterOsError> =>
  Effect.suspend(() => {
    const { ethernet } = poll.memory
    const ports = duePorts(ethernet, rows, poll.nowMs)
    if (ports.length === 0) return Effect.succeed([])
    return Effect.map(optional(poll, monitorWords(ports)), (answer) =>
      answer === null ? [] : learnPorts(ethernet, ports, answer.rows, poll.nowMs),
    )
  })

/** Null = not now, or a menu did not answer: half of them would look like a loss of the rest. */
const askStacks = (poll: Poll, interfaces: readonly Row[]): Effect.Effect<Stacks | null, RouterOsError> =>
  Effect.gen(function* () {
    const { memory, nowMs } = poll
    if (!poll.slow || nowMs - memory.stacksAtMs < STACKS_MS) return null
    const menus = stackMenus(interfaces)
    const answers = yield* Effect.forEach(menus, (menu) => optional(poll, menu.words), { concurrency: "unbounded" })
    const rows = answers.flatMap((answer, i) => (answer === null ? [] : [[menus[i]!, answer.rows] as const]))
    if (rows.length < menus.length) return null
    memory.stacksAtMs = nowMs
    const names = new Set(interfaces.flatMap((row) => map.interfaceOf(row) ?? []))
    for (const key of memory.stacked) if (!names.has(key)) memory.stacked.delete(key)
    return readStacks(rows, interfaces)
  })

/**
 * Undefined = not now; null = the router has no bridge. A table that this poll is too short for goes on beside the next
 * ones, which do not wait for it. What is wrong with it alone spoils no poll.
 */
const askBridge = (
  poll: Poll,
  batch: map.Batch,
  interfaces: readonly Row[],
): Effect.Effect<BridgeReading | null | undefined> =>
  Effect.gen(function* () {
    const { memory, nowMs } = poll
    const isFirst = memory.hosts === null
    if (isFirst && (!poll.slow || nowMs - memory.bridgeAtMs < STACKS_MS)) return undefined
    memory.hosts ??= yield* Effect.forkIn(optional(poll, BRIDGE_HOSTS, HOSTS_WITHIN_MS), memory.scope)
    const exit = yield* onceSettled(memory.hosts, isFirst ? timeLeft(poll, OPTIONAL_SHARE) : 0)
    if (exit === null) return undefined
    memory.hosts = null
    const answer = Exit.isSuccess(exit) ? exit.value : null
    if (answer === null) return undefined
    memory.bridgeAtMs = nowMs
    // Any bridge hears itself.
    if (answer.rows.length === 0) return null
    const { reading, rows, refused } = readBridgeHosts(answer.rows, interfaces)
    batch.value(DEVICE_ENTITY, "bridge.hosts", rows)
    batch.value(DEVICE_ENTITY, "bridge.hosts_refused", refused)
    return reading
  })

/** By the API even when SNMP polls too: RouterOS has no OSPF-MIB. Null = not now. */
const askCosts = (poll: Poll): Effect.Effect<readonly Row[] | null, RouterOsError> =>
  Effect.suspend(() => {
    const { memory, nowMs } = poll
    if (!poll.slow || nowMs - memory.costsAtMs < STACKS_MS) return NOTHING
    return Effect.map(optional(poll, ["/routing/ospf/interface/print", OSPF_INTERFACE_PROPERTIES]), (answer) => {
      if (answer === null) return null
      memory.costsAtMs = nowMs
      return answer.rows
    })
  })

/** A device that SNMP polls too tells its clock there, ten times as finely. */
const askClock = (poll: Poll): Effect.Effect<number | null, RouterOsError> =>
  Effect.suspend(() => {
    const askedMs = poll.clock.currentTimeMillisUnsafe()
    return Effect.map(optional(poll, ["/system/clock/print"]), (answer) => {
      const clock = readRouterOsClock(answer?.rows[0])
      return clock === null ? null : clockSkewSeconds(clock, askedMs, poll.clock.currentTimeMillisUnsafe())
    })
  })

type Queues = ReadonlyArray<readonly [QueueMenu, QueueReading]>

const askQueues = (poll: Poll): Effect.Effect<Queues, RouterOsError> =>
  Effect.map(
    Effect.forEach(QUEUE_MENUS, (menu) => optional(poll, menu.words), { concurrency: "unbounded" }),
    (answers) =>
      answers.flatMap((answer, i) => {
        const menu = QUEUE_MENUS[i]!
        return answer === null ? [] : [[menu, takeQueues(poll.memory.queues, menu, answer.rows, poll.nowMs)] as const]
      }),
  )

const mapQueues = (batch: map.Batch, queues: Queues): void => {
  for (const [{ count }, reading] of queues) batch.value(DEVICE_ENTITY, count, reading.count)
  const dropped = queues.flatMap(([, { droppedPps }]) => droppedPps ?? [])
  if (dropped.length > 0)
    batch.value(
      DEVICE_ENTITY,
      "queue.dropped_pps",
      dropped.reduce((sum, one) => sum + one, 0),
    )
}

const mapAliases = (batch: map.Batch, rows: readonly Row[], aliased: Set<EntityKey>): void => {
  for (const row of rows) {
    const key = map.interfaceOf(row)
    const comment = row.get("comment")
    if (key === null || (comment === undefined && !aliased.has(key))) continue
    batch.text(key, "interface.alias", comment ?? "")
    if (comment === undefined) aliased.delete(key)
    else if (aliased.size < map.MAX_ENTITIES) aliased.add(key)
  }
}

const countOf = (answer: Answer | null): number | null =>
  answer === null ? null : (parseCount(answer.done.get("ret")) ?? answer.rows.length)

/** Once per poller: warns when the API user could do more than read. A router that does not say is left alone. */
const checkPrivileges = (
  poll: Poll,
  target: Target,
  credential: RouterOsCredential,
): Effect.Effect<void, RouterOsError> =>
  Effect.gen(function* () {
    if (poll.memory.privilegesChecked) return
    poll.memory.privilegesChecked = true
    const users = yield* optional(poll, ["/user/print", "=.proplist=name,group", `?name=${credential.user}`])
    const group = users?.rows.find((row) => row.get("name") === credential.user)?.get("group")
    if (group === undefined) return
    const groups = yield* optional(poll, ["/user/group/print", "=.proplist=name,policy", `?name=${group}`])
    const policy = groups?.rows.find((row) => row.get("name") === group)?.get("policy") ?? ""
    const excess = policy.split(",").filter((word) => EXCESS_POLICIES.includes(word))
    if (excess.length === 0) return
    const advice = "monitoring needs only read and api: give it a group of its own"
    yield* Effect.logWarning(`${target.name}: the API user may also ${excess.join(", ")}; ${advice}`)
  })

// --- failures

const pollFailed = (error: RouterOsError, credential: RouterOsCredential): PollFailed => {
  switch (error._tag) {
    case "RouterOsAuthFailed":
      return new PollFailed({ reason: "auth", detail: redact(error.detail, credential) })
    case "RouterOsTrap":
      return new PollFailed({ reason: "protocol", detail: redact(`${error.command}: ${error.detail}`, credential) })
    case "RouterOsClosed":
      return new PollFailed({ reason: error.refused ? "refused" : "timeout", detail: redact(error.detail, credential) })
    case "RouterOsTimeout":
      return new PollFailed({
        reason: "timeout",
        detail: `no answer to ${error.command} within ${error.deadlineMs} ms`,
      })
    case "RouterOsProtocol":
      return new PollFailed({ reason: "protocol", detail: redact(error.detail, credential) })
  }
}

/** A device's own words may repeat what it was sent. */
const redact = (text: string, credential: RouterOsCredential): string =>
  credential.password === "" ? text : text.replaceAll(credential.password, "***")
