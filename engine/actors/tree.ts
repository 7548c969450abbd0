/**
 * The supervision tree at work: starts children in order, stops them in reverse, and does what supervisor.ts decides
 * when one ends. Supervisors are plain objects: every decision is made synchronously on the stack of the crash, so that
 * an immediate restart does not hold up a round.
 */
import type { LifeNotice } from "#engine/actors/actor.ts"
import type { AnyCell, CellHost, CellParent, Ending } from "#engine/actors/cell.ts"
import { errorLine } from "#engine/actors/dead-letters.ts"
import type { CrashRecord, SupervisorSpec } from "#engine/actors/supervisor.ts"
import { NO_CRASHES, onCrash, restartSet, wantsRestart } from "#engine/actors/supervisor.ts"
import type { Timer } from "#engine/actors/timers.ts"

/** A child that has not ended this long after it was stopped is left behind, and counted as stuck. */
export const STOP_DEADLINE_MS = 5_000

/** Least pause after an init that failed. */
export const START_RETRY_MS = 10

export interface TreeHost extends CellHost {
  readonly dice: () => number
  readonly notice: (notice: LifeNotice) => void
  /** The root gave up: nothing runs any more. */
  readonly failed: (error: unknown) => void
}

export type TreeNode = AnyCell | SupervisorNode

export class SupervisorNode implements CellParent {
  readonly id: string
  readonly spec: SupervisorSpec
  readonly parent: SupervisorNode | null
  readonly type = "supervisor"
  /** In the order of their start. */
  readonly #children = new Map<TreeNode, ChildRecord>()
  readonly #host: TreeHost
  #record: CrashRecord = NO_CRASHES
  /** waiting: between a failure of a supervisor above and its restart. */
  #status: "running" | "failed" | "waiting" | "stopped" = "running"

  constructor(id: string, spec: SupervisorSpec, parent: SupervisorNode | null, host: TreeHost) {
    this.id = id
    this.spec = spec
    this.parent = parent
    this.#host = host
  }

  isRunning(): boolean {
    return this.#status === "running"
  }
  children(): readonly TreeNode[] {
    return [...this.#children.keys()]
  }

  /** Takes a child in and starts it; later, with its siblings, when this supervisor waits for its own restart. */
  add(child: TreeNode): void {
    if (this.#status === "stopped") return halt(child, "stopped", () => undefined)
    this.#children.set(child, { crashes: NO_CRASHES, ticket: 0, release: null })
    if (this.#status === "running") launch(child, "first")
  }

  /** Stops a child for good; `gone` is called when it has ended. */
  remove(child: TreeNode, gone: () => void): void {
    const record = this.#children.get(child)
    if (record === undefined) return gone()
    this.#children.delete(child)
    record.ticket = -1
    record.release?.cancel()
    haltInTurn([child], "stopped", this.#host, gone)
  }

  /** Starts all children anew: a supervisor that was restarted has a clean record. */
  launch(): void {
    this.#status = "running"
    this.#record = NO_CRASHES
    for (const [child, record] of this.#children) {
      record.crashes = NO_CRASHES
      record.ticket++
      launch(child, "init")
    }
  }

  halt(status: "waiting" | "stopped", halted: () => void): void {
    this.#status = status
    for (const record of this.#children.values()) record.ticket++
    haltInTurn([...this.#children.keys()], status, this.#host, halted)
  }

  childEnded(child: TreeNode, ending: Ending): void {
    const record = this.#children.get(child)
    if (record === undefined || this.#status !== "running") return
    const { crash } = ending
    if (crash !== null) {
      if (child.type !== "supervisor") (child as AnyCell).stats.crashes++
      this.#notice(child, "crashed", errorLine(crash.error), null)
    }
    const restart = child instanceof SupervisorNode ? "permanent" : child.spec.restart
    if (!wantsRestart(restart, crash !== null)) {
      if (restart === "temporary") this.#children.delete(child)
      halt(child, "stopped", () => undefined)
      return
    }
    this.#decide(child, record, ending)
  }

  #decide(child: TreeNode, record: ChildRecord, ending: Ending): void {
    const perChild = this.spec.tooMany !== "escalate"
    const known = perChild ? record.crashes : this.#record
    const verdict = onCrash(this.spec, known, this.#host.nowMs(), this.#host.dice())
    if (perChild) record.crashes = verdict.record
    else this.#record = verdict.record
    switch (verdict.kind) {
      case "restart":
        return this.#restart(child, record, Math.max(verdict.delayMs, pauseAfter(ending)))
      case "quarantine":
        return this.#quarantine(child, record, verdict.delayMs)
      case "report":
        this.#announceQuarantine(child, verdict.delayMs)
        record.release?.cancel()
        record.release = this.#host.timers.after(verdict.delayMs, () => this.#notice(child, "released", "", null))
        return this.#restart(child, record, pauseAfter(ending))
      case "escalate":
        return this.#escalate(child, ending)
    }
  }

  /** Stops whom the strategy names beside the child, then starts all of them in order, after the delay. */
  #restart(child: TreeNode, record: ChildRecord, delayMs: number): void {
    const group = this.spec.strategy === "one_for_one" ? [child] : this.#group(child)
    const others = group.filter((node) => node !== child)
    const tickets = group.map((node) => {
      const theirs = node === child ? record : (this.#children.get(node) as ChildRecord)
      return { node, record: theirs, ticket: ++theirs.ticket }
    })
    const start = (): void => {
      for (const { node, record: theirs, ticket } of tickets) {
        // A later restart, a stop or a removal has taken this one's place.
        if (this.#status !== "running" || theirs.ticket !== ticket) continue
        this.#notice(node, "restarted", "", null)
        if (!(node instanceof SupervisorNode)) node.stats.restarts++
        launch(node, node === child ? "own" : "init")
      }
    }
    haltInTurn(others, "waiting", this.#host, () => {
      if (delayMs === 0) start()
      else this.#host.timers.after(delayMs, start)
    })
  }

  #group(child: TreeNode): readonly TreeNode[] {
    const all = this.children()
    const [from, to] = restartSet(this.spec.strategy, all.indexOf(child), all.length)
    return all.slice(from, to)
  }

  #quarantine(child: TreeNode, record: ChildRecord, delayMs: number): void {
    this.#announceQuarantine(child, delayMs)
    const ticket = ++record.ticket
    halt(child, child instanceof SupervisorNode ? "waiting" : "quarantined", () => undefined)
    this.#host.timers.after(delayMs, () => {
      if (this.#status !== "running" || record.ticket !== ticket) return
      this.#notice(child, "released", "", null)
      if (!(child instanceof SupervisorNode)) child.stats.restarts++
      launch(child, "own")
    })
  }

  #escalate(child: TreeNode, { crash, hadBegun }: Ending): void {
    this.#status = "failed"
    this.#notice(child, "escalated", crash === null ? "ended too often" : errorLine(crash.error), null)
    for (const record of this.#children.values()) record.ticket++
    const error = new Error(`supervisor ${this.id} gave up: too many restarts`, { cause: crash?.error })
    haltInTurn(this.children(), this.parent === null ? "stopped" : "waiting", this.#host, () => {
      if (this.#status !== "failed") return
      if (this.parent !== null) return this.parent.childEnded(this, { crash: { error }, hadBegun })
      this.#notice(this, "failed", errorLine(error), null)
      this.#host.failed(error)
    })
  }

  #announceQuarantine(child: TreeNode, delayMs: number): void {
    if (!(child instanceof SupervisorNode)) child.stats.quarantines++
    const untilMs = this.#host.nowMs() + delayMs
    this.#notice(child, "quarantined", `more than ${this.spec.intensity} crashes in ${this.spec.periodMs} ms`, untilMs)
  }

  #notice(node: TreeNode, kind: LifeNotice["kind"], detail: string, untilMs: number | null): void {
    this.#host.notice({ kind, id: node.id, type: node.type, atMs: this.#host.nowMs(), detail, untilMs })
  }
}

interface ChildRecord {
  crashes: CrashRecord
  /** Number of the newest planned start: older plans see another number and do nothing. */
  ticket: number
  /** Announces the end of a reported quarantine. */
  release: Timer | null
}

/** `first`: a state given at spawning is used as it is. `own`: as the actor's restartFrom says. */
const launch = (node: TreeNode, from: "first" | "own" | "init"): void => {
  if (node instanceof SupervisorNode) return node.launch()
  node.readmit()
  node.launch(from === "init" || (from === "own" && node.spec.restartFrom === "init") ? "init" : "lastGood")
}

const halt = (node: TreeNode, status: "waiting" | "quarantined" | "stopped", halted: () => void): void => {
  if (node instanceof SupervisorNode) node.halt(status === "stopped" ? "stopped" : "waiting", halted)
  else node.halt(status, halted)
}

/** An immediate restart of what cannot even start would fail again on the same stack, without end. */
const pauseAfter = (ending: Ending): number => (ending.hadBegun ? 0 : START_RETRY_MS)

/** Stops nodes in reverse order, each after the one before has ended; a stuck one is left behind at its deadline. */
const haltInTurn = (
  nodes: readonly TreeNode[],
  status: "waiting" | "stopped",
  host: TreeHost,
  done: () => void,
): void => {
  let next = nodes.length - 1
  const proceed = (): void => {
    while (next >= 0) {
      const node = nodes[next--] as TreeNode
      if (!endsAtOnce(node, status, host, proceed)) return
    }
    done()
  }
  proceed()
}

/** True when the node has ended already; else `later` is called once, when it has ended or its deadline has passed. */
const endsAtOnce = (node: TreeNode, status: "waiting" | "stopped", host: TreeHost, later: () => void): boolean => {
  let ended = false
  let proceed: (() => void) | null = null
  halt(node, status, () => {
    ended = true
    proceed?.()
  })
  if (ended) return true
  const deadline = host.timers.after(STOP_DEADLINE_MS, () => {
    proceed = null
    if (!(node instanceof SupervisorNode)) node.stats.stuck++
    later()
  })
  proceed = () => {
    proceed = null
    deadline.cancel()
    later()
  }
  return false
}
