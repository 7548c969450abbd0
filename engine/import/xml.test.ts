/** xml.ts: what it reads, and that nothing hostile gets through or takes long. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  readXml,
  XML_ATTRIBUTES_MAX,
  XML_DEPTH_MAX,
  XML_TAG_CHARS_MAX,
  XML_TEXT_CHARS_MAX,
  XmlRefused,
} from "#engine/import/xml.ts"

interface Read {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  text: string
  readonly inside: Read[]
}
const read = (source: string): Read => {
  const root: Read = { name: "", attributes: {}, text: "", inside: [] }
  const open = [root]
  readXml(source, {
    open: (name, attributes) => {
      const one: Read = { name, attributes: Object.fromEntries(attributes), text: "", inside: [] }
      open.at(-1)!.inside.push(one)
      open.push(one)
    },
    close: (name, text) => {
      const one = open.pop()!
      assert.equal(one.name, name)
      one.text = text
    },
  })
  return root.inside[0]!
}
const refusal = (source: string): string => {
  try {
    read(source)
  } catch (cause) {
    assert.ok(cause instanceof XmlRefused, String(cause))
    assert.ok(cause.at >= 0 && cause.at <= source.length, `${cause.at} of ${source.length}`)
    return cause.message
  }
  return assert.fail("it was taken")
}

test("elements, attributes of both quotes, text, entities, CDATA, comments, instructions, prefixes", () => {
  const found = read(
    `\uFEFF<?xml version="1.0"?><!-- <a> --><x:a b='"1"' c="&lt;&#65;&#x1F600;&amp;">t &gt; <![CDATA[<raw> &amp;]]><d/>u</x:a> `,
  )
  assert.deepEqual(found, {
    name: "a",
    attributes: { b: '"1"', c: "<A\u{1F600}&" },
    text: "t > <raw> &amp;u",
    inside: [{ name: "d", attributes: {}, text: "", inside: [] }],
  })
})

const CASES: ReadonlyArray<readonly [string, string, RegExp]> = [
  ["a document type", "<!DOCTYPE a []><a/>", /document types and entities/],
  [
    "a billion laughs",
    `<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>`,
    /document types and entities/,
  ],
  ["an entity inside", "<a><!ENTITY x 'y'></a>", /document types and entities/],
  ["an outer entity's name", "<a>&file;</a>", /"&file;" is no entity/],
  ["an entity without an end", "<a>&amp</a>", /no entity/],
  ["a lone ampersand", "<a>a & b</a>", /no entity/],
  ["prototype names", "<a>&toString;</a>", /no entity/],
  ["character zero", "<a>&#0;</a>", /no entity/],
  ["a surrogate by number", "<a>&#xD800;</a>", /no entity/],
  ["a character beyond all", "<a>&#x110000;</a>", /no entity/],
  ["nothing", "", /holds no element/],
  ["only a comment", "<!-- -->", /holds no element/],
  ["text before", "x<a/>", /outside of every element/],
  ["text after", "<a/>x", /outside of every element/],
  ["CDATA outside", "<![CDATA[x]]><a/>", /outside of every element/],
  ["two roots", "<a/><b/>", /second root/],
  ["crossed tags", "<a><b></a></b>", /<\/a> stands where <\/b> should/],
  ["a close too many", "</a>", /closes nothing/],
  ["no close", "<a><b></b>", /<a> is not closed/],
  ["a comment without end", "<a><!-- ", /a comment does not end/],
  ["CDATA without end", "<a><![CDATA[ ", /CDATA section does not end/],
  ["a tag without end", "<a b='1'", /the file ends before it/],
  ["a value without end", "<a b='1>", /the file ends before it/],
  ["an attribute without value", "<a b>", /attribute b has no value/],
  ["a value without quotes", "<a b=1>", /not in quotes/],
  ["an attribute twice", "<a b='1' b='2'/>", /stands here twice/],
  ["attributes without a space", "<a b='1'c='2'/>", /no attribute/],
  ["a tag in a value", "<a b='<c>'/>", /holds a </],
  ["no name", "<a>< b></a>", /begins no tag/],
  ["attributes of a close", "<a></a b='1'>", /no attribute/],
  ["depth", "<a>".repeat(XML_DEPTH_MAX + 1), /nested more than/],
  ["a long tag", `<a b='${"x".repeat(XML_TAG_CHARS_MAX)}'/>`, /longer than/],
  [
    "many attributes",
    `<a ${Array.from({ length: XML_ATTRIBUTES_MAX + 1 }, (_, n) => `b${n}='1'`).join(" ")}/>`,
    /more than 64 attributes/,
  ],
  ["a long text", `<a>${"x".repeat(XML_TEXT_CHARS_MAX + 1)}</a>`, /characters of text/],
]
for (const [name, source, words] of CASES) test(`refused by name: ${name}`, () => assert.match(refusal(source), words))

test("at the bounds it is still taken; space between elements counts for nothing", () => {
  read(`${"<a>".repeat(XML_DEPTH_MAX)}${"</a>".repeat(XML_DEPTH_MAX)}`)
  assert.equal(read(`<a>${"x".repeat(XML_TEXT_CHARS_MAX)}</a>`).text.length, XML_TEXT_CHARS_MAX)
  assert.equal(read(`<a>${`${" ".repeat(50_000)}<b/>`.repeat(4)}</a>`).inside.length, 4)
})

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
const name = fc.stringMatching(/^[a-zA-Z_][\w.-]{0,8}$/)
const chars = fc.string({ unit: "binary", maxLength: 12 }).filter((text) => text.isWellFormed())
const leaf = (inside: fc.Arbitrary<Read[]>): fc.Arbitrary<Read> =>
  fc.record(
    { name, attributes: fc.dictionary(name, chars, { maxKeys: 4, noNullPrototype: true }), text: chars, inside },
    { noNullPrototype: true },
  )
const tree = [1, 2, 3].reduce((below) => leaf(fc.array(below, { maxLength: 3 })), leaf(fc.constant([])))
const written = ({ name, attributes, text, inside }: Read): string =>
  `<${name}${Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escaped(value)}"`)
    .join("")}>${inside.map(written).join("")}${escaped(text)}</${name}>`

test("what was written is what is read", () => {
  fc.assert(fc.property(tree, (root) => assert.deepEqual(read(written(root)), root)))
})

test("anything at all is read or refused, and nothing else happens", () => {
  const pieces = fc.constantFrom(
    "<",
    ">",
    "/",
    "a",
    "b",
    "='",
    "'",
    '"',
    "&",
    ";",
    "#1",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    " ",
    "<a>",
    "</a>",
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(pieces, { maxLength: 40 }).map((list) => list.join("")),
        fc.string(),
      ),
      (source) => {
        try {
          read(source)
        } catch (cause) {
          assert.ok(cause instanceof XmlRefused, String(cause))
        }
      },
    ),
  )
})

test("[linear] what invites to look again and again is read once: the work grows with the file", () => {
  // Counted, not timed: the reader is asked as often as there are elements, whatever stands between them.
  for (const piece of ["<b/>", "<b>&amp;</b>", "<b><!-- < --></b>", "<b c='>'/>"]) {
    let opened = 0
    readXml(`<a>${piece.repeat(50_000)}</a>`, { open: () => void opened++, close: () => {} })
    assert.equal(opened, 50_001, piece)
  }
})
