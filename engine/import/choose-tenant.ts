/** Which tenant an import is for: one rule for the running engine and for the command line beside a stopped one. */
import { nearest } from "#engine/nearest.ts"

/** Made by the first import or start when the system has no tenant yet. */
export const DEFAULT_TENANT = { slug: "main", name: "Main", demo: false } as const

export type TenantChoice =
  | { readonly use: string }
  /** There is no tenant at all: make this one. */
  | { readonly create: string }
  /** In words for the operator. */
  | { readonly refuse: string }

/** `asked` = --tenant, null when it was not given. */
export const chooseTenant = (asked: string | null, existing: readonly string[]): TenantChoice => {
  const list = existing.slice(0, 20).join(", ")
  if (existing.length === 0) return { create: asked ?? DEFAULT_TENANT.slug }
  if (asked === null) {
    const [only] = existing
    return existing.length === 1 && only !== undefined
      ? { use: only }
      : { refuse: `there are ${existing.length} tenants; say which one with --tenant (${list})` }
  }
  if (existing.includes(asked)) return { use: asked }
  const near = nearest(asked, existing)
  return {
    refuse: `there is no tenant ${JSON.stringify(asked)}; ${near === null ? `there are: ${list}` : `did you mean ${near}?`}`,
  }
}
