/** The room's map: the live network with the reach of this incident over it. It moves nobody's other map. */
import { effect, useSignal } from "@preact/signals"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { makeLiveMap } from "#client/map/live-map.ts"
import type { LiveMap } from "#client/map/live-map.ts"
import { BASEMAP } from "#client/state/api.ts"
import { frozen, store } from "#client/state/app.ts"
import { extentOf } from "#client/state/blast.ts"
import type { Blast } from "#client/state/blast.ts"
import { go } from "#client/state/route.ts"
import { theme } from "#client/state/settings.ts"
import { testHook } from "#client/state/test-hook.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { BlastLayer } from "#client/ui/incidents/blast-layer.tsx"

/** From here on single devices of a site stand apart. */
const BLAST_ZOOM = 8
const AROUND_PX = 56

export const BlastMap = ({ blast, state, id }: { blast: Blast; state: TwinState; id: string }) => {
  const host = useRef<HTMLDivElement>(null)
  const live = useSignal<LiveMap | null>(null)
  const looks = useSignal(0)
  const failed = useSignal<"noWebgl" | "basemapFailed" | null>(null)
  useEffect(() => {
    const container = host.current
    if (container === null) return
    const map = makeLiveMap({
      container,
      store,
      basemap: BASEMAP,
      camera: { longitude: -52, latitude: -15, zoom: 3.4 },
      language: language.peek(),
      title: t("incident.map"),
      frozen,
      still: true,
      textWidth: (text) => text.length * 8,
      taken: () => [],
      events: {
        picked: (picked) => {
          const slots = store.state()
          const device = picked?.kind === "node" ? slots?.nodes.id[picked.slot] : undefined
          const link = picked?.kind === "link" ? slots?.links.id[picked.slot] : undefined
          if (device !== undefined) go({ screen: "map", item: id, selection: { kind: "device", id: device } })
          else if (link !== undefined) go({ screen: "map", item: id, selection: { kind: "link", id: link } })
        },
        hovered: () => {},
        moved: () => {},
        labelled: () => {},
        credited: () => {},
        looked: () => (looks.value = looks.peek() + 1),
        basemapFailed: () => (failed.value = "basemapFailed"),
        flowStopped: () => {},
      },
    })
    if (map === null) {
      failed.value = "noWebgl"
      return
    }
    live.value = map
    testHook.ready = () => map.ready()
    let made = ""
    const stop = effect(() => {
      const look = `${theme.value} ${language.value}`
      if (made !== "" && made !== look) requestAnimationFrame(() => map.restyle(language.peek()))
      made = look
    })
    return () => {
      stop()
      testHook.ready = () => false
      live.value = null
      map.destroy()
    }
  }, [])
  const extent = useMemo(() => extentOf(blast, state), [blast, state.nodes.id])
  useEffect(() => live.value?.frame(extent, BLAST_ZOOM, AROUND_PX), [live.value, extent.join(",")])
  return (
    <div class="blast-map">
      <div ref={host} class="map" />
      {live.value !== null && (
        <BlastLayer map={live.value} blast={blast} state={state} looks={looks.value} theme={theme.value} />
      )}
      {failed.value !== null && (
        <p class="map-notice panel" role="status">
          {t(`map.${failed.value}`)}
        </p>
      )}
    </div>
  )
}
