/**
 * The API's handbook as one page, made out of the same OpenAPI document that is served: every operation with what it
 * takes, answers and needs. No script and nothing from elsewhere, so that its policy (DOCS_POLICY) can forbid both.
 */
import { createHash } from "node:crypto"
import { ROUTES, type RouteName } from "#engine/access/entries.ts"
import {
  answerSchema,
  bodySchema,
  operationsOf,
  typeOf,
  type OpenApiDocument,
  type Parameter,
  type PlacedOperation,
} from "#engine/api/generate-client.ts"
import { openApiText } from "#engine/api/openapi.ts"

const STYLE = `:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1.5rem}
nav ul{columns:16rem;padding-left:1.2rem}
h2{margin-top:3rem;border-bottom:1px solid}
h3{margin:2rem 0 .2rem;font-size:1rem}
code,pre{font:13px/1.45 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}
dt{float:left;clear:left;min-width:11rem;margin-right:1rem}dd{margin:0 0 .3rem 11rem}
p{margin:.2rem 0}`

/** The page loads nothing at all but its own style, named by its hash. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ")

let made: string | undefined
export const docsPage = (): string => (made ??= page(JSON.parse(openApiText()) as OpenApiDocument))

export const page = (document: OpenApiDocument): string => {
  const groups = Map.groupBy(operationsOf(document), ({ operationId }) => operationId.split(".", 1)[0] ?? "")
  const types = Object.keys(document.components.schemas)
    .filter((name) => !name.endsWith("Encoded"))
    .toSorted()
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Heliograph API</title><style>${STYLE}</style></head>
<body>
<h1>Heliograph API, version 1</h1>
<p>${escape(INTRODUCTION)}</p>
<p>The same as OpenAPI 3.1: <a href="/openapi.json">/openapi.json</a>.</p>
<nav aria-label="Operations"><ul>
${[...groups.values()]
  .flat()
  .map(({ operationId }) => `<li><a href="#${operationId}">${operationId}</a></li>`)
  .join("\n")}
</ul></nav>
<main>
${[...groups].map(([name, operations]) => `<h2 id="${name}">${name}</h2>\n${operations.map(section).join("\n")}`).join("\n")}
<h2 id="types">Types</h2>
${types.map((name) => `<h3 id="type-${escape(name)}">${escape(name)}</h3>\n<pre>${linked(typeOf(document.components.schemas[name]!))}</pre>`).join("\n")}
</main>
</body>
</html>
`
}

const INTRODUCTION =
  "Sign in by session cookie (POST /api/v1/session) or send an API key as `Authorization: Bearer`. Times are Unix " +
  "milliseconds, identifiers are opaque, a value that nobody measured is null or absent. Lists come in pages: ask again " +
  "with `cursor` = the `next` of the page before, until it is null. What is refused comes as RFC 9457 problems, told " +
  "apart by their `type`. Things of another tenant, or of sites that you may not see, answer 404."

const section = (operation: PlacedOperation): string => {
  const { operationId, method, path, summary } = operation
  const body = bodySchema(operation)
  const answer = answerSchema(operation)
  const rows = [
    ["needs", escape(needsOf(operationId))],
    ...(operation.parameters ?? []).map((one) => [`${escape(one.name)} (${one.in})`, parameter(one)]),
    ...(body === undefined ? [] : [["body", `<code>${linked(typeOf(body))}</code>`]]),
    ["answer", answer === undefined ? "nothing" : `<code>${linked(typeOf(answer))}</code>`],
    ["refusals", escape(refusals(operation))],
  ]
  return `<h3 id="${operationId}"><code>${method} ${escape(path)}</code></h3>
<p>${escape(summary ?? "")}</p>
<dl>${rows.map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}</dl>`
}

const needsOf = (operationId: string): string => {
  const policy = ROUTES[operationId as RouteName]
  switch (policy.kind) {
    case "public":
      return "nothing"
    case "self":
      return "to be signed in"
    case "local":
      return "the machine itself"
    case "needs":
      return `the permission ${policy.permission}`
  }
}

const parameter = ({ schema, required }: Parameter): string =>
  `<code>${linked(typeOf(schema))}</code>${required ? "" : ", optional"}`

/** Those that tell something of this operation; 401, 403, 429, 500 and 503 may come from any. */
const refusals = ({ responses }: PlacedOperation): string => {
  const own = Object.entries(responses).filter(
    ([status]) => status.startsWith("4") && !["401", "403", "429"].includes(status),
  )
  return own.map(([status, { description }]) => `${status} ${description ?? ""}`).join("; ") || "none of its own"
}

/** A type as HTML, with its names as links to where they are told. */
const linked = (type: string): string =>
  escape(type).replaceAll(/(?<![&\w"])[A-Z]\w+/g, (name) =>
    BUILT_IN.has(name) ? name : `<a href="#type-${name}">${name}</a>`,
  )
const BUILT_IN: ReadonlySet<string> = new Set(["ReadonlyArray", "Readonly", "Record"])

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
