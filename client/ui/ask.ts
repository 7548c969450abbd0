/** Asking the engine from a screen: `useAsk` reads and keeps the newest answer, `useAct` does one thing at a time. */
import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { Answer, Failure } from "#client/state/api.ts"
import { problemText } from "#client/ui/problem-text.ts"

export interface Asked<T> {
  /** The newest good answer; it stays on the screen while a later one is on its way or failed. */
  readonly value: T | null
  readonly etag: string | null
  readonly problem: string | null
  readonly busy: boolean
  readonly reload: () => Promise<void>
}

/** Asks when first drawn and whenever `about` changes; an answer to an older question is thrown away. */
export const useAsk = <T>(ask: () => Promise<Answer<T>>, about = ""): Asked<T> => {
  const state = useSignal<{ value: T | null; etag: string | null; failure: Failure | null; busy: boolean }>({
    value: null,
    etag: null,
    failure: null,
    busy: true,
  })
  const turn = useRef(0)
  const reload = async () => {
    const mine = ++turn.current
    state.value = { ...state.peek(), busy: true }
    const answer = await ask()
    if (mine !== turn.current) return
    state.value = answer.ok
      ? { value: answer.value, etag: answer.etag, failure: null, busy: false }
      : { ...state.peek(), failure: answer, busy: false }
  }
  useEffect(() => {
    void reload()
    return () => {
      turn.current++
    }
  }, [about])
  const { value, etag, failure, busy } = state.value
  return { value, etag, problem: failure === null ? null : problemText(failure), busy, reload }
}

export interface Act {
  readonly busy: boolean
  readonly problem: string | null
  readonly failure: Failure | null
  readonly clear: () => void
  /** True when it was done. A second call while one runs does nothing: a double click is one act. */
  readonly run: <T>(ask: () => Promise<Answer<T>>, done?: (value: T) => void | Promise<void>) => Promise<boolean>
}

export const useAct = (): Act => {
  const busy = useSignal(false)
  const failure = useSignal<Failure | null>(null)
  return {
    busy: busy.value,
    failure: failure.value,
    problem: failure.value === null ? null : problemText(failure.value),
    clear: () => {
      failure.value = null
    },
    run: async (ask, done) => {
      if (busy.peek()) return false
      busy.value = true
      const answer = await ask()
      busy.value = false
      failure.value = answer.ok ? null : answer
      if (answer.ok) await done?.(answer.value)
      return answer.ok
    },
  }
}
