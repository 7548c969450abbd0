/**
 * The declared services and how they do, as the engine judged them. Read when somebody looks at them, anew when the stream
 * brings a `service.*` event, and slowly in case one was missed.
 */
import { effect, signal } from "@preact/signals"
import { call } from "#client/state/api.ts"
import type { Failure } from "#client/state/api.ts"
import { store } from "#client/state/app.ts"
import { session } from "#client/state/session.ts"
import type { JudgedService } from "#protocol/rest-generated.ts"
import type { ServiceHealth } from "#protocol/service.ts"

/** Worst first; null before the first answer. */
export const services = signal<readonly JudgedService[] | null>(null)
export const servicesFailure = signal<Failure | null>(null)

const RANK: Readonly<Record<ServiceHealth, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 }
export const healthOf = ({ condition }: JudgedService): ServiceHealth => condition?.health ?? "unknown"

export const worstFirst = (items: readonly JudgedService[]): readonly JudgedService[] =>
  [...items].sort((a, b) => RANK[healthOf(a)] - RANK[healthOf(b)] || a.name.localeCompare(b.name))

/** By name, as an incident names them; null = it is not declared (any more). */
export const serviceNamed = (name: string): JudgedService | null =>
  services.value?.find((service) => service.name === name) ?? null

let turn = 0
export const readServices = async (): Promise<void> => {
  const mine = ++turn
  const answer = await call("structure.services", {})
  if (mine !== turn) return
  servicesFailure.value = answer.ok ? null : answer
  if (answer.ok) services.value = worstFirst(answer.value.items)
}

const SAFETY_MS = 30_000
/** A storm of events is one reading. */
const BREATH_MS = 1_000

/** While a screen shows them; returns how to stop. */
export const followServices = (): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | null = null
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = null
      if (!document.hidden) void readServices()
    }, BREATH_MS)
  }
  const forget = effect(() => {
    if (session.value != null) void readServices()
    else services.value = null
  })
  const deaf = store.listen({
    replaced: soon,
    changed: () => {},
    happened: (events) => {
      if (events.some(({ type }) => type.startsWith("service."))) soon()
    },
  })
  const slow = setInterval(soon, SAFETY_MS)
  return () => {
    forget()
    deaf()
    clearInterval(slow)
    if (timer !== null) clearTimeout(timer)
  }
}
