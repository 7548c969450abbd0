/** Every route of the API as data: method, path and the ids in it, read from the contract itself, so that none is forgotten. */
import { Api } from "#engine/api/contract.ts"
import type { RouteName } from "#engine/access/entries.ts"

export interface Route {
  readonly name: RouteName
  readonly method: string
  /** `/api/v1/devices/:id` */
  readonly path: string
  /** Names of the ids in the path. */
  readonly params: readonly string[]
}

export const ALL_ROUTES: readonly Route[] = Object.entries(Api.groups).flatMap(([group, { endpoints }]) =>
  Object.entries(endpoints as Readonly<Record<string, { readonly method: string; readonly path: string }>>).map(
    ([name, { method, path }]) => ({
      name: `${group}.${name}` as RouteName,
      method,
      path,
      params: [...path.matchAll(/:(\w+)/g)].map(([, param]) => param!),
    }),
  ),
)

export const ROUTES_BY_ID: readonly Route[] = ALL_ROUTES.filter(({ params }) => params.length > 0)

/** The path with its ids in place. */
export const pathOf = ({ path }: Route, id: (param: string) => string): string =>
  path.replaceAll(/:(\w+)/g, (_, param: string) => encodeURIComponent(id(param)))
