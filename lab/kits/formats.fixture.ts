/** Just enough of XML and of YAML to read the kit's own files back, strictly: whatever else stands there is an error. */

export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: XmlElement[]
  text: string
}

/** Elements, attributes in double quotes, text, the five entities. Throws at what is not well-formed. */
export const parseXml = (source: string): XmlElement => {
  const root: XmlElement = { name: "", attributes: {}, children: [], text: "" }
  const open: XmlElement[] = [root]
  const token = /<\?xml[^?]*\?>|<(\/?)([A-Za-z][\w.-]*)((?:\s+[A-Za-z][\w.-]*="[^"<]*")*)\s*(\/?)>|([^<]+)/gy
  let at = 0
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    at = token.lastIndex
    const [all, closing, name, attributes = "", empty, text] = match
    const top = open.at(-1)!
    if (text !== undefined) top.text += unescaped(text)
    else if (all.startsWith("<?")) {
      if (match.index !== 0) throw new Error("XML declaration is not at the start")
    } else if (closing === "/") {
      if (open.pop()!.name !== name) throw new Error(`</${name}> closes <${top.name}>`)
    } else {
      const pairs = [...attributes.matchAll(/([\w.-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, unescaped(value!)])
      if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error(`<${name}> has an attribute twice`)
      const element = { name: name!, attributes: Object.fromEntries(pairs), children: [], text: "" }
      top.children.push(element)
      if (empty !== "/") open.push(element)
    }
  }
  if (at !== source.length) throw new Error(`not well-formed at ${at}: ${source.slice(at, at + 40)}`)
  if (open.length !== 1 || root.children.length !== 1) throw new Error("not exactly one root element, closed")
  return root.children[0]!
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }
const unescaped = (text: string): string =>
  text.replaceAll(/&([^;]*);?/g, (all, name: string) => {
    if (!all.endsWith(";") || !Object.hasOwn(ENTITIES, name)) throw new Error(`bad entity ${all}`)
    return ENTITIES[name]!
  })

export type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml }

/** Maps and lists by indentation of two, plain and double-quoted scalars, one flow list of quoted scalars. */
export const parseYaml = (source: string): Yaml => {
  const lines = source
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ indent: line.length - line.trimStart().length, text: line.trim() }))
  const block = (indent: number): Yaml => {
    const first = lines[0]
    if (first === undefined || first.indent !== indent) throw new Error(`wrong indentation: ${first?.text}`)
    return first.text.startsWith("- ") ? items(indent) : map(indent)
  }
  const items = (indent: number): Yaml => {
    const list: Yaml[] = []
    while (lines[0]?.indent === indent && lines[0].text.startsWith("- ")) {
      const { text } = lines[0]
      lines[0] = { indent: indent + 2, text: text.slice(2) }
      if (/^[\w-]+:( |$)/.test(text.slice(2))) list.push(map(indent + 2))
      else list.push(scalar(lines.shift()!.text))
    }
    return list
  }
  const map = (indent: number): Yaml => {
    const entries: Record<string, Yaml> = {}
    while (lines[0]?.indent === indent) {
      const match = /^([\w-]+):(?: (.+))?$/.exec(lines.shift()!.text)
      if (match === null) throw new Error("a map's line is not `key: value`")
      const [, key, value] = match
      if (Object.hasOwn(entries, key!)) throw new Error(`${key} twice`)
      entries[key!] = value === undefined ? block(indent + 2) : scalar(value)
    }
    return entries
  }
  const all = block(0)
  if (lines.length > 0) throw new Error(`left over: ${lines[0]!.text}`)
  return all
}

const scalar = (text: string): Yaml => {
  if (text.startsWith("[")) return JSON.parse(text) as string[]
  if (text.startsWith('"')) return JSON.parse(text) as string
  if (/^[\w./-]+$/.test(text)) return text
  throw new Error(`a plain scalar with special characters: ${text}`)
}
