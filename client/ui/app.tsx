/** The frame around every screen: rail, header, banner, the chosen screen, help, and the voice for screen readers. */
import { useSignal, useSignalEffect } from "@preact/signals"
import { Component } from "preact"
import type { ComponentChildren } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { t } from "#client/i18n/translate.ts"
import { openScreens, screenOf } from "#client/screens/registry.ts"
import type { Screen } from "#client/screens/registry.ts"
import { shownReplay, trouble, twin } from "#client/state/app.ts"
import { invitationToken } from "#client/state/invitation.ts"
import { ANNOUNCE_MS } from "#client/state/limits.ts"
import { screenOpen } from "#client/state/places.ts"
import { formatRoute, go, route } from "#client/state/route.ts"
import { may, mustEnrol, session } from "#client/state/session.ts"
import { singleKeys } from "#client/state/settings.ts"
import { Enrol } from "#client/ui/enrol.tsx"
import { GrantBanner } from "#client/ui/grant-banner.tsx"
import { Header } from "#client/ui/header.tsx"
import { Help } from "#client/ui/help.tsx"
import { BrandIcon } from "#client/ui/icons.tsx"
import { Invitation } from "#client/ui/invitation.tsx"
import { StaleBanner } from "#client/ui/live-pill.tsx"
import { focusSearch } from "#client/ui/search-focus.ts"
import { helpOpen, moveInList, SHORTCUTS } from "#client/ui/shortcuts.ts"
import { SignIn } from "#client/ui/sign-in.tsx"

export const App = () => {
  if (session.value === undefined) return null
  if (invitationToken.value !== null) return <Invitation token={invitationToken.value} />
  if (session.value === null) return <SignIn />
  return mustEnrol.value ? <Enrol /> : <Shell />
}

const Shell = () => {
  useEffect(() => {
    document.addEventListener("keydown", onKeyDown)
    return () => document.removeEventListener("keydown", onKeyDown)
  }, [])
  useFirstSetup()
  const screen = screenOf(route.value.screen)
  const View = screen.view
  const open = openScreens()
  return (
    <div class="shell">
      <nav class="rail" aria-label={t("nav.label")}>
        <span class="brand" title={t("app.name")}>
          <BrandIcon />
        </span>
        {open.map((item) => item.rail === "top" && <RailItem key={item.id} item={item} current={screen.id} />)}
        <span class="grow" />
        {open.map((item) => item.rail === "bottom" && <RailItem key={item.id} item={item} current={screen.id} />)}
      </nav>
      <Header />
      <main class="main">
        <GrantBanner />
        {may("network.read") && <StaleBanner />}
        <Boundary key={screen.id}>
          <View />
        </Boundary>
      </main>
      <Help />
      <Announcer />
    </div>
  )
}

const RailItem = ({ item, current }: { item: Screen; current: string }) => {
  const { id, title, icon: Icon, badge } = item
  const Badge = badge?.view
  const label = [t(title), badge?.text()].filter(Boolean).join(": ")
  return (
    <a
      href={formatRoute({ ...route.value, screen: id, tab: null, item: null })}
      class="rail-item"
      aria-label={label}
      title={label}
      aria-current={id === current ? "page" : undefined}
    >
      <Icon />
      {Badge !== undefined && <Badge />}
    </a>
  )
}

/** An empty network opens the setup, once: whoever goes back to the empty map has seen it. */
const useFirstSetup = () => {
  const offered = useRef(false)
  useSignalEffect(() => {
    const state = twin.value
    if (state === null || offered.current || shownReplay.value !== null) return
    offered.current = true
    if (state.nodes.id.length === 0 && route.peek().screen === "map" && screenOpen("setup")) go({ screen: "setup" })
  })
}

const onKeyDown = (event: KeyboardEvent): void => {
  // An open dialog has the keyboard, also when nothing in it has the focus.
  if (document.querySelector("dialog[open]") !== null) return
  const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") focusSearch()
  else if (event.ctrlKey || event.metaKey || event.altKey || helpOpen.peek()) return
  else if (event.key === "Escape" && !typing) go({ selection: null })
  else if (typing) return
  else if (isRow(event.target) && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    moveInList(event.key === "ArrowDown" ? 1 : -1)
  } else {
    const shortcut = SHORTCUTS.find(({ keys, on }) => keys.includes(event.key) && isHere(on, event.target))
    // Only letters and signs are typed by accident (WCAG 2.1.4).
    if (shortcut === undefined || (event.key.length === 1 && event.key !== " " && !singleKeys.peek())) return
    shortcut.run()
  }
  event.preventDefault()
}
/** Keys of one screen leave its buttons and its map their own meaning. */
const isHere = (on: string | undefined, target: EventTarget | null): boolean => {
  if (on === undefined) return true
  if (route.peek().screen !== on) return false
  return !(target instanceof HTMLElement && target.closest("button, a, [data-testid=map]") !== null)
}
const isRow = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.hasAttribute("data-row")

/** Tells screen readers of new critical trouble, at most one message every few seconds. */
const Announcer = () => {
  const said = useRef({ known: new Set<string>(), atMs: 0 })
  const text = useSignal("")
  useSignalEffect(() => {
    // What was critical then is no news.
    const critical = shownReplay.value === null ? trouble.value.filter(({ mark }) => mark === "critical") : []
    const fresh = critical.find(({ id }) => !said.current.known.has(id))
    const now = performance.now()
    if (fresh !== undefined && said.current.known.size > 0 && now - said.current.atMs < ANNOUNCE_MS) return
    said.current = { known: new Set(critical.map(({ id }) => id)), atMs: fresh === undefined ? said.current.atMs : now }
    if (fresh !== undefined) text.value = `${t("mark.critical")}: ${fresh.title}, ${t(`health.${fresh.health}`)}`
  })
  return (
    <p class="unseen" role="status" aria-live="polite">
      {text.value}
    </p>
  )
}

/** One broken screen must not take the others with it. */
class Boundary extends Component<{ children: ComponentChildren }, { reason: string | null }> {
  override state = { reason: null }
  override componentDidCatch(error: unknown): void {
    this.setState({ reason: error instanceof Error ? error.message : String(error) })
  }
  override render() {
    if (this.state.reason === null) return this.props.children
    return (
      <div class="calm" role="alert">
        <strong>{t("error.title")}</strong>
        <p class="quiet">{t("error.detail", { reason: this.state.reason })}</p>
      </div>
    )
  }
}
