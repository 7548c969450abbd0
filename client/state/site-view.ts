/** "Take me to this site": set by the search, followed by the map. `at` makes the same wish twice a new one. */
import { signal } from "@preact/signals"

export interface SiteWish {
  readonly slot: number
  readonly at: number
}
export const siteView = signal<SiteWish | null>(null)
