/** In which databases a tenant has rows: its own, when it has one, and home, which lists every tenant. */
import type { RoutedDb } from "#engine/isolation/routed-db.ts"

/** For its removal; its own first. Null = the tenant has a database of its own that is away. */
export const ownerUrlsOf = (home: string, db: Pick<RoutedDb, "own">, slug: string): readonly string[] | null => {
  const own = db.own.get(slug)
  if (own === undefined) return [home]
  const urls = own.state().kind === "open" ? own.urls() : null
  return urls === null ? null : [urls.ownerUrl, home]
}

/** Null = the tenant's own database is away. */
export const appUrlOf = (home: string, db: RoutedDb, slug: string): string | null => {
  const own = db.own.get(slug)
  return own === undefined ? home : (own.urls()?.appUrl ?? null)
}
