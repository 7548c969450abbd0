/** The panel of whatever is selected. It shows the stream's FOCUS view, and REST's answer until the first one comes. */
import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { focus, shownReplay, twin } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import type { Selection } from "#client/state/route.ts"
import { DevicePanel } from "#client/ui/device-panel.tsx"
import { CloseIcon } from "#client/ui/icons.tsx"
import { LinkPanel } from "#client/ui/link-panel.tsx"
import type { FocusView } from "#protocol/view.ts"

export const SelectionPanel = ({ selection }: { selection: Selection }) => {
  const failed = useSignal<string | null>(null)
  useEffect(() => {
    let current = true
    failed.value = null
    // REST tells of now. What was comes with the stream.
    if (shownReplay.peek() !== null) return
    const load = async () => {
      const { id } = selection
      const answer = await (selection.kind === "device"
        ? call("network.device", { params: { id } })
        : call("network.link", { params: { id } }))
      if (!current) return
      if (answer.ok) focus.value ??= answer.value
      else failed.value = answer.status === 404 ? t("panel.gone") : t("panel.failed", { reason: answer.reason })
    }
    void load()
    return () => {
      current = false
    }
  }, [selection.kind, selection.id])
  const view = focus.value?.id === selection.id ? focus.value : null
  return (
    <aside class="selection panel" data-taken data-testid="panel" aria-labelledby="panel-title">
      {view === null ? <Waiting failed={failed.value} selection={selection} /> : <View view={view} />}
    </aside>
  )
}

const View = ({ view }: { view: FocusView }) => {
  if (view.kind === "link") return <LinkPanel key={view.id} view={view} />
  const sites = twin.value?.sites
  const site = sites?.id.indexOf(view.site) ?? -1
  const isGuessed = sites?.placeGuessed[site] === 1
  return <DevicePanel key={view.id} view={view} siteName={sites?.name[site] ?? view.site} isPlaceGuessed={isGuessed} />
}

const Waiting = ({ failed, selection }: { failed: string | null; selection: Selection }) => {
  const state = twin.value
  const slot = state?.nodeById.get(selection.id)
  const name = slot === undefined ? null : state?.nodes.name[slot]
  return (
    <header class="panel-head">
      <div class="panel-title">
        <h2 id="panel-title">{name ?? t(`search.kind.${selection.kind}`)}</h2>
        <button type="button" class="icon-button" aria-label={t("panel.close")} onClick={() => go({ selection: null })}>
          <CloseIcon />
        </button>
      </div>
      <p class="quiet" role="status">
        {failed ?? t("panel.loading")}
      </p>
    </header>
  )
}
