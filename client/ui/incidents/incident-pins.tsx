/** Open incidents on the map: a pin at the site of the cause, with a count where there are several. Real buttons, above the marks. */
import { headline } from "#client/i18n/said.ts"
import { t, tCount } from "#client/i18n/translate.ts"
import type { Rect } from "#client/map/labels.ts"
import type { LiveMap } from "#client/map/live-map.ts"
import { shownReplay, twin } from "#client/state/app.ts"
import { siteOfMember } from "#client/state/blast.ts"
import { triageOrder } from "#client/state/incident-list.ts"
import { incidents } from "#client/state/incidents.ts"
import { go } from "#client/state/route.ts"
import { IncidentMark } from "#client/ui/incidents/incident-mark.tsx"
import { markOfIncident } from "#client/ui/incidents/words.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import type { IncidentRow } from "#protocol/incident.ts"

/** The worst; the list has all. */
const PINS = 60
const LIFT_PX = 36
const SIZE_PX = 26

interface Pin {
  readonly site: number
  /** Worst first. */
  readonly rows: readonly IncidentRow[]
}
const pinsOf = (rows: readonly IncidentRow[], state: TwinState): readonly Pin[] => {
  const bySite = new Map<number, IncidentRow[]>()
  for (const row of [...rows].sort(triageOrder)) {
    if (row.state === "closed") continue
    const sites = new Set((row.cause?.members ?? []).flatMap((member) => siteOfMember(member, state) ?? []))
    for (const site of sites) bySite.set(site, [...(bySite.get(site) ?? []), row])
  }
  return [...bySite].slice(0, PINS).map(([site, here]) => ({ site, rows: here }))
}

const placeOf = (map: LiveMap, state: TwinState, site: number): { left: number; top: number } => {
  const { x, y } = map.project(state.sites.longitude[site] as number, state.sites.latitude[site] as number)
  return { left: Math.round(x - SIZE_PX / 2), top: Math.round(y - LIFT_PX - SIZE_PX / 2) }
}

/** Pixels of the map that pins take: a name under one could neither be read nor pressed. */
export const pinRects = (map: LiveMap): readonly Rect[] => {
  const state = twin.value
  if (state === null || shownReplay.value !== null) return []
  return pinsOf(incidents.value ?? [], state).map(({ site }) => {
    const { left, top } = placeOf(map, state, site)
    return { left, top, right: left + SIZE_PX, bottom: top + SIZE_PX }
  })
}

/** `looks` changes whenever the map has moved. */
export const IncidentPins = ({ map, looks, chosen }: { map: LiveMap; looks: number; chosen: string | null }) => {
  const state = twin.value
  void looks
  if (state === null || shownReplay.value !== null) return null
  return (
    <>
      {pinsOf(incidents.value ?? [], state).map(({ site, rows }) => (
        <Pin key={site} map={map} state={state} site={site} rows={rows} open={rows.some(({ id }) => id === chosen)} />
      ))}
    </>
  )
}

const Pin = (props: Pin & { map: LiveMap; state: TwinState; open: boolean }) => {
  const { map, state, site, rows, open } = props
  const worst = rows[0] as IncidentRow
  const { left, top } = placeOf(map, state, site)
  if (left < -SIZE_PX || top < -SIZE_PX || left > innerWidth || top > innerHeight) return null
  const label = `${tCount("incidents.open", rows.length)}: ${headline(worst.title)}`
  return (
    <button
      type="button"
      class={`incident-pin pin-${markOfIncident(worst)} ${open ? "open" : ""}`}
      style={{ transform: `translate(${left}px, ${top}px)` }}
      aria-label={label}
      title={`${label}\n${t("incident.pin")}`}
      data-site={state.sites.id[site]}
      onClick={() => go({ item: worst.id, selection: null })}
    >
      {rows.length > 1 ? <b class="num">{rows.length}</b> : <IncidentMark row={worst} size={13} />}
    </button>
  )
}
