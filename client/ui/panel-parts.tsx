/** Pieces that the device and link panels share: the head, a fact with its age and source, a load bar. */
import type { ComponentChildren } from "preact"
import { language, t } from "#client/i18n/translate.ts"
import type { Mark } from "#client/map/mark.ts"
import { serverNowMs } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import { formatAge, formatPercent } from "#client/ui/format.ts"
import { CloseIcon, MarkIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import type { Health } from "#protocol/status.ts"
import type { Quality, Source } from "#protocol/view.ts"

export const PanelHead = (props: { mark: Mark; title: string; health: Health; stale: boolean; detail: string }) => (
  <header class="panel-head">
    <div class="panel-title">
      <MarkIcon mark={props.mark} size={18} />
      <h2 id="panel-title">{props.title}</h2>
      <button
        type="button"
        class="icon-button"
        aria-label={t("panel.close")}
        title={t("panel.close")}
        onClick={() => go({ selection: null })}
      >
        <CloseIcon />
      </button>
    </div>
    <p class="panel-state">
      <span class={`chip word-${props.mark}`}>{t(`health.${props.health}`)}</span>
      {props.stale && <span class="chip">{t("health.stale")}</span>}
      <span class="quiet ellipsis">{props.detail}</span>
    </p>
  </header>
)

export const Reasons = ({ reasons }: { reasons: readonly string[] }) =>
  reasons.length === 0 ? null : (
    <section class="block why">
      <h3>{t("device.why")}</h3>
      <ol>
        {reasons.map((reason, index) => (
          <li key={index}>
            <Said text={reason} />
          </li>
        ))}
      </ol>
    </section>
  )

export const Facts = ({ children }: { children: ComponentChildren }) => <dl class="facts">{children}</dl>
export const Fact = ({ label, value, mono = false }: { label: string; value: string | null; mono?: boolean }) =>
  value === null || value === "" ? null : (
    <div>
      <dt>{label}</dt>
      <dd class={mono ? "mono" : ""}>{value}</dd>
    </div>
  )

/** Law 1: a number shows how old it is and who said it. */
export const Provenance = (props: { atMs: number | null; source: Source | null; quality?: Quality }) => {
  if (props.atMs === null || props.source === null) return null
  const age = formatAge(language.value, Math.max(0, serverNowMs.value - props.atMs))
  return (
    <span class="provenance quiet num">
      {t("value.age", { age, source: props.source })}
      {props.quality === "stale" && <em> · {t("value.stale")}</em>}
      {props.quality === "estimated" && <em> · {t("value.estimated")}</em>}
    </span>
  )
}

export const LoadBar = ({ percent, label }: { percent: number | null; label: string }) => (
  <span class="load" title={label}>
    <meter class={loadClass(percent)} min={0} max={100} value={percent ?? 0} aria-label={label} />
    <span class="num">{formatPercent(language.value, percent)}</span>
  </span>
)
const loadClass = (percent: number | null): string =>
  (percent ?? 0) >= 95 ? "full" : (percent ?? 0) >= 80 ? "hot" : ""
