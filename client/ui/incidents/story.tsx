/** The time line: what the twin saw and what people did, newest first, and what is asked of the network right now. */
import { useSignal } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { language, t } from "#client/i18n/translate.ts"
import { serverNowMs } from "#client/state/app.ts"
import { storyOf } from "#client/state/incident-story.ts"
import type { StoryLine } from "#client/state/incident-story.ts"
import { momentWord } from "#client/ui/alerts/words.ts"
import { formatAge } from "#client/ui/format.ts"
import { Where } from "#client/ui/incidents/cause-card.tsx"
import { Said } from "#client/ui/said.tsx"
import type { IncidentView } from "#protocol/incident.ts"

/** Lines in the page at first; a long night has hundreds. */
const LINES = 60

export const Story = ({ timeline }: Pick<IncidentView, "timeline">) => {
  const all = useSignal(false)
  const lines = useMemo(() => storyOf(timeline), [timeline])
  const shown = all.value ? lines : lines.slice(0, LINES)
  return (
    <section class="block story" aria-labelledby="story-title">
      <h3 id="story-title">{t("incident.story")}</h3>
      <ol data-testid="story">
        {shown.map((line, at) => (
          <Line key={`${line.entry.atMs} ${at}`} line={line} />
        ))}
      </ol>
      {lines.length > shown.length && (
        <button type="button" class="text-button" onClick={() => (all.value = true)}>
          {t("incident.more", { count: lines.length - shown.length })}
        </button>
      )}
    </section>
  )
}

const Line = ({ line: { entry, count, firstMs, byHand } }: { line: StoryLine }) => (
  <li class={`line line-${entry.action} ${byHand ? "by-hand" : ""}`}>
    <time class="num quiet" title={formatAge(language.value, serverNowMs.value - entry.atMs)}>
      {momentWord(entry.atMs)}
    </time>
    <span class="line-main">
      <span>
        <b>{t(`incident.action.${entry.action}`)}</b>
        {byHand && <span class="line-by">{entry.by}</span>}
        {count > 1 && (
          <span class="chip num" title={t("incident.repeated", { time: momentWord(firstMs) })}>
            ×{count}
          </span>
        )}
      </span>
      {entry.text !== "" && (
        <span class="line-text">{isOwnWords(entry) ? entry.text : <Said text={entry.text} lead />}</span>
      )}
      {entry.device !== undefined && (
        <small class="quiet">
          <Where device={entry.device} entity={entry.entity ?? ""} />
        </small>
      )}
    </span>
  </li>
)

/** What somebody wrote is never said anew. */
const isOwnWords = ({ action }: StoryLine["entry"]): boolean => action === "noted" || action === "escalated"

export const Probing = ({ probing }: Pick<IncidentView, "probing">) =>
  probing.length === 0 ? null : (
    <section class="block probing" data-testid="probing">
      <h3>{t("incident.probing")}</h3>
      <p class="quiet">{t("incident.probing.why")}</p>
      <ul>
        {probing.map(({ text, atMs, answer }, at) => (
          <li key={at} class={answer === null ? "asking" : ""}>
            <span>
              <Said text={text} lead />
            </span>
            <small class="quiet">
              {answer === null ? (
                t("incident.probing.waits", { age: formatAge(language.value, serverNowMs.value - atMs) })
              ) : (
                <b>
                  <Said text={answer} lead />
                </b>
              )}
            </small>
          </li>
        ))}
      </ul>
    </section>
  )
