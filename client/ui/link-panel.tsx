/** One link: the load of both directions, what each end says about it, and the traffic over time. */
import { language, t } from "#client/i18n/translate.ts"
import { markOf } from "#client/map/mark.ts"
import { serverNowMs } from "#client/state/app.ts"
import { go } from "#client/state/route.ts"
import { LinkActions } from "#client/ui/edit/device-actions.tsx"
import { formatBps, formatDuration, NOTHING } from "#client/ui/format.ts"
import { HistoryChart, RangePicker } from "#client/ui/history-chart.tsx"
import { MarkIcon } from "#client/ui/icons.tsx"
import { Fact, Facts, LoadBar, PanelHead, Provenance, Reasons } from "#client/ui/panel-parts.tsx"
import { WhatIfLink } from "#client/ui/whatif/start.tsx"
import type { LinkEndView, LinkView } from "#protocol/view.ts"

export const LinkPanel = ({ view }: { view: LinkView }) => {
  const lang = language.value
  const { a, b } = view
  const mark = markOf({ health: view.health, severity: view.severity, stale: false, maintenance: false })
  const since = view.sinceMs === null ? null : formatDuration(lang, serverNowMs.value - view.sinceMs)
  const detail = `${a.interface} ↔ ${b.interface}`
  return (
    <>
      <PanelHead
        mark={mark}
        title={`${a.deviceName} ↔ ${b.deviceName}`}
        health={view.health}
        stale={false}
        detail={detail}
      />
      <div class="panel-body" tabIndex={0} role="group" aria-labelledby="panel-title">
        <div class="panel-row">
          <LinkActions id={view.id} name={`${a.deviceName} ↔ ${b.deviceName}`} capacityBps={view.capacityBps} />
          <WhatIfLink faults={[{ kind: "link", link: view.id }]} />
        </div>
        <Reasons reasons={view.reasons} />
        <section class="block">
          <h3>{t("link.load")}</h3>
          <div class="directions">
            <Direction from={a.deviceName} to={b.deviceName} percent={view.utilAbPct} />
            <Direction from={b.deviceName} to={a.deviceName} percent={view.utilBaPct} />
          </div>
          <Facts>
            <Fact
              label={t("link.capacity")}
              value={view.capacityBps === null ? NOTHING : formatBps(lang, view.capacityBps)}
            />
            <Fact label={t("link.since")} value={since} />
          </Facts>
        </section>
        <section class="block">
          <h3>{t("link.ends")}</h3>
          <div class="ends">
            <End letter="A" end={a} />
            <End letter="B" end={b} />
          </div>
        </section>
        <section class="block charts">
          <RangePicker />
          {[a, b].map((end) => (
            <HistoryChart
              key={end.device + end.interface}
              title={t("link.chart", { name: end.deviceName })}
              format={(value) => formatBps(lang, value)}
              series={[
                { device: end.device, entity: `if:${end.interface}`, metric: "interface.rx_bps", label: t("chart.in") },
                {
                  device: end.device,
                  entity: `if:${end.interface}`,
                  metric: "interface.tx_bps",
                  label: t("chart.out"),
                },
              ]}
            />
          ))}
        </section>
      </div>
    </>
  )
}

const Direction = ({ from, to, percent }: { from: string; to: string; percent: number | null }) => (
  <div>
    <span class="ellipsis">
      {from} → {to}
    </span>
    {percent === null ? (
      <span class="quiet">{t("link.notMeasured")}</span>
    ) : (
      <LoadBar percent={percent} label={`${from} → ${to}`} />
    )}
  </div>
)

const End = ({ letter, end }: { letter: string; end: LinkEndView }) => {
  const lang = language.value
  const up = end.operUp
  const word =
    end.adminUp === false
      ? "interface.disabled"
      : up === null
        ? "interface.unknown"
        : up
          ? "interface.up"
          : "interface.down"
  const mark = end.adminUp === false ? "maintenance" : up === null ? "unknown" : up ? "ok" : "critical"
  return (
    <div class="end">
      <span class="quiet">{t("link.end", { letter })}</span>
      <button
        type="button"
        class="text-button strong"
        onClick={() => go({ selection: { kind: "device", id: end.device } })}
      >
        {end.deviceName}
      </button>
      <span>
        <MarkIcon mark={mark} size={11} /> <span class="mono">{end.interface}</span> · {t(word)}
      </span>
      <span class="num">
        ↓ {formatBps(lang, end.rxBps)} · ↑ {formatBps(lang, end.txBps)}
      </span>
      <Provenance atMs={end.atMs} source={end.source} />
    </div>
  )
}
