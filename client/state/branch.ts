/**
 * A branch of the moment that a replay shows: opened, told which faults hold, looked at and left. What it comes to is read
 * anew whenever it stands elsewhere; the frames of the stream show the branch as long as there is one.
 */
import { computed, effect, signal } from "@preact/signals"
import { call } from "#client/state/api.ts"
import type { Answer } from "#client/state/api.ts"
import { refused, replay, stands } from "#client/state/replay.ts"
import { keyOf } from "#client/state/whatif-faults.ts"
import type { Fault, Incident, Replay } from "#protocol/rest-generated.ts"

/** Between two looks at a branch that goes on. */
const LOOK_MS = 1_000
/** As the API takes them (engine/api/groups/replays.ts). */
export const BRANCH_FAULTS_MAX = 50

/** Null = what is shown is the past. */
export const branch = computed(() => replay.value?.branch ?? null)
/** Of the branch as it was last looked at, newest first. */
export const branchIncidents = signal<readonly Incident[]>([])
/** How much was decided in it; as many as are told at most. */
export const branchEvents = signal(0)

export const branchHere = (): Promise<void> => told((id) => call("replays.branch", { params: { id }, body: {} }))

export const leaveBranch = (): Promise<void> => told((id) => call("replays.leave", { params: { id } }))

export const holdsFaults = (wanted: readonly Fault[]): boolean => {
  const held = new Set(branch.value?.faults.map(keyOf))
  return wanted.length > 0 && wanted.every((fault) => held.has(keyOf(fault)))
}

/** Those that hold are mended, else they begin; from the moment on that is shown. */
export const toggleFaults = (wanted: readonly Fault[]): Promise<void> => {
  const held = branch.peek()?.faults ?? []
  const named = new Set(wanted.map(keyOf))
  const others = held.filter((fault) => !named.has(keyOf(fault)))
  const faults = holdsFaults(wanted) ? others : [...others, ...wanted].slice(-BRANCH_FAULTS_MAX)
  return told((id) => call("replays.hear", { params: { id }, body: { faults } }))
}

const told = async (ask: (id: string) => Promise<Answer<Replay>>): Promise<void> => {
  const id = replay.peek()?.id
  if (id === undefined) return
  const answer = await ask(id)
  if (replay.peek()?.id !== id) return
  refused.value = answer.ok ? null : answer
  if (answer.ok) stands(answer.value)
}

const look = async (id: string): Promise<void> => {
  const answer = await call("replays.look", { params: { id } })
  if (!answer.ok || replay.peek()?.id !== id || branch.peek() === null) return
  branchIncidents.value = answer.value.incidents
  branchEvents.value = answer.value.events.length
}

/** While the replay's screen is open. Answers how to end it. */
export const followBranch = (): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | null = null
  let lookedAt = ""
  const end = effect(() => {
    const now = replay.value
    if (now === null || now.branch === null) {
      branchIncidents.value = []
      branchEvents.value = 0
      lookedAt = ""
      return
    }
    const place = JSON.stringify([now.id, now.atMs, now.seq, now.branch])
    if (place === lookedAt || timer !== null) return
    const first = lookedAt === ""
    lookedAt = place
    timer = setTimeout(
      () => {
        timer = null
        const newest = replay.peek()
        if (newest?.branch == null) return
        lookedAt = JSON.stringify([newest.id, newest.atMs, newest.seq, newest.branch])
        void look(newest.id)
      },
      first ? 0 : LOOK_MS,
    )
  })
  return () => {
    end()
    if (timer !== null) clearTimeout(timer)
  }
}
