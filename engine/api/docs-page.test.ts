/** The handbook page: every operation stands in it, every link leads somewhere, and nothing in it can run or load. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { ROUTES } from "#engine/access/entries.ts"
import { DOCS_POLICY, docsPage, page } from "#engine/api/docs-page.ts"
import { operationsOf, type OpenApiDocument } from "#engine/api/generate-client.ts"
import { openApiText } from "#engine/api/openapi.ts"

const document = JSON.parse(openApiText()) as OpenApiDocument

test("[O13] every operation has a summary and stands in the page with what it needs", () => {
  const text = docsPage()
  for (const { operationId, summary } of operationsOf(document)) {
    assert.ok((summary ?? "").length > 0, `${operationId} has no summary`)
    assert.ok(text.includes(`id="${operationId}"`), operationId)
  }
  assert.equal([...text.matchAll(/<dt>needs<\/dt>/g)].length, Object.keys(ROUTES).length)
})

test("[O13] every link inside the page leads to something in it", () => {
  const text = docsPage()
  const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]))
  const links = [...text.matchAll(/href="#([^"]+)"/g)].map((match) => match[1])
  assert.ok(links.length > 50)
  assert.deepEqual(
    links.filter((link) => !ids.has(link)),
    [],
  )
})

test("[S9] no script, no style but the one that the policy names, nothing from elsewhere, and words are escaped", () => {
  const evil = "</code><script>alert(1)</script><img src=x onerror=alert(1)>"
  const operation = { ...document.paths["/api/v1/status"]!["get"]!, summary: evil }
  const text = page({ ...document, paths: { "/api/v1/status": { get: operation } } })
  for (const one of [text, docsPage()]) {
    assert.ok(!/<script|<img|<link|<iframe|\son\w+=|javascript:/i.test(one.replaceAll(/&lt;.*?&gt;/g, "")))
    const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(one) ?? []
    assert.ok(DOCS_POLICY.includes(createHash("sha256").update(style).digest("base64")))
    assert.ok(!/(?:src|href)="(?!#|\/openapi\.json)/.test(one))
  }
  assert.ok(!/script-src|unsafe|\*/.test(DOCS_POLICY))
  assert.ok(DOCS_POLICY.startsWith("default-src 'none'"))
})
