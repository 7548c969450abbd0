/**
 * The one way in which text becomes code here (W3C Trusted Types; the engine's policy demands it): addresses of our own
 * bundled assets, for the workers that MapLibre starts. There is no way to make HTML or script of text, so what a device
 * or a stranger wrote cannot become either. Loaded before everything else.
 */
interface PolicyFactory {
  readonly createPolicy: (
    name: "default",
    rules: { readonly createScriptURL: (url: string) => string | null },
  ) => unknown
}

/** Null = refused, and reported as a violation. */
export const ownAsset = (text: string, base: string): string | null => {
  const url = URL.parse(text, base)
  return url !== null && url.origin === new URL(base).origin && /^\/assets\/[\w.-]+\.m?js$/.test(url.pathname)
    ? url.href
    : null
}

const factory = (globalThis as { readonly trustedTypes?: PolicyFactory }).trustedTypes
// Browsers without Trusted Types ignore the directive too.
factory?.createPolicy("default", { createScriptURL: (url) => ownAsset(url, document.baseURI) })
