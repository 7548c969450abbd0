/** A device's alerts in its panel, and the question why a rule does not fire on it or one of its parts. */
import { useSignal } from "@preact/signals"
import { said } from "#client/i18n/said.ts"
import { language, t } from "#client/i18n/translate.ts"
import { worstFirst } from "#client/state/alert-list.ts"
import { alerts } from "#client/state/alerts.ts"
import { call } from "#client/state/api.ts"
import { serverNowMs, shownReplay } from "#client/state/app.ts"
import { allPages } from "#client/state/pages.ts"
import { formatRoute, go } from "#client/state/route.ts"
import { entityWord, markOfAlert } from "#client/ui/alerts/words.ts"
import { useAct, useAsk } from "#client/ui/ask.ts"
import { Dialog } from "#client/ui/dialog.tsx"
import { Form, Problem, Select } from "#client/ui/form.tsx"
import { formatDuration } from "#client/ui/format.ts"
import { MarkIcon } from "#client/ui/icons.tsx"
import { Said } from "#client/ui/said.tsx"
import { alertId } from "#protocol/alert.ts"
import { bgpKey, interfaceKey, ospfKey } from "#protocol/id.ts"
import type { DeviceView } from "#protocol/view.ts"

export const DeviceAlerts = ({ view }: { view: DeviceView }) => {
  const asking = useSignal(false)
  // The list is of now; in a replay it would be of another time.
  if (shownReplay.value !== null || alerts.value === null) return null
  const mine = alerts.value.filter(({ device }) => device === view.id).sort(worstFirst)
  return (
    <section class="block device-alerts">
      <h3>
        {t("alerts.device")} <span class="count num">{mine.length}</span>
        <button type="button" class="text-button why-not" onClick={() => (asking.value = true)}>
          {t("why.ask")}
        </button>
      </h3>
      {mine.length === 0 && <p class="quiet">{t("alerts.device.none")}</p>}
      <ul>
        {mine.map((alert) => (
          <li key={alert.id}>
            <a
              class="row"
              href={formatRoute({ screen: "alerts", tab: null, selection: null, camera: null, item: alert.id })}
            >
              <MarkIcon mark={markOfAlert(alert)} size={12} />
              <span class="row-main">
                <span>
                  <Said text={alert.summary} />
                </span>
                <span class="row-detail">
                  <span class={`alert-state state-${alert.state}`}>{t(`alertState.${alert.state}`)}</span>
                  {alert.heldBack !== null && <span>{t(`heldBack.${alert.heldBack.by}`)}</span>}
                  {entityWord(alert.entity) !== "" && <span class="mono">{entityWord(alert.entity)}</span>}
                </span>
              </span>
              <time class="num quiet">{formatDuration(language.value, serverNowMs.value - alert.sinceMs)}</time>
            </a>
          </li>
        ))}
      </ul>
      {asking.value && <WhyNotDialog view={view} close={() => (asking.value = false)} />}
    </section>
  )
}

const WhyNotDialog = ({ view, close }: { view: DeviceView; close: () => void }) => {
  const act = useAct()
  const rules = useAsk(() => allPages((cursor) => call("alertRules.list", { query: { limit: 1_000, cursor } })))
  const rule = useSignal("")
  const entity = useSignal("")
  const options = (rules.value ?? []).map((row) => ({
    value: String(row.rule["id"]),
    label: said(String(row.rule["name"])),
  }))
  const chosen = rule.value === "" ? (options[0]?.value ?? "") : rule.value
  const parts = [
    ...view.interfaces.map(({ name }) => interfaceKey(name)),
    ...view.adjacencies.flatMap(({ kind, remote }) =>
      kind === "ospf" ? [ospfKey(remote)] : kind === "bgp" ? [bgpKey(remote)] : [],
    ),
  ]
  return (
    <Dialog title={t("why.ask.title")} close={close}>
      <Form
        act={act}
        label={t("why.ask.submit")}
        cancel={close}
        disabled={chosen === ""}
        submit={() => {
          close()
          go({
            screen: "alerts",
            selection: null,
            item: alertId({ device: view.id, rule: chosen, entity: entity.value }),
          })
        }}
      >
        <Problem text={rules.problem} />
        <p>
          <b>{view.name}</b>
        </p>
        <Select
          label={t("why.ask.rule")}
          name="rule"
          value={rule}
          options={options.map((one) => ({ ...one, label: `${one.label} · ${one.value}` }))}
        />
        <Select
          label={t("why.ask.entity")}
          name="entity"
          value={entity}
          options={[{ value: "", label: t("why.ask.device") }, ...new Set(parts)].map((part) =>
            typeof part === "string" ? { value: part, label: part } : part,
          )}
        />
      </Form>
    </Dialog>
  )
}
