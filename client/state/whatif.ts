/**
 * The simulation's question and its newest answer. The faults stand in the address; a change of them is asked after a
 * breath, and cancels the question before it. Nothing here changes the network.
 */
import { computed, effect, signal } from "@preact/signals"
import { callUntil } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { twin } from "#client/state/app.ts"
import { go, route } from "#client/state/route.ts"
import { may, session } from "#client/state/session.ts"
import { formatFaults, parseFaults } from "#client/state/whatif-faults.ts"
import { NO_PICTURE, pictureOf } from "#client/state/whatif-picture.ts"
import type { Fault, WhatIfAnswer } from "#protocol/rest-generated.ts"

/** Several clicks are one question. */
const BREATH_MS = 200

export const faultText = computed(() => (route.value.screen === "whatif" ? route.value.item : null))
export const faults = computed(() => parseFaults(faultText.value))
/** What a click on a link means. */
export const linkMode = signal<"link" | "drain">("link")

/** Of the network that is asked about, Unix ms; null = now. Not in the address: what is sent to somebody is asked of now. */
export const moment = signal<number | null>(null)
/** What the newest answer must be of. */
const question = computed(() => (faultText.value === null ? null : `${moment.value ?? "now"} ${faultText.value}`))

interface Asked {
  /** The question that `answer` is of; null = none. */
  readonly text: string | null
  readonly answer: WhatIfAnswer | null
  readonly failure: Failure | null
  readonly busy: boolean
}
const NOTHING: Asked = { text: null, answer: null, failure: null, busy: false }
export const asked = signal<Asked>(NOTHING)

/** The answer to the faults of now; null while an older one, or none, is all that there is. */
export const answer = computed(() => (asked.value.text === question.value ? asked.value.answer : null))
export const picture = computed(() =>
  twin.value === null ? NO_PICTURE : pictureOf(faults.value, answer.value, twin.value),
)

export const setFaults = (next: readonly Fault[], replace = false): void => {
  go({ screen: "whatif", tab: null, item: formatFaults(next), selection: null }, replace)
}
/** Out of the simulation: the map as it is. */
export const leaveSimulation = (): void => go({ screen: "map", tab: null, item: null, selection: null })

let turn = new AbortController()
export const askNow = async (): Promise<void> => {
  turn.abort()
  const text = question.peek()
  const wanted = faults.peek()
  if (text === null || wanted.length === 0 || !may("whatif.run")) {
    asked.value = NOTHING
    return
  }
  const mine = new AbortController()
  turn = mine
  asked.value = { ...asked.peek(), busy: true, failure: null }
  const atMs = moment.peek()
  const body = { faults: wanted, ...(atMs === null ? {} : { atMs }) }
  const told = await callUntil(mine.signal, "whatIf.ask", { body })
  if (mine.signal.aborted) return
  asked.value = told.ok
    ? { text, answer: told.value, failure: null, busy: false }
    : { text, answer: null, failure: told, busy: false }
}

/** While the screen is open: asks whenever the faults change. Answers how to end it. */
export const followFaults = (): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | null = null
  const end = effect(() => {
    void question.value
    if (session.value == null) return
    if (timer !== null) clearTimeout(timer)
    turn.abort()
    if (asked.peek().text !== question.peek()) asked.value = { ...asked.peek(), busy: faults.peek().length > 0 }
    timer = setTimeout(() => void askNow(), BREATH_MS)
  })
  return () => {
    end()
    if (timer !== null) clearTimeout(timer)
    turn.abort()
    asked.value = NOTHING
    moment.value = null
  }
}
