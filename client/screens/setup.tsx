/**
 * From an empty network to the first router on the map in three steps: where it stands, what it is and how to ask it, and
 * then watching it come up; when it does not, what to check. Opens by itself in an empty tenant, and from the help.
 */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { call } from "#client/state/api.ts"
import { focus, serverNowMs } from "#client/state/app.ts"
import { can } from "#client/state/places.ts"
import { formatRoute, go } from "#client/state/route.ts"
import { adviceFor, isSilent, judge, LATE_MS } from "#client/state/setup-advice.ts"
import { useAsk } from "#client/ui/ask.ts"
import { CredentialForm } from "#client/ui/edit/credential-form.tsx"
import type { CredentialKind } from "#client/ui/edit/credential-form.tsx"
import { DeviceForm, listSites } from "#client/ui/edit/device-form.tsx"
import { SiteForm } from "#client/ui/edit/site-form.tsx"
import { formatAge } from "#client/ui/format.ts"
import { Select } from "#client/ui/form.tsx"
import { MarkIcon } from "#client/ui/icons.tsx"
import { Loaded } from "#client/ui/table.tsx"
import type { DeclaredDevice } from "#protocol/rest-generated.ts"
import type { DeviceView } from "#protocol/view.ts"

const STEPS = ["setup.site", "setup.device", "setup.watch"] as const
/** Between two looks while the stream says nothing of the new device. */
const LOOK_MS = 3_000

export const SetupScreen = () => {
  const site = useSignal<string | null>(null)
  const device = useSignal<DeclaredDevice | null>(null)
  const asked = useSignal(false)
  const step = site.value === null ? 0 : asked.value ? 2 : 1
  const watch = () => {
    asked.value = true
    if (device.value !== null) go({ selection: { kind: "device", id: device.value.id } }, true)
  }
  return (
    <div class="page">
      <header class="screen-head">
        <h1>{t("setup.title")}</h1>
      </header>
      <ol class="wizard" aria-label={t("setup.steps")}>
        {STEPS.map((title, at) => (
          <li key={title} aria-current={at === step ? "step" : undefined} class={at < step ? "done" : ""}>
            <span class="num" aria-hidden="true">
              {at + 1}
            </span>
            {t(title)}
          </li>
        ))}
      </ol>
      <section class="card panel narrow">
        {step === 0 && <SiteStep done={(id) => (site.value = id)} />}
        {step === 1 && device.value === null && (
          <DeviceForm
            device={null}
            etag={null}
            site={site.value ?? ""}
            label={t("setup.next")}
            done={(made) => {
              device.value = made
              if (!can("credential")) watch()
            }}
          />
        )}
        {step === 1 && device.value !== null && <CredentialStep device={device.value} done={watch} />}
        {step === 2 && device.value !== null && <Watch device={device.value} />}
      </section>
    </div>
  )
}

const SiteStep = ({ done }: { done: (id: string) => void }) => {
  const sites = useAsk(listSites)
  const chosen = useSignal("")
  return (
    <Loaded asked={sites}>
      {(known) => (
        <>
          {known.length > 0 && (
            <form
              class="form"
              onSubmit={(event) => {
                event.preventDefault()
                done(chosen.value === "" ? (known[0]?.id ?? "") : chosen.value)
              }}
            >
              <h2>{t("setup.site.known")}</h2>
              <Select
                label={t("device.site")}
                name="knownSite"
                value={chosen}
                options={known.map(({ id, name }) => ({ value: id, label: name }))}
              />
              <div class="form-end">
                <button type="submit" class="button">
                  {t("setup.site.use")}
                </button>
              </div>
            </form>
          )}
          {can("siteEdit") && (
            <>
              <h2>{t("setup.site.new")}</h2>
              <p class="quiet">{t("setup.site.why")}</p>
              <SiteForm label={t("setup.next")} done={({ id }) => done(id)} />
            </>
          )}
        </>
      )}
    </Loaded>
  )
}

const CredentialStep = ({ device, done }: { device: DeclaredDevice; done: () => void }) => {
  const kind = useSignal<string>("snmp")
  const chosen: CredentialKind = kind.value === "routeros" ? "routeros" : "snmp"
  return (
    <>
      <h2>{t("setup.credential", { name: device.name })}</h2>
      <p class="quiet">{t("credential.why")}</p>
      <Select
        label={t("setup.how")}
        name="how"
        value={kind}
        options={[
          { value: "snmp", label: t("credential.snmp") },
          { value: "routeros", label: t("credential.routeros") },
        ]}
      />
      <CredentialForm
        key={chosen}
        device={device.id}
        kind={chosen}
        isSet={device.credentials.includes(chosen)}
        changed={done}
        label={t("setup.next")}
      />
      <button type="button" class="text-button" onClick={done}>
        {t("setup.skip")}
      </button>
    </>
  )
}

const Watch = ({ device }: { device: DeclaredDevice }) => {
  const since = useSignal(serverNowMs.peek())
  const streamed = focus.value?.kind === "device" && focus.value.id === device.id ? focus.value : null
  const turn = streamed === null ? Math.floor(serverNowMs.value / LOOK_MS) : -1
  const asked = useAsk(() => call("network.device", { params: { id: device.id } }), String(turn))
  const view: DeviceView | null = streamed ?? asked.value
  const waitedMs = serverNowMs.value - since.value
  const verdict = judge(view, waitedMs)
  const needsAdvice = verdict === "late" || (isSilent(view) && waitedMs >= LATE_MS)
  return (
    <div class="watch" data-verdict={verdict}>
      <p class="watch-state" role="status">
        <MarkIcon mark={verdict === "up" ? "ok" : verdict === "late" ? "warning" : "unknown"} size={18} />
        <b>{t(`setup.${verdict}`, { name: device.name })}</b>
      </p>
      {view !== null && (
        <ul class="sources">
          {view.sources.map(({ source, up, lastOkMs, error }) => (
            <li key={source}>
              <MarkIcon mark={up ? "ok" : "unknown"} size={12} />
              <b class="mono">{source}</b>
              {t(up ? "device.source.up" : "device.source.never")}
              {lastOkMs !== null && (
                <span class="quiet num">{formatAge(language.value, Math.max(0, serverNowMs.value - lastOkMs))}</span>
              )}
              {error !== null && <span class="source-error">{error}</span>}
            </li>
          ))}
        </ul>
      )}
      {needsAdvice && (
        <>
          <h3>{t("setup.check")}</h3>
          <ul class="advice">
            {adviceFor(view, device.credentials).map((key) => (
              <li key={key}>{t(key, { address: device.address })}</li>
            ))}
          </ul>
        </>
      )}
      <p class="form-end">
        <a
          class={verdict === "up" ? "primary" : "button"}
          href={formatRoute({ screen: "map", tab: null, selection: { kind: "device", id: device.id }, camera: null })}
        >
          {t("setup.map")}
        </a>
      </p>
    </div>
  )
}
