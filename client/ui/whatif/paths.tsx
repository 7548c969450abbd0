/** From one device to another: the shortest ways with their costs, each drawn on the map, and how many share nothing. */
import { useSignal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { useMemo } from "preact/hooks"
import { capital } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { twin } from "#client/state/app.ts"
import { go, route } from "#client/state/route.ts"
import { search } from "#client/state/search.ts"
import type { TwinState } from "#client/state/twin-store.ts"
import { drawnPath, formatEnds, parseEnds } from "#client/state/whatif-paths.ts"
import type { Ends } from "#client/state/whatif-paths.ts"
import { useAsk } from "#client/ui/ask.ts"
import { Combobox } from "#client/ui/combobox.tsx"
import { formatNumber } from "#client/ui/format.ts"
import { Said } from "#client/ui/said.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { OverMap } from "#client/ui/whatif/over-map.tsx"
import { paintPaths } from "#client/ui/whatif/paint-paths.ts"
import type { Paths } from "#protocol/rest-generated.ts"

/** Ways that are asked for. */
const WAYS = 5

const nameOf = (id: string): string => {
  const state = twin.value
  return state?.nodes.name[state.nodeById.get(id) ?? -1] ?? id
}
const setEnds = (ends: Ends): void => go({ screen: "whatif", tab: "paths", item: formatEnds(ends), selection: null })

export const PathsTab = () => {
  const ends = parseEnds(route.value.item)
  const { from, to } = ends
  return (
    <div class="beside" data-testid="paths">
      {from === null || to === null || from === to ? (
        <Frame ends={ends} paths={[]} shown={0}>
          <p class="quiet pad">{t(from !== null && from === to ? "paths.same" : "paths.choose")}</p>
        </Frame>
      ) : (
        <Between key={`${from} ${to}`} ends={ends} from={from} to={to} />
      )}
    </div>
  )
}

const Between = ({ ends, from, to }: { ends: Ends; from: string; to: string }) => {
  const asked = useAsk(() => call("whatIf.paths", { query: { from, to, k: WAYS } }))
  const shown = useSignal(0)
  return (
    <Frame ends={ends} paths={asked.value?.paths ?? []} shown={shown.value}>
      <Loaded asked={asked}>
        {({ paths, why }) => (
          <>
            <p class="notice" role="status">
              <Said text={why} show={capital} />
            </p>
            <ol class="sim-rows" aria-label={t("paths.title")}>
              {paths.map((path, at) => (
                <li key={at}>
                  <button
                    type="button"
                    class="text-button"
                    aria-pressed={shown.value === at}
                    onClick={() => (shown.value = at)}
                  >
                    <b class="num">{t("paths.cost", { cost: formatNumber(language.value, path.cost) })}</b>{" "}
                    {path.devices.map(({ name }) => name).join(" → ")}
                  </button>
                </li>
              ))}
            </ol>
          </>
        )}
      </Loaded>
    </Frame>
  )
}

interface FrameProps {
  readonly ends: Ends
  readonly paths: Paths["paths"]
  /** Which of them is in front. */
  readonly shown: number
  readonly children: ComponentChildren
}
const Frame = ({ ends, paths, shown, children }: FrameProps) => {
  const state = twin.value
  const drawn = state === null ? [] : paths.map((path) => drawnPath(path, state))
  const paint = useMemo(() => paintPaths(drawn, shown), [paths, shown, state === null])
  return (
    <>
      <div class="beside-list">
        <header class="screen-head">
          <h1>{t("paths.title")}</h1>
          <div class="path-ends">
            <Pick ends={ends} end="from" />
            <Pick ends={ends} end="to" />
          </div>
        </header>
        {children}
      </div>
      <div class="beside-map">
        <OverMap
          label={t("whatif.map.label")}
          paint={paint}
          veiled={paths.length > 0}
          extent={[...new Set(drawn.flatMap(({ nodes }) => nodes))]}
          extentKey={`${formatEnds(ends) ?? ""} ${paths.length}`}
          pick={null}
        />
      </div>
    </>
  )
}

const Pick = ({ ends, end }: { ends: Ends; end: "from" | "to" }) => {
  const id = ends[end]
  const label = end === "from" ? t("paths.from") : t("paths.to")
  return (
    <Combobox
      id={`path-${end}`}
      class="sim-search"
      name={`path-${end}`}
      label={label}
      placeholder={id === null ? label : nameOf(id)}
      find={(query) => devicesOf(twin.value, query)}
      keyOf={(hit) => hit.id}
      choose={(hit) => setEnds({ ...ends, [end]: hit.id })}
      row={(hit) => (
        <>
          <span class="grow ellipsis">{hit.title}</span>
          <span class="quiet">{hit.detail}</span>
        </>
      )}
    />
  )
}

const devicesOf = (state: TwinState | null, query: string) =>
  state === null ? [] : search(state, query).filter(({ kind }) => kind === "device")
