/**
 * Answers to what the twin asked of the network, as evidence. Whoever answers a ping lives; silence is a lost ping and no
 * more, and none at all of a device that never answered one or while routing may still look for another way. What a poll read
 * counts as asked for, so that it is neither lost nor stale. An answer holds until somebody reads otherwise, or it is old.
 */
import type { Cells } from "#twin/cells.ts"
import type { PollInput, ProbedInput, UnreachableInput } from "#twin/input.ts"
import { excuseAftermath } from "#twin/incident/aftermath.ts"
import type { Desk } from "#twin/incident/desk.ts"
import { ANSWER_MS, awaited, COUNTS_MS, isUnderWay, SETTLE_MS } from "#twin/incident/question.ts"
import type { Asked, Heard, Question, Refusal } from "#twin/incident/question.ts"
import type { Sight } from "#twin/incident/sight.ts"
import type { Sitting } from "#twin/incident/sitting.ts"
import { isOpen, put } from "#twin/incident/sitting.ts"
import type { Incident } from "#twin/incident/state.ts"
import { observedWords } from "#twin/incident/suspicion.ts"
import { ALARM, CLEAR, kindAt, observe, UNKNOWN } from "#twin/rca/board.ts"
import type { Board } from "#twin/rca/board.ts"
import { confirm } from "#twin/rca/probe.ts"
import { refresh } from "#twin/rca/symptoms.ts"
import type { World } from "#twin/round.ts"

/** The engine tells what became of a question. One that is over, or that nobody asked, changes nothing. */
export const hearAnswer = (desk: Desk, input: ProbedInput): void => {
  const { outcome, startedMs, atMs, rttMs } = input
  hearFor(
    desk,
    ({ number, device }, { id }) => id === input.incident && number === input.question && device === input.device,
    { outcome, startedMs, atMs, rttMs },
  )
}

/** A device was polled: an answer to every question that wanted it read, if the poll began after the question. */
export const hearRead = (desk: Desk, input: PollInput | UnreachableInput): void => {
  if (input.source === "probe" || !desk.waiting.has(input.device)) return
  const startedMs = input.kind === "poll" ? input.startedMs : input.atMs
  const outcome = input.kind === "poll" ? "read" : input.reason === "breaker" ? "busy" : "silent"
  hearFor(desk, ({ ask, device }, _, { atMs }) => ask === "read" && device === input.device && startedMs >= atMs, {
    outcome,
    startedMs,
    atMs: input.atMs,
    rttMs: null,
  })
}

const hearFor = (
  desk: Desk,
  isMeant: (asked: Asked, incident: Incident, question: Question) => boolean,
  heard: Heard,
): void => {
  let isNews = false
  desk.incidents = desk.incidents.map((incident) => {
    if (!incident.probing.some(isUnderWay)) return incident
    let isIts = false
    const probing = incident.probing.map((one) => {
      const { asked } = one
      if (asked === undefined || one.answer !== null || asked.heard !== null) return one
      if (!isMeant(asked, incident, one)) return one
      isIts = true
      return { ...one, asked: { ...asked, heard } }
    })
    isNews ||= isIts
    return isIts ? { ...incident, probing } : incident
  })
  if (!isNews) return
  desk.waiting = awaited(desk.incidents)
  desk.isDue = true
}

/** A question that has just got its answer, or will get none. */
export interface Answered {
  readonly incident: string
  readonly question: Question
}

/**
 * Puts every answer that holds on the board, before it is explained, and takes from it what a cause that is over accounts for;
 * returns the answers that are new.
 */
export const takeAnswers = (sitting: Sitting, sight: Sight): readonly Answered[] => {
  const news: Answered[] = []
  for (const incident of sitting.incidents.values()) {
    if (incident.probing.length === 0) continue
    const probing = incident.probing.map((one) => {
      const over = isUnderWay(one) ? ended(sitting, sight, incident, one) : one
      if (over !== one && over.answer !== null) news.push({ incident: incident.id, question: over })
      return upheld(sitting, sight, incident, over)
    })
    if (probing.some((one, i) => one !== incident.probing[i])) put(sitting, { ...incident, probing })
  }
  excuseAftermath(sitting, sight.symptoms)
  return news
}

const ended = ({ nowMs, cells, world }: Sitting, sight: Sight, incident: Incident, one: Question): Question => {
  const { board } = sight.symptoms
  const asked = one.asked as Asked
  const { heard } = asked
  if (heard === null) {
    if (nowMs < asked.untilMs) return one
    return over(one, asked, null, `no answer within ${ANSWER_MS / 1_000} s`, nowMs + SETTLE_MS)
  }
  const laterMs = Math.max(nowMs, incident.startsAtMs) + SETTLE_MS
  const id = one.observable
  if (heard.outcome === "read") {
    if (id < 0 || board.state[id] === UNKNOWN) return over(one, asked, null, "it was read, and does not tell", laterMs)
    const alarms = board.state[id] === ALARM
    return over(one, asked, alarms, observedWords(board, id, alarms ? "for" : "against"), heard.atMs + COUNTS_MS)
  }
  if (heard.outcome === "answered") {
    const ms = heard.rttMs === null ? "" : `, in ${Math.round(heard.rttMs)} ms`
    return over(one, asked, id < 0 ? null : false, `it answers${ms}`, heard.atMs + COUNTS_MS)
  }
  if (heard.outcome !== "silent") return over(one, asked, null, REFUSED[heard.outcome], laterMs)
  // The collector's own silence is evidence without us: the unreachable input has written it.
  if (asked.ask === "read") return over(one, asked, null, "it does not answer its collector", laterMs)
  if (!hasAnswered(world, cells, asked.device))
    return over(one, asked, null, "no answer, but it has never answered a ping", heard.atMs + COUNTS_MS)
  if (heard.startedMs < incident.startsAtMs + SETTLE_MS)
    return over(
      one,
      asked,
      null,
      "no answer yet, but routing may still look for another way",
      incident.startsAtMs + SETTLE_MS,
    )
  return over(one, asked, id < 0 ? null : true, "no answer", heard.atMs + COUNTS_MS)
}

const REFUSED: Readonly<Record<Refusal, string>> = {
  forbidden: "not asked, for its address may not be asked",
  busy: "not asked, for it rests, or others wait before it",
  quota: "not asked, for the probes of the tenant are used up",
  tool: "not asked, for nothing here can ping",
}

const over = (one: Question, asked: Asked, alarms: boolean | null, answer: string, againMs: number): Question => ({
  ...one,
  answer,
  asked: { ...asked, alarms, againMs },
})

/** Who never answered a ping lets none through, as far as we know: its silence says nothing. */
const hasAnswered = ({ topology }: World, cells: Cells, device: Asked["device"]): boolean => {
  const slot = topology.deviceSlot.get(device)
  if (slot === undefined) return false
  return cells.routers.state(slot).sources.some(({ source, lastOkMs }) => source === "probe" && lastOkMs !== null)
}

// -- what holds --------------------------------------------------------------------------------------------------------

/** Writes the answer on the board again, where a reading has written over it; one that holds no longer is taken off. */
const upheld = (sitting: Sitting, sight: Sight, incident: Incident, one: Question): Question => {
  const { asked, observable: id } = one
  if (asked === undefined || asked.alarms === null || asked.heard === null || id < 0) return one
  const { board } = sight.symptoms
  const { atMs } = asked.heard
  const seen = asked.alarms ? ALARM : CLEAR
  const isRefuted = board.state[id] !== UNKNOWN && board.state[id] !== seen && (board.atMs[id] as number) > atMs
  const isOld = sitting.nowMs >= asked.againMs
  if (!isRefuted && !isOld && isOpen(incident) && !isAlone(board, sitting, incident, one)) {
    hold(board, id, asked, seen, atMs)
    return one
  }
  const slot = sitting.world.topology.deviceSlot.get(asked.device)
  board.confirmed.delete(id)
  if (slot !== undefined) refresh(sight.symptoms, sitting.world, sitting.cells, [slot])
  return { ...one, asked: { ...asked, alarms: null } }
}

const hold = (board: Board, id: number, { ask, alarms }: Asked, seen: number, atMs: number): void => {
  const isThere = board.state[id] === seen
  const knownMs = board.atMs[id] as number
  // An alarm keeps the time of its beginning; a clear is as new as its newest reading.
  const readMs = isThere ? (alarms === true ? knownMs : Math.max(knownMs, atMs)) : atMs
  // A ping that is lost is a ping that is lost: weighed as any other.
  if (ask === "ping" && alarms === true) observe(board, id, ALARM, readMs)
  else if (!isThere || knownMs < readMs || !board.confirmed.has(id)) confirm(board, id, alarms === true, readMs)
}

/** All else is well again: a silence that we alone have heard must not keep the incident open. */
const isAlone = (
  board: Board,
  { world }: Sitting,
  { symptoms }: Incident,
  { asked, observable }: Question,
): boolean => {
  if (asked?.ask !== "ping" || asked.alarms !== true) return false
  const [kind] = kindAt(board, observable)
  const device = world.topology.deviceSlot.has(asked.device) ? asked.device : ""
  const others = symptoms.filter((one) => one.kind !== kind.name || one.device !== device)
  return others.length > 0 && others.every(({ endedMs }) => endedMs !== null)
}
