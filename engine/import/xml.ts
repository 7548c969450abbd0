/**
 * The little of XML 1.0 that a GraphML file needs, read once from front to back: elements, attributes, text, CDATA. What a
 * stranger's file could do harm with is refused by name: document types and their entities (they expand and fetch), deep
 * nesting, endless tags. Well-formedness is checked; nothing is looked up, and no expression runs over the whole text.
 */

/** One element may hold another so many times. */
export const XML_DEPTH_MAX = 64
export const XML_ATTRIBUTES_MAX = 64
/** Of one tag with its attributes. */
export const XML_TAG_CHARS_MAX = 16_384
/** Of the text of one element. */
export const XML_TEXT_CHARS_MAX = 65_536

/** Its message is for whoever gave the file; `at` counts characters. */
export class XmlRefused extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

export interface XmlReader {
  /** `name` without its prefix; `at` is where its tag begins. */
  readonly open: (name: string, attributes: ReadonlyMap<string, string>, at: number) => void
  /** Of the element that was opened last and is closed now; `text` = all of its own, entities resolved. */
  readonly close: (name: string, text: string, at: number) => void
}

/** Throws XmlRefused. What the reader throws comes out as it is. */
export const readXml = (source: string, reader: XmlReader): void => {
  const open: Array<{ readonly name: string; text: string }> = []
  let hadRoot = false
  let at = source.startsWith("\uFEFF") ? 1 : 0
  while (at < source.length) {
    const tag = source.indexOf("<", at)
    const end = tag < 0 ? source.length : tag
    const text = source.slice(at, end)
    const top = open.at(-1)
    if (top !== undefined) addText(top, resolved(text, at), at)
    else if (text.trim() !== "") throw new XmlRefused(at, "text stands outside of every element")
    if (tag < 0) break
    if (source.startsWith("<!--", tag)) at = after(source, "-->", tag + 4, "a comment")
    else if (source.startsWith("<![CDATA[", tag)) {
      at = after(source, "]]>", tag + 9, "a CDATA section")
      if (top === undefined) throw new XmlRefused(tag, "text stands outside of every element")
      addText(top, source.slice(tag + 9, at - 3), tag)
    } else if (source.startsWith("<?", tag)) at = after(source, "?>", tag + 2, "an instruction")
    else if (source.startsWith("<!", tag))
      throw new XmlRefused(tag, "document types and entities of its own (<!DOCTYPE, <!ENTITY) are not taken")
    else {
      const read = readTag(source, tag)
      at = read.end
      if (read.kind === "close") {
        const closed = open.pop()
        if (closed?.name !== read.name)
          throw new XmlRefused(
            tag,
            closed === undefined
              ? `</${read.name}> closes nothing`
              : `</${read.name}> stands where </${closed.name}> should`,
          )
        reader.close(local(read.name), closed.text, tag)
        continue
      }
      if (open.length === 0 && hadRoot) throw new XmlRefused(tag, "a second root element")
      if (open.length >= XML_DEPTH_MAX) throw new XmlRefused(tag, `is nested more than ${XML_DEPTH_MAX} deep`)
      hadRoot = true
      reader.open(local(read.name), read.attributes, tag)
      if (read.kind === "alone") reader.close(local(read.name), "", tag)
      else open.push({ name: read.name, text: "" })
    }
  }
  const left = open.at(-1)
  if (left !== undefined) throw new XmlRefused(source.length, `<${left.name}> is not closed: the file ends before it`)
  if (!hadRoot) throw new XmlRefused(0, "holds no element")
}

const addText = (top: { text: string }, text: string, at: number): void => {
  if (text.length + top.text.length > XML_TEXT_CHARS_MAX && text.trim() !== "")
    throw new XmlRefused(at, `one element holds more than ${XML_TEXT_CHARS_MAX} characters of text`)
  if (top.text.length + text.length <= XML_TEXT_CHARS_MAX) top.text += text
}

const after = (source: string, mark: string, from: number, what: string): number => {
  const end = source.indexOf(mark, from)
  if (end < 0) throw new XmlRefused(from, `${what} does not end`)
  return end + mark.length
}

type Tag =
  | { readonly kind: "close"; readonly name: string; readonly end: number }
  | {
      readonly kind: "open" | "alone"
      readonly name: string
      readonly attributes: ReadonlyMap<string, string>
      readonly end: number
    }

const NAME = /[\p{L}_:][\p{L}\p{N}_:.-]*/uy
const SPACE = /[ \t\r\n]*/y

/** Moves a sticky expression; "" = it does not match here. Bounded by XML_TAG_CHARS_MAX, as names and spaces stand in tags. */
const take = (expression: RegExp, tag: string, at: number): string => {
  expression.lastIndex = at
  return expression.exec(tag)?.[0] ?? ""
}

const readTag = (source: string, start: number): Tag => {
  const tag = source.slice(start, start + XML_TAG_CHARS_MAX)
  const isClose = tag[1] === "/"
  let at = isClose ? 2 : 1
  const name = take(NAME, tag, at)
  if (name === "") throw new XmlRefused(start, "< begins no tag here (write &lt;)")
  at += name.length
  const attributes = new Map<string, string>()
  for (;;) {
    const space = take(SPACE, tag, at)
    at += space.length
    if (tag[at] === ">") break
    if (tag[at] === "/" && tag[at + 1] === ">" && !isClose) {
      return { kind: "alone", name, attributes, end: start + at + 2 }
    }
    const key = isClose || space === "" ? "" : take(NAME, tag, at)
    if (key === "") throw new XmlRefused(start + at, unfinished(source, start, tag, at))
    at += key.length
    at += take(SPACE, tag, at).length
    if (tag[at] !== "=") throw new XmlRefused(start + at, `the attribute ${key} has no value`)
    at += 1 + take(SPACE, tag, at + 1).length
    const quote = tag[at]
    if (quote !== '"' && quote !== "'") throw new XmlRefused(start + at, `the value of ${key} is not in quotes`)
    const end = tag.indexOf(quote, at + 1)
    if (end < 0) throw new XmlRefused(start + at, unfinished(source, start, tag, tag.length))
    const value = tag.slice(at + 1, end)
    if (value.includes("<")) throw new XmlRefused(start + at, `the value of ${key} holds a <`)
    if (attributes.has(key)) throw new XmlRefused(start + at, `the attribute ${key} stands here twice`)
    if (attributes.size >= XML_ATTRIBUTES_MAX)
      throw new XmlRefused(start + at, `has more than ${XML_ATTRIBUTES_MAX} attributes`)
    attributes.set(key, resolved(value, start + at))
    at = end + 1
  }
  return isClose
    ? { kind: "close", name, end: start + at + 1 }
    : { kind: "open", name, attributes, end: start + at + 1 }
}

const unfinished = (source: string, start: number, tag: string, at: number): string =>
  at < tag.length
    ? "a tag holds what is no attribute"
    : start + tag.length < source.length
      ? `a tag is longer than ${XML_TAG_CHARS_MAX} characters`
      : "a tag does not end: the file ends before it"

const local = (name: string): string => name.slice(name.lastIndexOf(":") + 1)

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }

/** The five entities that XML has, and characters by number. Others would have to be defined, which is refused. */
const resolved = (text: string, at: number): string => {
  if (!text.includes("&")) return text
  return text.replaceAll(/&([^;&\s]{0,32};?)/g, (whole: string, inside: string, offset: number) => {
    const name = inside.endsWith(";") ? inside.slice(0, -1) : null
    const known = name === null ? undefined : Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : character(name)
    if (known === undefined)
      throw new XmlRefused(at + offset, `${JSON.stringify(whole.slice(0, 20))} is no entity that XML itself has`)
    return known
  })
}

const character = (name: string): string | undefined => {
  const code = /^#\d{1,7}$/.test(name)
    ? Number(name.slice(1))
    : /^#x[0-9a-f]{1,6}$/i.test(name)
      ? Number.parseInt(name.slice(2), 16)
      : Number.NaN
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
  return isCharacter ? String.fromCodePoint(code) : undefined
}
