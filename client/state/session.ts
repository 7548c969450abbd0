/**
 * Who is signed in, and what they may do: the engine's own list (protocol/permission.ts) decides what a screen offers.
 * Hiding is a courtesy; the engine refuses on its own.
 */
import { computed, signal } from "@preact/signals"
import type { Permission } from "#protocol/permission.ts"
import type { Session } from "#protocol/rest-generated.ts"

/** undefined = not asked yet, null = nobody is signed in. */
export const session = signal<Session | null | undefined>(undefined)
export const sessionEnded = signal(false)

const held = computed(() => new Set<string>(session.value?.permissions ?? []))
export const may = (permission: Permission): boolean => held.value.has(permission)
export const mayAny = (permissions: readonly Permission[]): boolean => permissions.some(may)

/** A role asks for the second factor and this user has none yet: nothing else is open until they do. */
export const mustEnrol = computed(() => {
  const second = session.value?.secondFactor
  return second !== undefined && second.required && !second.enabled
})
