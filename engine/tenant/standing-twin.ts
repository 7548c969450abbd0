/**
 * A LiveTwin that outlives its runtimes. The stream and the collectors hold it from the tenant's first start to its
 * last; while a runtime is being rebuilt it shows the last state of the old one and refuses inputs, and when the new one
 * is there every listener hears of a new epoch.
 */
import type { Incidents, Judgement, LiveTwin, RoundNotice } from "#engine/tenant/live-twin.ts"
import { makeRoundListeners } from "#engine/tenant/round-listeners.ts"
import type { TenantRuntime } from "#engine/tenant/runtime.ts"
import { RuntimeStopped } from "#engine/tenant/runtime.ts"

export interface StandingTwin {
  readonly twin: LiveTwin
  /** Of the attached runtime, else of the last; changes are refused while there is none. */
  readonly judgement: Judgement
  readonly incidents: Incidents
  readonly attach: (runtime: TenantRuntime) => void
  readonly detach: () => void
  /** The attached one; null between two lives. */
  readonly current: () => TenantRuntime | null
}

/** Begins with its first runtime: there is no twin to show before. */
export const makeStandingTwin = (first: TenantRuntime, onListenerThrew: (detail: string) => void): StandingTwin => {
  const listeners = makeRoundListeners(onListenerThrew)
  let shown = first
  let current: TenantRuntime | null = first
  let forget = (): void => undefined

  const listen = (runtime: TenantRuntime): void => {
    forget()
    forget = runtime.onRound(listeners.notify)
  }
  listen(first)

  const twin: LiveTwin = {
    tenant: first.tenant,
    epoch: () => shown.epoch(),
    seq: () => shown.seq(),
    inventory: () => shown.inventory(),
    columns: () => shown.columns(),
    counts: () => shown.counts(),
    recentEvents: () => shown.recentEvents(),
    view: (focus) => shown.view(focus),
    submit: (input, durable) => current !== null && current.submit(input, durable),
    setInventory: (rev, inventory) => current?.setInventory(rev, inventory) ?? rebuilding(),
    onRound: listeners.add,
    incident: (id) => shown.incident?.(id) ?? null,
    service: (id) => shown.service?.(id) ?? null,
  }
  const judgement: Judgement = {
    rules: () => shown.judgement.rules(),
    setRules: (rev, rules) => current?.judgement.setRules(rev, rules) ?? rebuilding(),
    silences: () => shown.judgement.silences(),
    setSilences: (rev, silences) => current?.judgement.setSilences(rev, silences) ?? rebuilding(),
    alerts: () => shown.judgement.alerts(),
    explain: (name) => shown.judgement.explain(name),
    receipt: (name) => shown.judgement.receipt(name),
    acknowledge: (name, by, untilMs) => current?.judgement.acknowledge(name, by, untilMs) ?? rebuilding(),
  }
  const incidents: Incidents = {
    list: () => shown.incidents.list(),
    act: (id, by, act) => current?.incidents.act(id, by, act) ?? rebuilding(),
    feedback: () => shown.incidents.feedback(),
  }
  return {
    twin,
    judgement,
    incidents,
    attach: (runtime) => {
      shown = runtime
      current = runtime
      listen(runtime)
      listeners.notify(newLife(runtime))
    },
    detach: () => {
      current = null
    },
    current: () => current,
  }
}

const rebuilding = (): Promise<never> =>
  Promise.reject(new RuntimeStopped({ detail: "the twin of this tenant is being rebuilt; try again soon" }))

/** All that a viewer knew may be different now: read the columns again. */
const newLife = (runtime: TenantRuntime): RoundNotice => {
  const { devices, links } = runtime.inventory()
  return {
    epoch: runtime.epoch(),
    seq: runtime.seq(),
    atMs: Math.max(0, ...runtime.recentEvents().map((event) => event.atMs)),
    nodes: devices.map((_, slot) => slot),
    links: links.map((_, slot) => slot),
    events: [],
    topologyChanged: true,
    touched: new Set<string>([...devices.map((device) => device.id), ...links.map((link) => link.id)]),
  }
}
