/** [I16] The handbook that is served: every rule's runbook resolves, and no page can do more than be read. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, test } from "node:test"
import fc from "fast-check"
import { handbookPage } from "#engine/http/handbook-page.ts"
import { handbookAt } from "#engine/http/handbook.ts"
import { PACKS } from "#twin/alert/packs/registry.ts"

const main = (html: string): string => html.slice(html.indexOf("<main>") + 7, html.indexOf("</main>") - 1)
const rendered = (markdown: string, folder = ""): string => main(handbookPage(markdown, folder))

describe("pages", () => {
  test("[I16] the runbook of every shipped rule is a page, and every link in the handbook leads to one", () => {
    const rules = PACKS.flatMap(({ rules: all }) => all.map(({ rule }) => rule.annotations.runbook_url))
    assert.ok(rules.length >= 40)
    for (const address of rules) {
      const path = address.replace(/^docs\//, "/handbook/").replace(/\.md$/, "")
      assert.match(handbookAt(path) ?? "none", /<h1>/, address)
    }
    const pages = ["", "runbooks/", "security/"].flatMap((folder) =>
      readdirSync(new URL(`../../docs/${folder}`, import.meta.url))
        .filter((file) => file.endsWith(".md"))
        .map((file) => `/handbook/${folder}${file.slice(0, -3)}`),
    )
    for (const page of ["/handbook/", ...pages])
      for (const [, target] of (handbookAt(page) as string).matchAll(/href="(\/handbook\/[^"#]*)/g))
        assert.notEqual(handbookAt(target as string), null, `${page} leads to ${target}`)
  })

  test("what is not a page is none, whatever its path says", () => {
    for (const path of [
      "/handbook/no",
      "/handbook/../package",
      "/handbook/runbooks/../../package",
      "/handbook/map.png",
      "/handbook/runbooks/..%2f",
    ])
      assert.equal(handbookAt(path), null, path)
  })

  test("our pages keep no mark of Markdown outside code", () => {
    for (const file of readdirSync(new URL("../../docs/runbooks/", import.meta.url))) {
      const html = rendered(readFileSync(new URL(`../../docs/runbooks/${file}`, import.meta.url), "utf8"), "runbooks/")
      const words = html.replaceAll(/<pre>[\s\S]*?<\/pre>|<code>.*?<\/code>|<[^>]+>/g, "")
      assert.doesNotMatch(words, /```|\]\(|^#|\*\*/m, file)
    }
  })
})

describe("Markdown", () => {
  test("headings, lists, tables, code", () => {
    assert.equal(rendered("## A `b` **c**"), "<h2>A <code>b</code> <b>c</b></h2>")
    assert.equal(rendered("one\ntwo\n\nthree"), "<p>one two</p>\n<p>three</p>")
    assert.equal(rendered("1. a\n2. b\n  more"), "<ol><li>a</li><li>b more</li></ol>")
    assert.equal(
      rendered("| a | b |\n|---|---|\n| `x` | y\\|z |"),
      "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code>x</code></td><td>y|z</td></tr></tbody></table>",
    )
    assert.equal(rendered("```\n<a> **b**\n```"), "<pre>&lt;a&gt; **b**</pre>")
    assert.equal(rendered("```\nnever closed"), "<pre>never closed</pre>")
  })

  test("links lead into the handbook or to https, and nowhere else", () => {
    assert.equal(rendered("[a](rules.md)"), '<p><a href="/handbook/rules">a</a></p>')
    assert.equal(rendered("[a](../rules.md#x)", "runbooks/"), '<p><a href="/handbook/rules#x">a</a></p>')
    assert.equal(
      rendered("[a](https://x.example)"),
      '<p><a href="https://x.example" rel="noopener noreferrer">a</a></p>',
    )
    for (const bad of ["javascript:alert.md", "http://x", "//x/y.md", "../../x.md", "data:x", 'x".md'])
      assert.equal(rendered(`[a](${bad})`).includes("href"), false, bad)
  })

  test("any text gives a page that ends, with no tag and no attribute of the text's own", () => {
    const hostile = fc.array(
      fc.constantFrom(
        "<script>",
        "</pre>",
        '"',
        "'",
        "&",
        "`",
        "**",
        "[",
        "](",
        ")",
        "|",
        "\n",
        "#",
        "1. ",
        "- ",
        "```\n",
        "x",
        "https://",
        "onload=",
      ),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(hostile, (parts) => {
        const html = rendered(parts.join(""))
        const tags = html.replaceAll(/<\/?(?:h[1-6]|p|pre|code|b|ul|ol|li|table|thead|tbody|tr|th|td)>/g, "")
        const rest = tags.replaceAll(
          /<a href="(?:https:\/\/|\/handbook\/)[^"<>]*"(?: rel="noopener noreferrer")?>|<\/a>/g,
          "",
        )
        assert.doesNotMatch(rest, /[<>"]/)
      }),
      { numRuns: 2000 },
    )
  })
})
