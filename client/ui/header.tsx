/** The top line: whose network, which screen, search, how fresh, language, theme, help, sign-out. */
import { language, t } from "#client/i18n/translate.ts"
import { leave } from "#client/state/app.ts"
import { route } from "#client/state/route.ts"
import { may, session } from "#client/state/session.ts"
import { theme } from "#client/state/settings.ts"
import { screenOf } from "#client/screens/registry.ts"
import { HelpIcon, MoonIcon, SignOutIcon, SunIcon } from "#client/ui/icons.tsx"
import { LivePill } from "#client/ui/live-pill.tsx"
import { SearchBox } from "#client/ui/search-box.tsx"
import { helpOpen } from "#client/ui/shortcuts.ts"

export const Header = () => {
  const tenant = session.value?.tenant
  return (
    <header class="header">
      <div class="header-where">
        <strong class="ellipsis">{tenant?.name}</strong>
        <span class="quiet">{t(screenOf(route.value.screen).title)}</span>
        {tenant?.demo === true && <DemoBadge />}
      </div>
      {may("network.read") ? <SearchBox /> : <span />}
      <div class="header-tools">
        {may("network.read") && <LivePill />}
        <LanguageButton />
        <ThemeButton />
        <button
          type="button"
          class="icon-button"
          aria-label={t("help.open")}
          title={`${t("help.open")} (?)`}
          onClick={() => (helpOpen.value = true)}
        >
          <HelpIcon />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={t("signout")}
          title={`${t("signout")} (${session.value?.user.name ?? ""})`}
          onClick={() => void leave()}
        >
          <SignOutIcon />
        </button>
      </div>
    </header>
  )
}

/** Law 1: an emulated network says so wherever a person looks. */
export const DemoBadge = () => (
  <span class="demo" title={t("app.demo.why")} data-testid="demo">
    {t("app.demo")}
  </span>
)

export const LanguageButton = () => (
  <button
    type="button"
    class="icon-button language-button mono"
    lang={language.value === "en" ? "pt-BR" : "en"}
    aria-label={`${t("language.short")}: ${t("language.toggle")}`}
    title={t("language.toggle")}
    onClick={() => (language.value = language.value === "en" ? "pt-BR" : "en")}
  >
    {t("language.short")}
  </button>
)

export const ThemeButton = () => (
  <button
    type="button"
    class="icon-button theme-button"
    aria-label={t(`theme.${theme.value}`)}
    title={t(`theme.${theme.value}`)}
    onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")}
  >
    {theme.value === "dark" ? <MoonIcon /> : <SunIcon />}
  </button>
)
