/**
 * `heliograph tenant ...` on the engine's own socket: the machine's owner does what a platform administrator does, the
 * same way and with the same rows in an audit: that of the oldest tenant, which is the platform's own.
 */
import * as Effect from "effect/Effect"
import { Unavailable } from "#engine/api/ports.ts"
import type { Actor } from "#engine/audit/act.ts"
import type { Acting, Tenancy, TenantView } from "#engine/tenancy/tenancy.ts"
import { isTier } from "#protocol/quota.ts"

export interface LocalAnswer {
  readonly status: number
  readonly body: unknown
}
/** Null = not one of these commands. */
export type LocalTenants = (method: string, path: string, body: Buffer) => Promise<LocalAnswer | null>

const LOCAL: Actor = { kind: "local", id: "", name: "local", source: null }
/** More tenants than this are listed by the API, in pages. */
const LISTED_MAX = 10_000
/** As for tenants made by the API. */
const NEW_TIER = "small"

export const localTenants =
  (tenancy: Tenancy): LocalTenants =>
  async (method, path, body) => {
    const [, , slug, verb] = path.split("/")
    const given = readObject(body)
    if (given === null) return { status: 422, body: { detail: "the body is no JSON object" } }
    const act = actOf(tenancy, method, slug, verb, given)
    if (act === null) return null
    return Effect.runPromise(
      act.pipe(
        Effect.map((answer): LocalAnswer => ({ status: 200, body: answer })),
        Effect.catch((error) => Effect.succeed<LocalAnswer>(refusalOf(error))),
      ),
    )
  }

const actOf = (
  tenancy: Tenancy,
  method: string,
  slug: string | undefined,
  verb: string | undefined,
  given: Readonly<Record<string, unknown>>,
): Effect.Effect<unknown, { readonly _tag: string }> | null => {
  if (slug === undefined) {
    if (method === "GET") return Effect.map(all(tenancy), (tenants) => ({ tenants }))
    return method === "POST" ? create(tenancy, given) : null
  }
  if (method !== "POST") return null
  switch (verb) {
    case "suspend":
    case "resume":
      return acting(tenancy, (by) => tenancy.update(by, slug, { suspended: verb === "suspend" }, undefined))
    case "offboard":
      return Effect.map(
        acting(tenancy, (by) =>
          tenancy.offboard(by, slug, { confirm: textOf(given["confirm"]), reason: textOf(given["reason"]) }),
        ),
        (rows) => ({ rows }),
      )
    default:
      return null
  }
}

const create = (tenancy: Tenancy, given: Readonly<Record<string, unknown>>) => {
  const slug = textOf(given["slug"])
  const tier = textOf(given["tier"])
  const name = textOf(given["name"])
  const wanted = { slug, name: name === "" ? slug : name, tier: isTier(tier) ? tier : NEW_TIER, demo: false } as const
  return acting(tenancy, (by) => tenancy.create(by, wanted))
}

const all = (tenancy: Tenancy) => tenancy.list({ after: null, limit: LISTED_MAX })

const acting = <A, E>(tenancy: Tenancy, act: (by: Acting) => Effect.Effect<A, E>): Effect.Effect<A, E | Unavailable> =>
  Effect.gen(function* () {
    const home = oldest(yield* all(tenancy))
    if (home === null) return yield* new Unavailable({ detail: "there is no tenant yet: start the engine once" })
    return yield* act({ home: home.id, actor: LOCAL })
  })

const oldest = (tenants: readonly TenantView[]): TenantView | null =>
  tenants.toSorted((a, b) => a.createdMs - b.createdMs)[0] ?? null

const STATUS: Readonly<Record<string, number>> = { NotFound: 404, Unavailable: 503, Refused: 422, Conflict: 409 }

const refusalOf = (error: { readonly _tag: string; readonly detail?: unknown }): LocalAnswer => ({
  status: STATUS[error._tag] ?? 409,
  body: {
    detail:
      typeof error.detail === "string"
        ? error.detail
        : error._tag === "NotFound"
          ? "there is no such tenant"
          : error._tag,
  },
})

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** An empty body is an empty object. */
const readObject = (body: Buffer): Readonly<Record<string, unknown>> | null => {
  if (body.length === 0) return {}
  try {
    const value: unknown = JSON.parse(body.toString("utf8"))
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null
  } catch {
    return null
  }
}
