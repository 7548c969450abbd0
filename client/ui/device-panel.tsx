/** One device: what is wrong and why, who it is, what was measured, when and by whom; charts of stored and live samples. */
import { useSignal } from "@preact/signals"
import { language, t } from "#client/i18n/translate.ts"
import { markOf } from "#client/map/mark.ts"
import { serverNowMs } from "#client/state/app.ts"
import { DeviceAlerts } from "#client/ui/alerts/device-alerts.tsx"
import { DeviceActions } from "#client/ui/edit/device-actions.tsx"
import {
  formatAge,
  formatBps,
  formatBytes,
  formatDuration,
  formatMetric,
  formatNumber,
  formatPercent,
  NOTHING,
  roleName,
} from "#client/ui/format.ts"
import { HistoryChart, RangePicker } from "#client/ui/history-chart.tsx"
import { MarkIcon } from "#client/ui/icons.tsx"
import { DeviceIncidents } from "#client/ui/incidents/device-incidents.tsx"
import { Fact, Facts, LoadBar, PanelHead, Provenance, Reasons } from "#client/ui/panel-parts.tsx"
import { Said } from "#client/ui/said.tsx"
import { WhatIfLink } from "#client/ui/whatif/start.tsx"
import type { AdjacencyView, CapabilityView, DeviceView, InterfaceView, SourceView } from "#protocol/view.ts"

/** Device metrics with a chart of their own, when the device has them. */
const CHARTED = [
  { metric: "device.cpu_pct", title: "chart.cpu", format: formatPercent },
  { metric: "device.mem_used_bytes", title: "chart.memory", format: formatBytes },
  { metric: "pppoe.sessions.active", title: "chart.sessions", format: formatNumber },
  {
    metric: "device.temp_c",
    title: "chart.temperature",
    format: (lang: "pt-BR" | "en", value: number) => formatMetric(lang, value, "°C"),
  },
] as const

interface DevicePanelProps {
  readonly view: DeviceView
  readonly siteName: string
  readonly isPlaceGuessed: boolean
}
export const DevicePanel = ({ view, siteName, isPlaceGuessed }: DevicePanelProps) => {
  const lang = language.value
  const mark = markOf({ health: view.health, severity: view.severity, stale: view.stale, maintenance: false })
  const uptime = view.metrics.find(({ entity, metric }) => entity === "" && metric === "device.uptime_seconds")
  const detail = [view.texts["device.model"], view.texts["device.os_version"], siteName].filter(Boolean).join(" · ")
  return (
    <>
      <PanelHead mark={mark} title={view.name} health={view.health} stale={view.stale} detail={detail} />
      <div class="panel-body" tabIndex={0} role="group" aria-labelledby="panel-title">
        <div class="panel-row">
          <DeviceActions id={view.id} name={view.name} />
          <WhatIfLink faults={[{ kind: "router", device: view.id }]} />
        </div>
        <Reasons reasons={view.reasons} />
        <DeviceIncidents id={view.id} />
        <DeviceAlerts view={view} />
        <section class="block">
          <Facts>
            <Fact label={t("device.address")} value={view.address} mono />
            <Fact label={t("device.site")} value={isPlaceGuessed ? `${siteName} (${t("legend.guessed")})` : siteName} />
            <Fact label={t("device.roles")} value={view.roles.map(roleName).join(", ")} />
            <Fact label={t("device.identity")} value={view.texts["device.identity"] ?? null} />
            <Fact label={t("device.model")} value={view.texts["device.model"] ?? null} />
            <Fact label={t("device.version")} value={view.texts["device.os_version"] ?? null} />
            <Fact label={t("device.serial")} value={view.texts["device.serial"] ?? null} mono />
            <Fact
              label={t("device.uptime")}
              value={uptime === undefined ? null : formatDuration(lang, uptime.value * 1_000)}
            />
            <Fact label={t("device.poll")} value={formatDuration(lang, view.pollSeconds * 1_000)} />
          </Facts>
        </section>
        <Sources sources={view.sources} />
        {view.capabilities !== undefined && <Capabilities rows={view.capabilities} />}
        <Traffic view={view} />
        <Adjacencies rows={view.adjacencies} />
        <Measurements view={view} />
      </div>
    </>
  )
}

const Sources = ({ sources }: { sources: readonly SourceView[] }) => (
  <section class="block">
    <h3>{t("device.sources")}</h3>
    <ul class="sources">
      {sources.map(({ source, up, lastOkMs, error }) => (
        <li key={source}>
          <MarkIcon mark={up ? "ok" : lastOkMs === null ? "unknown" : "critical"} size={12} />
          <b class="mono">{source}</b>
          <span>{t(up ? "device.source.up" : lastOkMs === null ? "device.source.never" : "device.source.down")}</span>
          {lastOkMs !== null && (
            <span class="quiet num">{formatAge(language.value, serverNowMs.value - lastOkMs)}</span>
          )}
          {error !== null && (
            <span class="source-error">
              <Said text={error} />
            </span>
          )}
        </li>
      ))}
    </ul>
  </section>
)

/** What it has shown, what it should and never did, and what it has not. */
const Capabilities = ({ rows }: { rows: readonly CapabilityView[] }) => {
  const seen = rows.filter((row) => row.seen)
  const silent = rows.filter((row) => !row.seen && row.declared)
  const absent = rows.filter((row) => !row.seen && !row.declared)
  const age = ({ atMs, source }: CapabilityView): string =>
    atMs === null || source === null
      ? t("device.capability.never")
      : t("value.age", { age: formatAge(language.value, Math.max(0, serverNowMs.value - atMs)), source })
  return (
    <section class="block" data-testid="capabilities">
      <h3>
        {t("device.capabilities")} <span class="count num">{seen.length}</span>
      </h3>
      <ul class="capabilities">
        {[...seen, ...silent].map((row) => (
          <li key={row.name}>
            <MarkIcon mark={row.seen ? "ok" : "unknown"} size={11} />
            <span>{t(`capability.${row.name}`)}</span>
            <small class="quiet num">{age(row)}</small>
          </li>
        ))}
      </ul>
      <p class="quiet capabilities-absent">
        {t("device.capabilities.absent", { list: absent.map(({ name }) => t(`capability.${name}`)).join(", ") })}
      </p>
    </section>
  )
}

const Traffic = ({ view }: { view: DeviceView }) => {
  const chosen = useSignal<string | null>(null)
  const busiest = view.interfaces.reduce<InterfaceView | null>(
    (best, item) => (rate(item) > rate(best) ? item : best),
    null,
  )
  const name = view.interfaces.some((item) => item.name === chosen.value) ? chosen.value : (busiest?.name ?? null)
  const lang = language.value
  const has = (metric: string) => view.metrics.some((row) => row.entity === "" && row.metric === metric)
  return (
    <>
      <section class="block charts">
        <RangePicker />
        {name !== null && (
          <HistoryChart
            title={t("chart.traffic", { name })}
            format={(value) => formatBps(lang, value)}
            series={[
              { device: view.id, entity: `if:${name}`, metric: "interface.rx_bps", label: t("chart.in") },
              { device: view.id, entity: `if:${name}`, metric: "interface.tx_bps", label: t("chart.out") },
            ]}
          />
        )}
        {CHARTED.filter(({ metric }) => has(metric)).map(({ metric, title, format }) => (
          <HistoryChart
            key={metric}
            title={t(title)}
            format={(value) => format(lang, value)}
            series={[{ device: view.id, entity: "", metric, label: t(title) }]}
          />
        ))}
      </section>
      <section class="block">
        <h3>
          {t("device.interfaces")} <span class="count num">{view.interfaces.length}</span>
        </h3>
        {view.interfaces.length === 0 ? (
          <p class="quiet">{t("device.none.interfaces")}</p>
        ) : (
          <Interfaces rows={view.interfaces} chosen={name} choose={(next) => (chosen.value = next)} />
        )}
      </section>
    </>
  )
}
const rate = (item: InterfaceView | null): number => (item === null ? -1 : (item.rxBps ?? 0) + (item.txBps ?? 0))

const Interfaces = (props: {
  rows: readonly InterfaceView[]
  chosen: string | null
  choose: (name: string) => void
}) => {
  const lang = language.value
  return (
    <table class="table">
      <thead>
        <tr>
          <th>{t("interface.name")}</th>
          <th class="right">{t("interface.in")}</th>
          <th class="right">{t("interface.out")}</th>
          <th class="right">{t("interface.load")}</th>
        </tr>
      </thead>
      <tbody>
        {props.rows.map((item) => (
          <tr key={item.name} class={item.name === props.chosen ? "chosen" : ""}>
            <td>
              <button
                type="button"
                class="cell-button"
                aria-label={t("interface.chart", { name: item.name })}
                onClick={() => props.choose(item.name)}
              >
                <MarkIcon mark={interfaceMark(item)} size={11} />
                <span class="mono">{item.name}</span>
              </button>
              <span class="cell-detail quiet">
                {t(interfaceWord(item))}
                {item.speedBps !== null && ` · ${formatBps(lang, item.speedBps)}`}
                {item.lowerLayers !== undefined && ` · ${t("interface.over", { names: item.lowerLayers })}`}
                {item.alias !== null && item.alias !== "" && ` · ${item.alias}`}
              </span>
            </td>
            <td class="right num">{formatBps(lang, item.rxBps)}</td>
            <td class="right num">{formatBps(lang, item.txBps)}</td>
            <td class="right">
              <LoadBar percent={item.utilizationPct} label={`${item.name}: ${t("interface.load")}`} />
              <Provenance atMs={item.atMs} source={item.source} quality={item.quality} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const interfaceWord = (item: InterfaceView) => {
  if (item.adminUp === false) return "interface.disabled"
  if (item.operUp === null) return "interface.unknown"
  return item.operUp ? "interface.up" : "interface.down"
}
const interfaceMark = (item: InterfaceView) => {
  if (item.adminUp === false) return "maintenance"
  if (item.operUp === null) return "unknown"
  return item.operUp ? "ok" : "critical"
}

/** Routing protocols have states; who is heard by LLDP, MNDP or CDP is there or is not. */
const isHeard = (kind: AdjacencyView["kind"]): boolean => kind !== "ospf" && kind !== "bgp"

const Adjacencies = ({ rows }: { rows: readonly AdjacencyView[] }) => (
  <section class="block">
    <h3>
      {t("device.adjacencies")} <span class="count num">{rows.length}</span>
    </h3>
    {rows.length === 0 ? (
      <p class="quiet">{t("device.none.adjacencies")}</p>
    ) : (
      <table class="table">
        <thead>
          <tr>
            <th>{t("adjacency.remote")}</th>
            <th>{t("adjacency.state")}</th>
            <th class="right">{t("adjacency.since")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.kind}${row.remote}${row.localInterface ?? ""}${row.remotePort ?? ""}`}>
              <td>
                <span class="chip">{row.kind.toUpperCase()}</span> <span class="mono">{row.remote}</span>
                {row.localInterface !== undefined && (
                  <div class="quiet mono">
                    {row.localInterface} → {row.remotePort ?? "?"}
                  </div>
                )}
                {(row.remoteAddress ?? row.remoteMac) !== undefined && (
                  <div class="quiet mono">{[row.remoteAddress, row.remoteMac].filter(Boolean).join(" · ")}</div>
                )}
              </td>
              <td>
                <MarkIcon mark={row.up ? "ok" : isHeard(row.kind) ? "unknown" : "critical"} size={11} />{" "}
                {isHeard(row.kind) ? t(row.up ? "adjacency.lldp.heard" : "adjacency.lldp.gone") : row.state}
              </td>
              <td class="right num">
                {formatDuration(language.value, serverNowMs.value - row.sinceMs)}
                <Provenance atMs={row.atMs} source={row.source} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </section>
)

/** Everything measured on the device itself, with age and source. Interfaces and adjacencies have their own tables. */
const Measurements = ({ view }: { view: DeviceView }) => {
  const rows = view.metrics.filter(({ entity }) => entity === "")
  return (
    <section class="block">
      <h3>{t("device.metrics")}</h3>
      {rows.length === 0 && <p class="quiet">{t("device.none.metrics")}</p>}
      <dl class="measures">
        {rows.map((row) => (
          <div key={row.metric}>
            <dt class="mono">{row.metric}</dt>
            <dd class="num">
              {Number.isFinite(row.value) ? formatMetric(language.value, row.value, row.unit) : NOTHING}
              <Provenance atMs={row.atMs} source={row.source} quality={row.quality} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
