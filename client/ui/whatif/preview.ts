/** The impact of the row that is pointed at: asked after a breath, given up when the pointer goes on, and kept for a while. */
import { useComputed, useSignal } from "@preact/signals"
import type { ReadonlySignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { callUntil } from "#client/state/api.ts"
import { twin } from "#client/state/app.ts"
import { formatFaults } from "#client/state/whatif-faults.ts"
import { NO_PICTURE, pictureOf } from "#client/state/whatif-picture.ts"
import type { Picture } from "#client/state/whatif-picture.ts"
import type { Fault, WhatIfAnswer } from "#protocol/rest-generated.ts"

const BREATH_MS = 140
/** Answers kept; the oldest leaves. They are of one moment: a list that is read again starts anew. */
const KEPT = 60

export interface Preview {
  /** The row's fault; null = none is pointed at. */
  readonly fault: Fault | null
  readonly point: (fault: Fault) => void
  readonly answer: WhatIfAnswer | null
  readonly picture: ReadonlySignal<Picture>
}

export const usePreview = (moment: number): Preview => {
  const fault = useSignal<Fault | null>(null)
  const answer = useSignal<WhatIfAnswer | null>(null)
  const kept = useRef(new Map<string, WhatIfAnswer>())
  const pending = useRef<{ timer: ReturnType<typeof setTimeout> | null; turn: AbortController }>({
    timer: null,
    turn: new AbortController(),
  })
  const stop = () => {
    if (pending.current.timer !== null) clearTimeout(pending.current.timer)
    pending.current.turn.abort()
  }
  useEffect(() => {
    kept.current.clear()
    return stop
  }, [moment])
  const ask = async (wanted: Fault, key: string) => {
    const turn = new AbortController()
    pending.current.turn = turn
    const told = await callUntil(turn.signal, "whatIf.ask", { body: { faults: [wanted] } })
    if (turn.signal.aborted || !told.ok) return
    kept.current.set(key, told.value)
    const oldest = kept.current.keys().next().value
    if (kept.current.size > KEPT && oldest !== undefined) kept.current.delete(oldest)
    answer.value = told.value
  }
  const point = (next: Fault) => {
    const key = formatFaults([next]) ?? ""
    if (fault.peek() !== null && formatFaults([fault.peek() as Fault]) === key) return
    stop()
    fault.value = next
    answer.value = kept.current.get(key) ?? null
    if (answer.peek() === null) pending.current.timer = setTimeout(() => void ask(next, key), BREATH_MS)
  }
  const picture = useComputed(() =>
    twin.value === null || fault.value === null ? NO_PICTURE : pictureOf([fault.value], answer.value, twin.value),
  )
  return { fault: fault.value, point, answer: answer.value, picture }
}
