/**
 * A page of the operator's handbook (docs/*.md) as HTML without script: the few parts of Markdown that our own pages use
 * (headings, paragraphs, lists, tables, fenced code, `code`, **bold**, links). Everything is escaped first, and a link leads
 * to another page of the handbook or to an https address, so that a page can be no worse than its text.
 */
import { createHash } from "node:crypto"

const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.55 system-ui,sans-serif;max-width:48rem;margin:0 auto;padding:1.5rem}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{padding:.8rem;border:1px solid;border-radius:.4rem;overflow-x:auto}
code{overflow-wrap:anywhere}
table{border-collapse:collapse}td,th{border:1px solid;padding:.3rem .6rem;text-align:left;vertical-align:top}
img{max-width:100%}`

/** The page loads nothing at all but its own style, named by its hash. */
export const HANDBOOK_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ")

/** `folder` = where the page lies under docs/, "" or "runbooks/": relative links start there. */
export const handbookPage = (markdown: string, folder: string): string => {
  const blocks = blocksOf(markdown.replaceAll("\r\n", "\n").split("\n"))
  const title = /^# (.+)$/m.exec(markdown)?.[1] ?? "Handbook"
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)} - Heliograph</title><style>${STYLE}</style></head>
<body>
<nav><a href="/handbook/">Handbook</a></nav>
<main>
${blocks.map((block) => htmlOf(block, folder)).join("\n")}
</main>
</body>
</html>
`
}

type Block =
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  | { readonly kind: "code"; readonly lines: readonly string[] }
  | { readonly kind: "list"; readonly ordered: boolean; readonly items: readonly string[] }
  | { readonly kind: "table"; readonly rows: ReadonlyArray<readonly string[]> }
  | { readonly kind: "paragraph"; readonly text: string }

const ITEM = /^(?:[*-]|(\d+)\.) +(.*)$/
const isRow = (line: string): boolean => line.startsWith("|")
const isPlain = (line: string): boolean =>
  line.trim() !== "" && !line.startsWith("#") && !line.startsWith("```") && !ITEM.test(line) && !isRow(line)

const blocksOf = (lines: readonly string[]): readonly Block[] => {
  const blocks: Block[] = []
  let at = 0
  const take = (accept: (line: string) => boolean): string[] => {
    const from = at
    while (at < lines.length && accept(lines[at] as string)) at++
    return lines.slice(from, at)
  }
  while (at < lines.length) {
    const line = lines[at] as string
    const heading = /^(#{1,6}) +(.*)$/.exec(line)
    if (line.trim() === "") at++
    else if (line.startsWith("```")) {
      at++
      blocks.push({ kind: "code", lines: take((one) => !one.startsWith("```")) })
      at++
    } else if (heading !== null) {
      blocks.push({ kind: "heading", level: (heading[1] as string).length, text: heading[2] as string })
      at++
    } else if (isRow(line)) blocks.push({ kind: "table", rows: rowsOf(take(isRow)) })
    else if (ITEM.test(line)) blocks.push(listOf(take((one) => ITEM.test(one) || /^ {2,}\S/.test(one))))
    // A line that begins like nothing else ("#tag") is a paragraph of its own.
    else blocks.push({ kind: "paragraph", text: (isPlain(line) ? take(isPlain) : [lines[at++] as string]).join(" ") })
  }
  return blocks
}

const listOf = (lines: readonly string[]): Block => {
  const items: string[] = []
  for (const line of lines) {
    const item = ITEM.exec(line)
    if (item === null) items[items.length - 1] += ` ${line.trim()}`
    else items.push(item[2] as string)
  }
  return { kind: "list", ordered: /^\d/.test(lines[0] as string), items }
}

/** The second row of a table only rules it off. */
const rowsOf = (lines: readonly string[]): ReadonlyArray<readonly string[]> =>
  lines
    .map((line) =>
      line
        .replace(/^\||\|\s*$/g, "")
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    )
    .filter((cells) => !cells.every((cell) => /^:?-+:?$/.test(cell)))

const htmlOf = (block: Block, folder: string): string => {
  const inline = (text: string): string => inlineHtml(text, folder)
  switch (block.kind) {
    case "heading":
      return `<h${block.level}>${inline(block.text)}</h${block.level}>`
    case "code":
      return `<pre>${escaped(block.lines.join("\n"))}</pre>`
    case "list": {
      const tag = block.ordered ? "ol" : "ul"
      return `<${tag}>${block.items.map((item) => `<li>${inline(item)}</li>`).join("")}</${tag}>`
    }
    case "table": {
      const [head = [], ...body] = block.rows
      const row = (cells: readonly string[], tag: string): string =>
        `<tr>${cells.map((cell) => `<${tag}>${inline(cell)}</${tag}>`).join("")}</tr>`
      return `<table><thead>${row(head, "th")}</thead><tbody>${body.map((cells) => row(cells, "td")).join("")}</tbody></table>`
    }
    case "paragraph":
      return `<p>${inline(block.text)}</p>`
  }
}

/** Code first: nothing inside it is anything but text. */
const inlineHtml = (text: string, folder: string): string =>
  text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.length > 2 && part.startsWith("`") && part.endsWith("`")
        ? `<code>${escaped(part.slice(1, -1))}</code>`
        : escaped(part)
            .replaceAll(/\*\*([^*]+)\*\*/g, "<b>$1</b>")
            .replaceAll(/!?\[([^\]]+)\]\(([^()\s]+)\)/g, (_all, label: string, target: string) =>
              link(label, target, folder),
            ),
    )
    .join("")

const link = (label: string, target: string, folder: string): string => {
  if (target.startsWith("https://")) return `<a href="${target}" rel="noopener noreferrer">${label}</a>`
  const [path = "", hash] = target.split("#")
  const page = pageAt(folder, path)
  return page === null ? label : `<a href="/handbook/${page}${hash === undefined ? "" : `#${hash}`}">${label}</a>`
}

/** `runbooks/cpu-high` of `../runbooks/cpu-high.md`; null for what is no page of the handbook. */
const pageAt = (folder: string, path: string): string | null => {
  if (!path.endsWith(".md")) return null
  const parts = folder.split("/").filter((part) => part !== "")
  for (const part of path.slice(0, -3).split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return null
    } else if (part !== ".") parts.push(part)
  }
  return parts.every((part) => /^[A-Za-z0-9-]+$/.test(part)) ? parts.join("/") : null
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] as string)
