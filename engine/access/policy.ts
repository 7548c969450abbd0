/**
 * The rule of one way in. Every route, stream command, file and CLI command has exactly one (entries.ts); what has none
 * does not compile.
 */
import type { Principal } from "#engine/access/principal.ts"
import type { Permission } from "#protocol/permission.ts"

export type Policy =
  /** Nobody needs to be signed in. */
  | { readonly kind: "public" }
  /** Whoever is signed in, even while a second factor is still to be set up; only for the person's own matters. */
  | { readonly kind: "self" }
  | { readonly kind: "needs"; readonly permission: Permission }
  /** The local machine's owner of the data directory (CLI, unix socket). */
  | { readonly kind: "local" }

export const PUBLIC: Policy = { kind: "public" }
export const SELF: Policy = { kind: "self" }
export const LOCAL: Policy = { kind: "local" }
export const needs = (permission: Permission): Policy => ({ kind: "needs", permission })

/** Null = allowed. The words are for the person who is refused. */
export const refusedBy = (policy: Policy, principal: Principal): string | null => {
  switch (policy.kind) {
    case "public":
    case "self":
      return null
    case "local":
      return "only on the machine itself"
    case "needs":
      if (principal.secondFactor === "enrol") return "set up the second factor first (account)"
      return principal.permissions.has(policy.permission) ? null : `needs the permission ${policy.permission}`
  }
}
