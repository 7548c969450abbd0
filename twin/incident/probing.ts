/**
 * What the twin asks of the network now, because the answer would decide between the causes that an incident leaves open.
 * Asked in the very input that opens the incident and holds up nothing: the incident stands, with its likeliest cause, and is
 * corrected by the answer (answering.ts). Bounded for each incident and for the tenant; nobody is asked who may not be.
 */
import { awaited, ANSWER_MS, isUnderWay, QUESTIONS_MAX, refilled, UNDER_WAY_MAX } from "#twin/incident/question.ts"
import type { Question } from "#twin/incident/question.ts"
import type { Answered } from "#twin/incident/answering.ts"
import { showing, shownBy } from "#twin/incident/showing.ts"
import type { Sight } from "#twin/incident/sight.ts"
import { namedOnce } from "#twin/incident/named-once.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, note } from "#twin/incident/sitting.ts"
import type { Incident } from "#twin/incident/state.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import { spotOf } from "#twin/incident/spot.ts"
import { kindAt } from "#twin/rca/board.ts"
import type { Candidate } from "#twin/rca/explain.ts"
import type { Probe } from "#twin/rca/probe.ts"
import { UNDECIDED, whatToProbe } from "#twin/rca/probe.ts"

/** Another structure numbers its observables otherwise: what was asked of the old one decides nothing any more. */
export const forgotten = (incident: Incident): Incident =>
  incident.probing.some(({ observable }) => observable >= 0)
    ? { ...incident, probing: incident.probing.map((one) => ({ ...one, observable: -1 })) }
    : incident

/** Writes what was answered and what that changed, and asks what is still open. */
export const probed = (
  sitting: Sitting,
  sight: Sight,
  taken: ReadonlyMap<string, Suspicion>,
  answers: readonly Answered[],
): void => {
  for (const answer of answers) toldAnswer(sitting, sight, taken, answer)
  if (sight.explanation !== null) askAll(sitting, sight, taken)
  sitting.world.desk.waiting = awaited(sitting.incidents.values())
}

export const isUndecided = ({ members, features }: Pick<Candidate, "members" | "features">): boolean =>
  members.length > 1 || features.margin < UNDECIDED

const askAll = (sitting: Sitting, sight: Sight, taken: ReadonlyMap<string, Suspicion>): void => {
  const open = [...sitting.incidents.values()].filter((incident) => {
    if (!isOpen(incident) || incident.probing.length >= QUESTIONS_MAX) return false
    const suspicion = taken.get(incident.id)
    // One whose cause is not known has all to ask; one on its way back to health has nothing.
    return suspicion === undefined ? isUnexplained(incident) : isUndecided(suspicion.candidate)
  })
  const { explanation, symptoms } = sight
  if (open.length === 0 || explanation === null) return
  const probes = whatToProbe(symptoms.board, explanation, (id) => mayAsk(sitting, sight, id))
  for (const { id } of open) {
    const suspicion = taken.get(id) ?? null
    for (const probe of probes) {
      const incident = sitting.incidents.get(id) as Incident
      if (incident.probing.length >= QUESTIONS_MAX || incident.probing.filter(isUnderWay).length >= UNDER_WAY_MAX) break
      // Another incident may just have asked it.
      if (isAbout(sitting, sight, incident, suspicion, probe) && mayAsk(sitting, sight, probe.id))
        if (!ask(sitting, sight, incident, probe)) return
    }
  }
}

const isUnexplained = ({ causes, symptoms }: Incident): boolean =>
  causes.length === 0 && symptoms.some(({ endedMs }) => endedMs === null)

/** False = the tenant has asked enough for now. */
const ask = (sitting: Sitting, sight: Sight, incident: Incident, { id, words }: Probe): boolean => {
  const { nowMs, world } = sitting
  const { desk, topology } = world
  const device = topology.inventory.devices[spotOf(sight.symptoms, topology, id)?.slot ?? -1]?.id
  if (device === undefined) return true
  desk.allowance = refilled(desk.allowance, nowMs)
  if (desk.allowance.credits < 1) return false
  desk.allowance = { ...desk.allowance, credits: desk.allowance.credits - 1 }
  const number = 1 + incident.probing.reduce((most, { asked }) => Math.max(most, asked?.number ?? 0), 0)
  const way = kindAt(sight.symptoms.board, id)[0].name === "ping" ? "ping" : "read"
  const untilMs = nowMs + ANSWER_MS
  const question: Question = {
    text: words,
    atMs: nowMs,
    answer: null,
    observable: id,
    asked: { number, device, ask: way, untilMs, heard: null, alarms: null, againMs: untilMs },
  }
  desk.asks.push({ incident: incident.id, question: number, device, ask: way, atMs: nowMs, untilMs })
  note(sitting, { ...incident, probing: [...incident.probing, question] }, "event", `asked: ${words}`, { device })
  return true
}

/** What one reading tells. A neighbour is full until its dead timer ends, and whether a port flaps takes several readings. */
const AT_ONCE: ReadonlySet<string> = new Set(["ping", "port", "answer"])

/**
 * Never twice at once, nor again before it may say something else. A device that its operator has us not ping or not read is
 * not in the structure as one that is, and whoever answers nobody has nothing to be read.
 */
const mayAsk = ({ incidents, nowMs, world, cells }: Sitting, { symptoms }: Sight, id: number): boolean => {
  const [kind, index] = kindAt(symptoms.board, id)
  if (!AT_ONCE.has(kind.name) || !kind.isObservable(symptoms.board.model, index)) return false
  const spot = spotOf(symptoms, world.topology, id)
  if (spot === null) return false
  if (kind.name === "ping") {
    // Our pings leave where our polls do.
    if (index >= symptoms.board.model.graph.nodes) return false
  } else if (cells.routers.state(spot.slot).reachable === false) return false
  for (const { probing } of incidents.values())
    for (const one of probing)
      if (one.observable === id && (isUnderWay(one) || nowMs < (one.asked?.againMs ?? Number.POSITIVE_INFINITY)))
        return false
  return true
}

/** Of what its cause explains, or of what shows where nothing explains it. */
const isAbout = (
  { world: { topology } }: Sitting,
  { symptoms }: Sight,
  incident: Incident,
  suspicion: Suspicion | null,
  { about }: Probe,
): boolean => {
  if (suspicion !== null) return about.some((alarm) => suspicion.candidate.explained.includes(alarm))
  const devices = new Set(incident.symptoms.flatMap(({ device, endedMs }) => (endedMs === null ? [device] : [])))
  return about.some((alarm) =>
    devices.has(topology.inventory.devices[spotOf(symptoms, topology, alarm)?.slot ?? -1]?.id ?? ""),
  )
}

// -- in the story --------------------------------------------------------------------------------------------------------

/** "Asked ... answered ... so ...": the line above says what was asked, this one the rest. */
const toldAnswer = (
  sitting: Sitting,
  sight: Sight,
  taken: ReadonlyMap<string, Suspicion>,
  { incident: id, question }: Answered,
): void => {
  const incident = sitting.incidents.get(id)
  if (incident === undefined) return
  const suspicion = taken.get(id)
  const [cause] = incident.causes
  const sure = `${Math.round((cause?.confidence ?? 0) * 100)} %`
  const so =
    cause === undefined || suspicion === undefined
      ? "no cause is named by it"
      : isUndecided(suspicion.candidate)
        ? `still undecided, likeliest: ${incident.title} (${sure})`
        : `decided: ${incident.title} (${sure})`
  const at = question.asked === undefined ? {} : { device: question.asked.device }
  const told = note(sitting, incident, "event", `${question.text}: ${question.answer ?? ""}; ${so}`, at)
  sitting.updated.add(id)
  if (suspicion === undefined && isRefuted(sitting, sight, told)) withdraw(sitting, told)
}

/** Nothing is named although all that the cause showed lasts: it is not on its way back to health, what was asked refutes it. */
const isRefuted = ({ world }: Sitting, { symptoms }: Sight, incident: Incident): boolean => {
  const [cause] = incident.causes
  const isAnswered = incident.probing.some(({ asked }) => (asked?.alarms ?? null) !== null)
  if (cause === undefined || !isAnswered) return false
  // As it was before this evaluation, which ends what no cause explains.
  const before = world.desk.incidents.find(({ id }) => id === incident.id)?.symptoms ?? []
  const shown = before.filter(
    ({ alert, explainedBy, endedMs }) => alert === "" && explainedBy === cause.key && endedMs === null,
  )
  if (shown.length === 0) return false
  const alarming = showing(symptoms, world.topology)
  return shown.every((one) => alarming.has(shownBy(one)))
}

const withdraw = (sitting: Sitting, incident: Incident): void => {
  const shows = incident.symptoms.find(({ alert, endedMs }) => alert !== "" && endedMs === null) ?? incident.symptoms[0]
  const title = shows === undefined ? incident.title : namedOnce(shows)
  const symptoms = incident.symptoms.map((one) => ({ ...one, explainedBy: null, why: null }))
  const text = `cause withdrawn: ${incident.title}. What was asked speaks against it`
  note(sitting, { ...incident, title, symptoms, causes: [], impactDue: true }, "cause", text)
}
