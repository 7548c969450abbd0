/** What is assumed to fail: found by name or pressed on the map, each row to change or take away. */
import { t, tCount } from "#client/i18n/translate.ts"
import { twin } from "#client/state/app.ts"
import { plain, search } from "#client/state/search.ts"
import { faults, linkMode, setFaults } from "#client/state/whatif.ts"
import { FAULTS_MAX, faultOf, has, keyOf, toggled, withFault } from "#client/state/whatif-faults.ts"
import { Combobox } from "#client/ui/combobox.tsx"
import { CloseIcon } from "#client/ui/icons.tsx"
import { faultName } from "#client/ui/whatif/words.ts"
import type { Fault, Srlg } from "#protocol/rest-generated.ts"

const ROWS = 8

export const FaultList = ({ srlgs }: { srlgs: readonly Srlg[] }) => (
  <section class="sim-faults panel" data-taken aria-labelledby="sim-faults-title">
    <header class="sim-head">
      <h2 id="sim-faults-title">{t("whatif.faults")}</h2>
      <span class="count num">{faults.value.length}</span>
      <span class="grow" />
      {faults.value.length > 0 && (
        <button type="button" class="text-button" onClick={() => setFaults([])}>
          {t("whatif.clear")}
        </button>
      )}
    </header>
    <Finder srlgs={srlgs} />
    <LinkMode />
    {faults.value.length >= FAULTS_MAX && <p class="quiet pad">{t("whatif.full", { count: FAULTS_MAX })}</p>}
    <ul class="sim-rows" aria-label={t("whatif.faults")}>
      {faults.value.map((fault) => (
        <Row key={keyOf(fault)} fault={fault} srlgs={srlgs} />
      ))}
    </ul>
  </section>
)

const LinkMode = () => (
  <p class="sim-mode">
    <span class="quiet" id="link-mode">
      {t("whatif.mode")}
    </span>
    <span class="segments" role="group" aria-labelledby="link-mode">
      {(["link", "drain"] as const).map((mode) => (
        <button
          key={mode}
          type="button"
          aria-pressed={linkMode.value === mode}
          title={t(`whatif.mode.${mode}.why`)}
          onClick={() => (linkMode.value = mode)}
        >
          {t(`whatif.mode.${mode}`)}
        </button>
      ))}
    </span>
  </p>
)

const Row = ({ fault, srlgs }: { fault: Fault; srlgs: readonly Srlg[] }) => {
  const name = faultName(fault, srlgs)
  const other = fault.kind === "link" ? "drain" : "link"
  return (
    <li>
      <span class={`chip sim-kind sim-kind-${fault.kind}`}>{t(`whatif.kind.${fault.kind}`)}</span>
      <span class="grow sim-name">{name}</span>
      {(fault.kind === "link" || fault.kind === "drain") && (
        <button
          type="button"
          class="text-button"
          aria-label={t(`whatif.turn.${other}.of`, { name })}
          onClick={() => setFaults(withFault(faults.peek(), { kind: other, link: fault.link }))}
        >
          {t(`whatif.turn.${other}`)}
        </button>
      )}
      {fault.kind === "router" && <WholeSite device={fault.device} />}
      <button
        type="button"
        class="icon-button"
        aria-label={t("whatif.remove", { name })}
        title={t("whatif.remove", { name })}
        onClick={() => setFaults(toggled(faults.peek(), fault))}
      >
        <CloseIcon />
      </button>
    </li>
  )
}

/** A router rarely fails alone where the power does. */
const WholeSite = ({ device }: { device: string }) => {
  const state = twin.value
  const slot = state?.nodeById.get(device)
  const site = slot === undefined ? undefined : state?.sites.id[state.nodes.site[slot] as number]
  if (state === null || site === undefined) return null
  const name = state.sites.name[state.sites.id.indexOf(site)] ?? site
  const grow = () => {
    const rest = faults.peek().filter((one) => !(one.kind === "router" && one.device === device))
    setFaults(withFault(rest, { kind: "site", site }))
  }
  return (
    <button type="button" class="text-button" aria-label={t("whatif.site.of", { name })} onClick={grow}>
      {t("whatif.site")}
    </button>
  )
}

interface Hit {
  readonly fault: Fault
  readonly title: string
  readonly detail: string
}

const Finder = ({ srlgs }: { srlgs: readonly Srlg[] }) => (
  <Combobox
    id="sim-hit"
    class="sim-search"
    name="fault"
    label={t("whatif.find")}
    placeholder={t("whatif.find.hint")}
    find={(query) => hitsOf(query, srlgs)}
    keyOf={({ fault }) => keyOf(fault)}
    choose={({ fault }) => setFaults(withFault(faults.peek(), fault))}
    row={(hit) => (
      <>
        <span class="chip">{t(`whatif.kind.${hit.fault.kind}`)}</span>
        <span class="grow ellipsis">{hit.title}</span>
        <span class="quiet">{has(faults.value, hit.fault) ? t("whatif.already") : hit.detail}</span>
      </>
    )}
    eager={srlgs.length > 0}
  />
)

/** Nothing typed yet: the groups, which cannot be pressed on the map. */
const hitsOf = (query: string, srlgs: readonly Srlg[]): readonly Hit[] => {
  const words = plain(query).split(/\s+/).filter(Boolean)
  const groups = srlgs
    .filter(({ name }) => words.every((word) => plain(name).includes(word)))
    .map(({ id, name, links, sites }) => ({
      fault: faultOf("srlg", id),
      title: name,
      detail: `${tCount("whatif.srlg.links", links.length)}, ${tCount("incident.sites", sites.length)}`,
    }))
  const state = twin.value
  if (state === null || words.length === 0) return groups.slice(0, ROWS)
  const found = search(state, query).map(({ kind, id, title, detail }) => ({
    fault: faultOf(kind === "device" ? "router" : kind === "link" ? linkMode.value : "site", id),
    title,
    detail,
  }))
  return [...groups.slice(0, ROWS / 2), ...found].slice(0, ROWS)
}
