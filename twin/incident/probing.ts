/**
 * What could be asked of the network now, because its answer would decide between the causes that an incident leaves open.
 * The question stands in the incident with its answer, which comes as any other input does.
 */
import type { Sight } from "#twin/incident/sight.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, put } from "#twin/incident/sitting.ts"
import type { Incident } from "#twin/incident/state.ts"
import type { Suspicion } from "#twin/incident/suspicion.ts"
import { isAlarming, observedWords } from "#twin/incident/suspicion.ts"
import { UNKNOWN } from "#twin/rca/board.ts"
import type { Probe } from "#twin/rca/probe.ts"
import { UNDECIDED, whatToProbe } from "#twin/rca/probe.ts"

/** Questions of one incident. */
export const QUESTIONS_MAX = 8

/** Another structure numbers its observables otherwise: what was asked of the old one stays without an answer. */
export const forgotten = (incident: Incident): Incident =>
  incident.probing.some(({ observable }) => observable >= 0)
    ? { ...incident, probing: incident.probing.map((one) => ({ ...one, observable: -1 })) }
    : incident

export const probed = (sitting: Sitting, sight: Sight, taken: ReadonlyMap<string, Suspicion>): void => {
  const { symptoms, explanation } = sight
  for (const incident of sitting.incidents.values()) answered(sitting, incident, sight)
  const open = [...taken].filter(([id, { candidate }]) => {
    const incident = sitting.incidents.get(id)
    const isUndecided = candidate.members.length > 1 || candidate.features.margin < UNDECIDED
    return isUndecided && incident !== undefined && isOpen(incident) && incident.probing.length < QUESTIONS_MAX
  })
  if (open.length === 0 || explanation === null) return
  const probes = whatToProbe(symptoms.board, explanation)
  for (const [id, suspicion] of open) {
    const incident = sitting.incidents.get(id) as Incident
    const asked = new Set(incident.probing.map(({ text }) => text))
    const news = probes.filter((probe) => !asked.has(probe.words) && isAbout(probe, suspicion))
    if (news.length === 0) continue
    const probing = [
      ...incident.probing,
      ...news.map(({ words, id: observable }) => ({ text: words, atMs: sitting.nowMs, answer: null, observable })),
    ]
    put(sitting, { ...incident, probing: probing.slice(0, QUESTIONS_MAX) })
  }
}

const isAbout = ({ separates, id }: Probe, { candidate }: Suspicion): boolean => {
  const { cause, explained, absent } = candidate
  return separates.length === 0
    ? explained.includes(id) || absent.includes(id)
    : separates.some(({ kind, index }) => kind === cause.kind && index === cause.index)
}

/** What was read after the question is its answer. */
const answered = (sitting: Sitting, incident: Incident, { symptoms: { board } }: Sight): void => {
  let isNews = false
  const probing = incident.probing.map((one) => {
    if (one.answer !== null || one.observable < 0 || board.state[one.observable] === UNKNOWN) return one
    const alarms = isAlarming(board, one.observable)
    const readMs = board.atMs[one.observable] as number
    // An alarm keeps the time of its beginning, so that only a newer one answers.
    if (readMs <= one.atMs) return one
    isNews = true
    return { ...one, answer: observedWords(board, one.observable, alarms ? "for" : "against") }
  })
  if (isNews) put(sitting, { ...incident, probing })
}
