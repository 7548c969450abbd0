/**
 * Why an alert is there, why a rule does not fire, why nobody is told: the sentence first, then what was looked at, then
 * which rule said so. It works for what does not fire too: the id names rule, device and entity.
 */
import { said } from "#client/i18n/said.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { language, t } from "#client/i18n/translate.ts"
import { alerts, alertsTurn } from "#client/state/alerts.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs } from "#client/state/app.ts"
import { formatRoute, go } from "#client/state/route.ts"
import { AlertActs } from "#client/ui/alerts/alert-acts.tsx"
import { ConditionTree } from "#client/ui/alerts/condition-tree.tsx"
import {
  deviceName,
  entityWord,
  markOfAlert,
  momentWord,
  reasonWord,
  siteName,
  untilWord,
} from "#client/ui/alerts/words.ts"
import { Problem } from "#client/ui/form.tsx"
import { formatAge, formatDuration } from "#client/ui/format.ts"
import { CloseIcon, MarkIcon } from "#client/ui/icons.tsx"
import { saveFile } from "#client/ui/once.tsx"
import { Fact, Facts } from "#client/ui/panel-parts.tsx"
import { Said } from "#client/ui/said.tsx"
import { Loaded } from "#client/ui/table.tsx"
import { alertNameOf } from "#protocol/alert.ts"
import { ENGINE_DEVICE, ENGINE_NAME } from "#protocol/id.ts"
import type { Alert, Explanation } from "#protocol/rest-generated.ts"

export const WhyPanel = ({ id, mute }: { id: string; mute: (alert: Alert) => void }) => {
  const alert = alerts.value?.find((one) => one.id === id) ?? null
  const asked = useAsk(() => call("alerts.explain", { params: { id } }), `${id} ${alertsTurn.value}`)
  const name = alertNameOf(id)
  return (
    <aside class="selection panel why-panel" data-testid="why" aria-labelledby="why-title">
      <Head alert={alert} id={id} summary={asked.value?.explanation?.summary ?? name?.rule ?? id} />
      <div class="panel-body" tabIndex={0} role="group" aria-labelledby="why-title">
        {alert !== null && <AlertActs alert={alert} mute={() => mute(alert)} />}
        {alert === null && alerts.value !== null && asked.value?.explanation?.state === "ok" && (
          <p class="notice why-gone">{t("why.gone")}</p>
        )}
        <Loaded asked={asked}>
          {({ explanation, reason }) =>
            explanation === null ? (
              <section class="block">
                <h3>{t("why.not")}</h3>
                <p>{reason !== null && <Said text={reason} />}</p>
              </section>
            ) : (
              <Explained explanation={explanation} />
            )
          }
        </Loaded>
        <Receipt id={id} />
      </div>
    </aside>
  )
}

const Head = ({ alert, id, summary }: { alert: Alert | null; id: string; summary: string }) => {
  const name = alertNameOf(id)
  const device = alert?.device ?? name?.device ?? ""
  const entity = entityWord(alert?.entity ?? name?.entity ?? "")
  return (
    <header class="panel-head">
      <div class="panel-title">
        <MarkIcon mark={alert === null ? "ok" : markOfAlert(alert)} size={18} />
        <h2 id="why-title">
          <Said text={alert?.summary ?? summary} />
        </h2>
        <button
          type="button"
          class="icon-button"
          aria-label={t("why.close")}
          title={t("why.close")}
          onClick={() => go({ item: null })}
        >
          <CloseIcon />
        </button>
      </div>
      <p class="panel-state">
        {alert !== null && (
          <>
            <span class={`chip word-${markOfAlert(alert)}`}>{t(`alertSeverity.${alert.severity}`)}</span>
            <span class={`alert-state state-${alert.state}`}>{t(`alertState.${alert.state}`)}</span>
          </>
        )}
        {device === ENGINE_DEVICE ? (
          ENGINE_NAME
        ) : (
          <a class="text-button" href={deviceHref(device)}>
            {alert?.deviceName ?? deviceName(device)}
          </a>
        )}
        {entity !== "" && <span class="mono">{entity}</span>}
        {alert !== null && <span class="quiet ellipsis">{siteName(alert.site)}</span>}
      </p>
    </header>
  )
}
const deviceHref = (id: string): string =>
  formatRoute({ screen: "map", tab: null, selection: { kind: "device", id }, camera: null })

const Explained = ({ explanation }: { explanation: Explanation }) => {
  const lang = language.value
  const { state, sinceMs, because, heldBack, condition, recover } = explanation
  const time = sinceMs === null ? "" : formatDuration(lang, serverNowMs.value - sinceMs)
  return (
    <>
      <section class="block because">
        <p class="because-lead">{t(`why.lead.${state}`, { time })}</p>
        <p class="because-text">
          <Said text={because} show={sentence} />
        </p>
      </section>
      {heldBack !== null && (
        <section class="block">
          <div class="held-box">
            <b>
              {t("why.held")}: {t(`heldBack.${heldBack.by}`)}
            </b>
            <span>{reasonWord(heldBack)}</span>
            <span class="quiet">{untilWord(heldBack)}</span>
          </div>
        </section>
      )}
      <section class="block">
        <h3>{t("why.condition")}</h3>
        <ConditionTree seen={condition} />
      </section>
      {recover !== null && (state === "firing" || state === "recovering") && (
        <section class="block">
          <h3>{t("why.recover")}</h3>
          <ConditionTree seen={recover} />
        </section>
      )}
      <Provenance explanation={explanation} />
    </>
  )
}

/** The engine says it in the middle of a sentence. */
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

const Provenance = ({ explanation }: { explanation: Explanation }) => {
  const lang = language.value
  const { name, rule, version, scope, forSeconds, recoverSeconds, atMs, entity, runbook } = explanation
  const wait = (seconds: number) => (seconds === 0 ? null : formatDuration(lang, seconds * 1_000))
  return (
    <section class="block">
      <h3>{t("why.rule")}</h3>
      <p class="why-rule">
        <a
          class="text-button strong"
          href={formatRoute({ screen: "rules", tab: null, selection: null, camera: null, item: rule })}
        >
          {said(name)}
        </a>
        <span class="mono quiet">{rule}</span>
      </p>
      <Facts>
        <Fact label={t("why.scope")} value={said(scope)} />
        <Fact label={t("why.version")} value={version.slice(0, 16)} mono />
        <Fact label={t("why.entity")} value={entity} mono />
        <Fact label={t("why.for")} value={wait(forSeconds)} />
        <Fact label={t("why.recovers")} value={wait(recoverSeconds)} />
        <Fact label={t("why.at")} value={`${momentWord(atMs)} (${formatAge(lang, serverNowMs.value - atMs)})`} />
      </Facts>
      <Runbook address={runbook} />
    </section>
  )
}

/** Opens beside: a page of the operator's own, or one of the handbook that the engine serves. */
export const Runbook = ({ address }: { address: string }) => {
  const page = runbookPage(address)
  return (
    <p class="runbook">
      <span class="quiet">{t("why.runbook")}</span>
      {page === null ? (
        <code class="mono">{address}</code>
      ) : (
        <a class="text-button" href={page} target="_blank" rel="noopener noreferrer">
          {address}
        </a>
      )}
    </p>
  )
}

/** Null for what is neither: a rule's text is its writer's, and no address is made of it. */
const runbookPage = (address: string): string | null => {
  if (address.startsWith("https://")) return address
  const [, name] = /^docs\/runbooks\/([a-z0-9-]+)\.md$/.exec(address) ?? []
  return name === undefined ? null : `/handbook/runbooks/${name}`
}

const Receipt = ({ id }: { id: string }) => {
  const act = useAct()
  return (
    <section class="block receipt">
      <button
        type="button"
        class="button"
        aria-disabled={act.busy}
        title={t("why.receipt.hint")}
        onClick={() =>
          void act.run(
            () => call("alerts.receipt", { params: { id } }),
            (receipt) =>
              saveFile(`receipt-${id}.json`.slice(0, 120), "application/json", `${JSON.stringify(receipt, null, 2)}\n`),
          )
        }
      >
        {t("why.receipt")}
      </button>
      <p class="field-hint">{t("why.receipt.hint")}</p>
      <Problem text={act.problem} />
    </section>
  )
}
