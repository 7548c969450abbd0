/** What the shapes and colours on the map mean. */
import { t } from "#client/i18n/translate.ts"
import { MARKS } from "#client/map/mark.ts"
import { twin } from "#client/state/app.ts"
import { hasGuessed } from "#client/state/guessed-places.ts"
import { MarkIcon } from "#client/ui/icons.tsx"

export const Legend = () => (
  <ul class="legend panel" aria-label={t("legend.label")}>
    {MARKS.map((mark) => (
      <li key={mark}>
        <MarkIcon mark={mark} size={12} />
        {t(`mark.${mark}`)}
      </li>
    ))}
    {twin.value !== null && hasGuessed(twin.value) && (
      <li>
        <span class="guessed-ring" />
        {t("legend.guessed")}
      </li>
    )}
    <li>
      <span class="dash" />
      {t("legend.broken")}
    </li>
    <li>
      {t("legend.load")}
      <span class="num quiet">0</span>
      <span class="ramp" />
      <span class="num quiet">100 %</span>
    </li>
  </ul>
)
