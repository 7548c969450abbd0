/**
 * The operator's handbook, served by the engine itself, so that the runbook of an alert is one click away at night and needs
 * no internet: `docs/x.md` is `/handbook/x`. Read once and kept; what is not there is 404.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { handbookPage } from "#engine/http/handbook-page.ts"

const DOCS = fileURLToPath(new URL("../../docs", import.meta.url))
export const HANDBOOK = "/handbook/"
/** Folders of docs/ whose pages are for operators. */
const FOLDERS = ["", "runbooks/", "security/"] as const

const made = new Map<string, string>()

/** The HTML of `/handbook/runbooks/cpu-high`; null = no such page. A folder's own page is its README. */
export const handbookAt = (path: string): string | null => {
  const name = path.slice(HANDBOOK.length)
  const known = made.get(name)
  if (known !== undefined) return known
  const folder = FOLDERS.findLast((one) => name.startsWith(one)) ?? ""
  const page = name.slice(folder.length)
  // Looked up in the folder's own list: no path of a request ever reaches the file system.
  const file = pagesOf(folder).find((one) => one === `${page === "" ? "README" : page}.md`)
  const text = name === "" ? contents() : file === undefined ? null : readFileSync(join(DOCS, folder, file), "utf8")
  if (text === null) return null
  const html = handbookPage(text, folder)
  made.set(name, html)
  return html
}

const pagesOf = (folder: string): readonly string[] => {
  const path = join(DOCS, folder)
  return existsSync(path) ? readdirSync(path).filter((file) => file.endsWith(".md")) : []
}

const contents = (): string => {
  const list = (folder: string): string =>
    pagesOf(folder)
      .map((file) => `- [${titleOf(folder, file)}](${folder}${file})`)
      .join("\n")
  return `# Handbook\n\n${FOLDERS.map((folder) => `${folder === "" ? "" : `## ${folder.slice(0, -1)}\n\n`}${list(folder)}`).join("\n\n")}\n`
}

const titleOf = (folder: string, file: string): string =>
  /^# (.+)$/m.exec(readFileSync(join(DOCS, folder, file), "utf8"))?.[1]?.replaceAll(/[[\]`]/g, "") ?? file
