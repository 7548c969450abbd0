/**
 * A cause that root-cause analysis names, in the words of incidents: ids instead of indices, so that it can be told from
 * another one after any change of the inventory; where its symptoms show; and what speaks for and against it.
 */
import type { CauseMember, CauseView, EvidenceView, FaultType } from "#protocol/incident.ts"
import { interfaceKey } from "#protocol/id.ts"
import { shadowOf, showsOf } from "#twin/incident/shadow.ts"
import { spotOf } from "#twin/incident/spot.ts"
import type { Spot } from "#twin/incident/spot.ts"
import type { CauseState } from "#twin/incident/state.ts"
import { placeKey } from "#twin/incident/state.ts"
import type { Board } from "#twin/rca/board.ts"
import { kindAt } from "#twin/rca/board.ts"
import { causeWords } from "#twin/rca/cause.ts"
import type { Cause } from "#twin/rca/cause.ts"
import type { Candidate } from "#twin/rca/explain.ts"
import { endOf } from "#twin/rca/model.ts"
import { decider } from "#twin/rca/probe.ts"
import type { Symptoms } from "#twin/rca/symptoms.ts"
import { MAX_LINES, tell } from "#twin/rca/words.ts"
import type { Topology } from "#twin/topology.ts"

export interface Suspicion {
  readonly candidate: Candidate
  readonly key: string
  readonly keys: readonly string[]
  readonly onsetMs: number
  /** What alarms because of it: observable and spot. */
  readonly alarms: ReadonlyArray<Spot & { readonly id: number }>
  /** Routers that fall silent with it, whatever they last said. */
  readonly silent: ReadonlySet<number>
  /** Links that carry nothing with it. */
  readonly links: ReadonlySet<number>
  /** placeKey by device id: everything on which it predicts an alarm. */
  readonly predicted: ReadonlySet<string>
  /** Routers on which anything of it may show, ascending. */
  readonly slots: readonly number[]
  /** The spot whose alert is told; every other one is its symptom. */
  readonly own: Spot | null
}

/**
 * A candidate that the next explanation took over as it was is the same suspicion: all that this reads of it, and the times of
 * its alarms, are as they were (explain.ts). By the board's structure, because another one numbers its observables otherwise.
 */
const suspicions = new WeakMap<Symptoms, WeakMap<Candidate, Suspicion>>()

export const suspicionOf = (symptoms: Symptoms, topology: Topology, candidate: Candidate): Suspicion => {
  let known = suspicions.get(symptoms)
  if (known === undefined) suspicions.set(symptoms, (known = new WeakMap()))
  const before = known.get(candidate)
  if (before !== undefined) return before
  const made = suspected(symptoms, topology, candidate)
  known.set(candidate, made)
  return made
}

const suspected = (symptoms: Symptoms, topology: Topology, candidate: Candidate): Suspicion => {
  const { cause, members } = candidate
  const shadow = shadowOf(symptoms, topology, cause)
  const { alarms, predicted, slots } = showsOf(symptoms, topology, candidate, shadow)
  return {
    candidate,
    key: elementKey(symptoms, topology, cause),
    keys: [...new Set(members.map((member) => elementKey(symptoms, topology, member)))],
    onsetMs: candidate.onsetMs ?? 0,
    alarms,
    silent: shadow.silent,
    links: shadow.links,
    predicted,
    slots,
    own: ownOf(symptoms.board, cause, alarms, shadow.dead),
  }
}

/** Whether an alert of a device is a symptom of it. */
export const explains = (
  { silent, predicted }: Pick<Suspicion, "silent" | "predicted">,
  slot: number,
  device: string,
  entity: string,
): boolean => silent.has(slot) || predicted.has(placeKey(device, entity))

/** Of a dead router its own silence, of a site that of its first router, else the alarm that came first. */
const ownOf = (
  board: Board,
  { kind, index }: Cause,
  alarms: ReadonlyArray<Spot & { readonly id: number }>,
  dead: ReadonlySet<number>,
): Spot | null => {
  if (kind === "router") return { slot: index, entity: "" }
  if (kind === "site") {
    const [first] = [...dead].sort((x, y) => x - y)
    const told = alarms.find(({ slot, entity }) => entity === "" && dead.has(slot))
    return told === undefined ? (first === undefined ? null : { slot: first, entity: "" }) : told
  }
  let own: (Spot & { readonly id: number }) | null = null
  for (const spot of alarms)
    if (own === null || (board.atMs[spot.id] as number) < (board.atMs[own.id] as number)) own = spot
  return own
}

/** One name for what failed, however it failed; by ids. */
const elementKey = ({ board }: Symptoms, topology: Topology, cause: Cause): string => {
  const { inventory } = topology
  const { index } = cause
  switch (cause.kind) {
    case "link":
    case "loss":
    case "congestion":
    case "flap":
      return `link:${inventory.links[index]?.id ?? index}`
    case "shut":
      return `link:${inventory.links[index >> 1]?.id ?? index}`
    case "router":
    case "agent":
    case "bgp":
      return `device:${inventory.devices[index]?.id ?? index}`
    case "session": {
      const session = board.model.network.sessions[index]
      const [a, b] = [session?.a ?? -1, session?.b ?? -1].map((slot) => inventory.devices[slot]?.id ?? "")
      return session !== undefined && session.link >= 0
        ? `link:${inventory.links[session.link]?.id ?? index}`
        : `session:${a}:${b}`
    }
    case "site":
      return `site:${inventory.sites[index]?.id ?? index}`
    case "group":
      return `group:${board.model.network.groups[index]?.name ?? index}`
  }
}

// -- in words ------------------------------------------------------------------------------------------------------------

interface Words {
  readonly title: string
  readonly members: readonly CauseMember[]
  readonly because: string
  /** Without its times, and of which observable each is. */
  readonly evidence: ReadonlyArray<readonly [id: number, said: Omit<EvidenceView, "atMs">]>
}

/** As for suspicions: most evaluations find most causes as they were, and nobody reads their words again. */
const wordings = new WeakMap<Symptoms, WeakMap<Candidate, Words>>()

const wordsOf = (symptoms: Symptoms, topology: Topology, candidate: Candidate): Words => {
  let known = wordings.get(symptoms)
  if (known === undefined) wordings.set(symptoms, (known = new WeakMap()))
  const before = known.get(candidate)
  if (before !== undefined) return before
  const { title } = tell(symptoms.board, candidate)
  const made = {
    title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    members: candidate.members.map((member) => memberOf(symptoms, topology, member)),
    because: becauseOf(symptoms, candidate),
    evidence: evidenceOf(symptoms, topology, candidate),
  }
  known.set(candidate, made)
  return made
}

export const titleOf = (symptoms: Symptoms, topology: Topology, candidate: Candidate): string =>
  wordsOf(symptoms, topology, candidate).title

export const causeState = (
  symptoms: Symptoms,
  topology: Topology,
  { candidate, key, keys, onsetMs }: Suspicion,
  rank: CauseView["rank"],
): CauseState => {
  const { members, because, evidence } = wordsOf(symptoms, topology, candidate)
  const { atMs } = symptoms.board
  return {
    key,
    keys,
    weight: candidate.explained.length,
    members,
    confidence: candidate.confidence,
    rank,
    because,
    evidence: evidence.map(([id, { kind, standing, device, entity, text }]) => ({
      kind,
      standing,
      atMs: standing === "missing" ? null : (atMs[id] as number),
      device,
      entity,
      text,
    })),
    sinceMs: onsetMs,
  }
}

export const membersOf = (
  symptoms: Symptoms,
  topology: Topology,
  { candidate }: Pick<Suspicion, "candidate">,
): readonly CauseMember[] => wordsOf(symptoms, topology, candidate).members

/** Whether people would see another cause: other members, another confidence in per cent, other evidence. */
export const sameCause = (a: CauseState, b: CauseState): boolean =>
  a.key === b.key &&
  a.rank === b.rank &&
  Math.round(a.confidence * 100) === Math.round(b.confidence * 100) &&
  a.members.map(({ id, fault }) => id + fault).join() === b.members.map(({ id, fault }) => id + fault).join() &&
  a.evidence.map(({ text, standing }) => standing + text).join() ===
    b.evidence.map(({ text, standing }) => standing + text).join()

const becauseOf = ({ board }: Symptoms, { cause, explained, absent, rivals, members }: Candidate): string => {
  const came = `It explains ${explained.length} ${explained.length === 1 ? "alarm" : "alarms"}`
  const missing = absent.length === 0 ? "" : `, although ${absent.length} that it should raise did not come`
  const same = members.length === 1 ? "" : `; ${members.length} elements would look the same`
  const restart = restartWords(board, members)
  const [rival] = rivals
  const next =
    rival === undefined ? "; nothing else fits nearly as well" : `; next best: ${causeWords(board.model, rival)}`
  const probe = decider(board, { cause, rivals })
  const decides = probe === null ? "" : `; to decide: ${probe}`
  return `${came}${missing}${same}${restart}${next}${decides}.`
}

/** A router and what leads to it look alike until it answers again: who had no power has started since. */
const restartWords = ({ model }: Board, members: readonly Cause[]): string => {
  const dead = members.find(({ kind, index }) => kind === "router" && model.network.polled[index] === 1)
  const isAlone = members.every(({ kind }) => kind === "router" || kind === "site")
  return dead === undefined || isAlone ? "" : `; the uptime of ${model.network.nodeName(dead.index)} will tell`
}

const FAULT: Readonly<Record<Cause["kind"], FaultType>> = {
  link: "link",
  shut: "interface",
  loss: "link",
  congestion: "congestion",
  flap: "flapping",
  router: "router",
  agent: "management-plane",
  bgp: "router",
  session: "link",
  site: "site-power",
  group: "srlg",
}

const memberOf = ({ board }: Symptoms, topology: Topology, cause: Cause): CauseMember => {
  const { network, graph } = board.model
  const { inventory } = topology
  const { kind, index } = cause
  const name = causeWords(board.model, cause).replace(/^the /, "")
  const device = (slot: number): string => inventory.devices[slot]?.id ?? ""
  switch (kind) {
    case "link":
    case "loss":
    case "congestion":
    case "flap":
      return { fault: FAULT[kind], kind: "link", id: inventory.links[index]?.id ?? "", name }
    case "shut": {
      const slot = endOf(graph, index >> 1, index & 1)
      const entity = topology.routers[slot]?.ports.find(({ link }) => link === index >> 1)?.ifName
      return { fault: "interface", kind: "interface", id: device(slot), entity: interfaceKey(entity ?? ""), name }
    }
    case "router":
      return { fault: network.external[index] === 1 ? "upstream" : "router", kind: "device", id: device(index), name }
    case "agent":
      return { fault: "management-plane", kind: "device", id: device(index), name }
    case "bgp":
      return {
        fault: network.reflector[index] === 1 ? "route-reflector" : "router",
        kind: "device",
        id: device(index),
        name,
      }
    case "session": {
      const session = network.sessions[index]
      const [a, b] = [session?.a ?? -1, session?.b ?? -1]
      const isOutside = b < 0 || network.external[b] === 1 || network.external[a] === 1
      if (session !== undefined && session.link >= 0 && !isOutside)
        return { fault: "link", kind: "link", id: inventory.links[session.link]?.id ?? "", name }
      return { fault: isOutside ? "upstream" : "router", kind: "device", id: device(b >= 0 ? b : a), name }
    }
    case "site":
      return { fault: "site-power", kind: "site", id: inventory.sites[index]?.id ?? "", name }
    case "group":
      return { fault: "srlg", kind: "srlg", id: network.groups[index]?.name ?? "", name }
  }
}

const evidenceOf = (
  symptoms: Symptoms,
  topology: Topology,
  { explained, absent, awaited }: Candidate,
): Words["evidence"] => {
  const { board } = symptoms
  const lines = (ids: readonly number[], standing: EvidenceView["standing"]): Words["evidence"] =>
    ids.slice(0, MAX_LINES).map((id) => {
      const spot = spotOf(symptoms, topology, id)
      const said = {
        kind: kindAt(board, id)[0].name,
        standing,
        device: spot === null ? null : (topology.inventory.devices[spot.slot]?.id ?? null),
        entity: spot?.entity ?? "",
        text: observedWords(board, id, standing),
      }
      return [id, said] as const
    })
  return [...lines(explained, "for"), ...lines(absent, "against"), ...lines(awaited, "missing")]
}

export const observedWords = (board: Board, id: number, standing: EvidenceView["standing"] = "for"): string => {
  const [kind, index] = kindAt(board, id)
  const subject = kind.words(board.model, index)
  if (standing === "missing") return `it is not known whether ${subject} ${kind.alarmed}`
  return `${subject} ${standing === "for" ? kind.alarmed : kind.cleared}`
}
