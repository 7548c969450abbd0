/** A list with the map beside it: whatever row is pointed at, or has the keyboard, is drawn on the map. */
import { useComputed } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { t } from "#client/i18n/translate.ts"
import { twin } from "#client/state/app.ts"
import { formatFaults } from "#client/state/whatif-faults.ts"
import { extentOf } from "#client/state/whatif-picture.ts"
import { formatNumber } from "#client/ui/format.ts"
import { language } from "#client/i18n/translate.ts"
import { SimLegend } from "#client/ui/whatif/legend.tsx"
import { OverMap } from "#client/ui/whatif/over-map.tsx"
import { paintPicture } from "#client/ui/whatif/paint.ts"
import type { Preview } from "#client/ui/whatif/preview.ts"
import { customersText, faultName } from "#client/ui/whatif/words.ts"
import type { Srlg } from "#protocol/rest-generated.ts"

export const BesideMap = (props: { preview: Preview; srlgs?: readonly Srlg[]; children: ComponentChildren }) => {
  const { preview } = props
  const paint = useComputed(() => paintPicture(preview.picture.value))
  const state = twin.value
  const { fault } = preview
  const key = fault === null ? "" : `${formatFaults([fault]) ?? ""} ${preview.answer === null ? "" : "told"}`
  return (
    <div class="beside">
      <div class="beside-list">{props.children}</div>
      <div class="beside-map">
        <OverMap
          label={t("whatif.map.label")}
          paint={paint.value}
          veiled={fault !== null}
          extent={state === null || fault === null ? [] : extentOf(preview.picture.value, state)}
          extentKey={key}
          pick={null}
        >
          <p class="beside-note panel" data-taken role="status">
            {fault === null ? t("next.hover") : <Told preview={preview} srlgs={props.srlgs ?? []} />}
          </p>
          {fault !== null && <SimLegend />}
        </OverMap>
        {fault !== null && <div class="sim-frame" aria-hidden="true" />}
      </div>
    </div>
  )
}

const Told = ({ preview: { fault, answer }, srlgs }: { preview: Preview; srlgs: readonly Srlg[] }) => {
  if (fault === null) return null
  const number = (value: number) => formatNumber(language.value, value)
  return (
    <>
      <b>{t("next.ifFails", { name: faultName(fault, srlgs) })}</b>{" "}
      <span>
        {answer === null
          ? t("whatif.busy")
          : t("whatif.spoken", {
              customers: customersText(answer.customers),
              sites: number(answer.totals.isolatedSites),
              links: number(answer.totals.overloaded),
            })}
      </span>
    </>
  )
}
