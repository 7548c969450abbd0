/** In which databases a tenant has rows, for its removal: its own first, when it has one, then home, which lists every tenant. */
import type { RoutedDb } from "#engine/isolation/routed-db.ts"

/** Null = the tenant has a database of its own that is away. */
export const ownerUrlsOf = (home: string, db: Pick<RoutedDb, "own">, slug: string): readonly string[] | null => {
  const own = db.own.get(slug)
  if (own === undefined) return [home]
  const urls = own.state().kind === "open" ? own.urls() : null
  return urls === null ? null : [urls.ownerUrl, home]
}
