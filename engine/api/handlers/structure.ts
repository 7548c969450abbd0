/** Shared-risk groups, dependency groups, providers, services, and where sites are. What each edit does: engine/topology. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "#engine/api/contract.ts"
import type { ApiDeps } from "#engine/api/deps.ts"
import { editorOf, problemOf, tagged, type Why } from "#engine/api/handlers/inventory.ts"
import { overQuota } from "#engine/api/handlers/over-quota.ts"
import { unavailable } from "#engine/api/handlers/request.ts"
import { BadQuery } from "#engine/api/problems.ts"
import { Caller } from "#engine/api/signed-in.ts"
import { linkId, deviceId, siteId } from "#protocol/id.ts"
import type { EditError, Editor } from "#engine/inventory-api/inventory-api.ts"
import { areaOf, sitesIn } from "#engine/topology/sites-near.ts"

const NEAR_DEFAULT = 100

export const structure = (deps: ApiDeps) => {
  const store = deps.structure
  const as = <A, W extends Why>(whys: readonly W[], act: (who: Editor) => Effect.Effect<A, EditError>) =>
    Effect.flatMap(Caller, (caller) =>
      act(editorOf(caller)).pipe(
        Effect.catchTag("Unavailable", unavailable(deps)),
        Effect.catchTag("QuotaPassed", overQuota),
        Effect.catchTag("EditRefused", (error) => problemOf(whys, error)),
      ),
    )
  const items = <A>(rows: readonly A[]) => ({ items: rows })
  const CHANGING = ["refused", "changed"] as const
  const REMOVING = ["notFound", "refused"] as const

  return HttpApiBuilder.group(Api, "structure", (handlers) =>
    handlers
      .handle("srlgs", () =>
        Effect.map(
          as([], (who) => store.all(who, "srlg")),
          items,
        ),
      )
      .handle("srlg", ({ params }) =>
        Effect.flatMap(
          as(["notFound"], (who) => store.get(who, "srlg", params.id)),
          tagged,
        ),
      )
      .handle("putSrlg", ({ params, headers, payload }) => {
        const wanted = { ...payload, id: params.id, links: payload.links.map(linkId), sites: payload.sites.map(siteId) }
        return Effect.flatMap(
          as(CHANGING, (who) => store.put(who, "srlg", wanted, headers["if-match"])),
          tagged,
        )
      })
      .handle("removeSrlg", ({ params }) => Effect.asVoid(as(REMOVING, (who) => store.remove(who, "srlg", params.id))))
      .handle("dependencyGroups", () =>
        Effect.map(
          as([], (who) => store.all(who, "group")),
          items,
        ),
      )
      .handle("dependencyGroup", ({ params }) =>
        Effect.flatMap(
          as(["notFound"], (who) => store.get(who, "group", params.id)),
          tagged,
        ),
      )
      .handle("putDependencyGroup", ({ params, headers, payload }) => {
        const { devices, links, dependants } = payload
        const wanted = {
          ...payload,
          id: params.id,
          devices: devices.map(deviceId),
          links: links.map(linkId),
          dependants: dependants.map(deviceId),
        }
        return Effect.flatMap(
          as(CHANGING, (who) => store.put(who, "group", wanted, headers["if-match"])),
          tagged,
        )
      })
      .handle("removeDependencyGroup", ({ params }) =>
        Effect.asVoid(as(REMOVING, (who) => store.remove(who, "group", params.id))),
      )
      .handle("providers", () =>
        Effect.map(
          as([], (who) => store.all(who, "provider")),
          items,
        ),
      )
      .handle("provider", ({ params }) =>
        Effect.flatMap(
          as(["notFound"], (who) => store.get(who, "provider", params.id)),
          tagged,
        ),
      )
      .handle("putProvider", ({ params, headers, payload }) => {
        const { devices, links } = payload
        const wanted = { ...payload, id: params.id, devices: devices.map(deviceId), links: links.map(linkId) }
        return Effect.flatMap(
          as(CHANGING, (who) => store.put(who, "provider", wanted, headers["if-match"])),
          tagged,
        )
      })
      .handle("removeProvider", ({ params }) =>
        Effect.asVoid(as(REMOVING, (who) => store.remove(who, "provider", params.id))),
      )
      .handle("services", () =>
        Effect.gen(function* () {
          const { twin } = yield* Caller
          const declared = yield* as([], (who) => store.all(who, "service"))
          return items(declared.map((one) => ({ ...one, condition: twin.service?.(one.id) ?? null })))
        }),
      )
      .handle("service", ({ params }) =>
        Effect.gen(function* () {
          const { twin } = yield* Caller
          // The tag is that of what was declared: how a service does is no reason to refuse a change of it.
          const declared = yield* Effect.flatMap(
            as(["notFound"], (who) => store.get(who, "service", params.id)),
            tagged,
          )
          return { ...declared, condition: twin.service?.(params.id) ?? null }
        }),
      )
      .handle("putService", ({ params, headers, payload }) => {
        const { devices, links, sites } = payload
        const wanted = {
          ...payload,
          id: params.id,
          devices: devices.map(deviceId),
          links: links.map(linkId),
          sites: sites.map(siteId),
        }
        return Effect.flatMap(
          as(CHANGING, (who) => store.put(who, "service", wanted, headers["if-match"])),
          tagged,
        )
      })
      .handle("removeService", ({ params }) =>
        Effect.asVoid(as(REMOVING, (who) => store.remove(who, "service", params.id))),
      )
      .handle("sitesNear", ({ query }) =>
        Effect.gen(function* () {
          const { twin } = yield* Caller
          const area = areaOf(query)
          if (typeof area === "string") return yield* new BadQuery({ detail: area })
          const found = sitesIn(twin.inventory(), area)
          return { items: found.slice(0, query.limit ?? NEAR_DEFAULT), total: found.length }
        }),
      ),
  )
}
