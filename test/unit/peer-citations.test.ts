/** Comments, tests and vectors cite rules of other systems; a reader must be able to open what they cite. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const PEERS = 'docs/peers'
const SELF = 'test/unit/peer-citations.test.ts'
const ROOTS = ['src', 'test', 'bench', 'migrations', 'scripts', 'docs', 'deploy', '.ci']
const SINGLE = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'openapi.yaml']

/** Names of working papers that never were in this repository. */
const OUT_OF_REACH =
  /\b(?:octavia|elb)-api(?:\.md)?,? (?:sections? )?\d|\bprobe-semantics\b|\bhouse-style\b|\bkuma-greymatter\b|\bDESIGN\b|\btrap \d/

/** A section of something, and what stands before it: it must say of which document. */
const SECTION = /(.{0,80})\b[Ss]ections? (?=[0-9])/g
/** Published documents that have sections. */
const PUBLISHED = /\b(?:RFC \d+(?:bis)?|WHATWG HTML|X\.690|CloudEvents)\b(?!.*[.:;] )/

/** Words for a document that the reader would have to guess. */
const UNNAMED = /\b[Tt]he reference[’']s\b|\bof the reference\b(?! [Mm]anual)|\bas measured there\b|§/

interface Source {
  readonly file: string
  readonly text: string
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.split('/').includes('node_modules') && !name.endsWith('.png'))
    .map((name) => join(folder, name))
    .filter((file) => file !== SELF && statSync(file).isFile())
}

/** Every file that people read, each as one line: a citation may be broken over two lines of a comment. */
const SOURCES: readonly Source[] = [...SINGLE, ...ROOTS.flatMap(filesBelow)].map((file) => ({
  file,
  text: asOneLine(readFileSync(file, 'utf8')),
}))

function asOneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*(?:(?:\*|\/\/|#) )?/g, ' ')
}

/** Rules that a text cites as `docs/peers/octavia.md 3, 5 to 7 and 9`: `octavia 3`, `octavia 5` … */
function citedIn(text: string): readonly string[] {
  return [...text.matchAll(/docs\/peers\/([a-z-]+)\.md((?:(?:,| and| to)? \d+\b)*)/g)].flatMap(
    ([, page = '', numbers = '']) =>
      [...numbers.matchAll(/(\d+)(?: to (\d+))?/g)].flatMap(([, first, last = first]) =>
        Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => `${page} ${Number(first) + i}`),
      ),
  )
}

/** `octavia 3` → the rule's text, as a list; more than one where a number is given twice. */
function writtenRules(): ReadonlyMap<string, readonly string[]> {
  const rules = new Map<string, string[]>()
  for (const name of readdirSync(PEERS)) {
    const page = name.replace(/\.md$/, '')
    const text = readFileSync(join(PEERS, name), 'utf8')
    for (const [rule, number] of text.matchAll(/^(\d+)\. .*(?:\n {3,}.*)*/gm)) {
      const key = `${page} ${number}`
      rules.set(key, [...(rules.get(key) ?? []), rule])
    }
  }
  return rules
}

test('every rule of another system that is cited is written down', () => {
  const rules = writtenRules()
  const wrong = SOURCES.flatMap(({ file, text }) =>
    citedIn(text)
      .filter((rule) => !rules.has(rule))
      .map((rule) => `${file}: ${rule}`),
  )
  assert.deepEqual(wrong, [])
})

test('every rule of another system has a number of its own and a source, and is cited', () => {
  const cited = new Set(SOURCES.flatMap(({ file, text }) => (file.startsWith(PEERS) ? [] : citedIn(text))))
  const rules = writtenRules()
  assert.ok(rules.size > 50, 'the search for rules works')
  for (const [rule, texts] of rules) {
    assert.equal(texts.length, 1, `${rule} is written once`)
    assert.match(texts[0] ?? '', /^ {3,4}Source: \S/m, `${rule} says where it is from`)
    assert.ok(cited.has(rule), `${rule} is cited`)
  }
})

test('every document of ours that is cited is there', () => {
  const named = SOURCES.flatMap(({ file, text }) =>
    [...text.matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md\b/g)].map(([document]) => ({ file, document })),
  )
  assert.ok(named.length > 50, 'the search for documents works')
  assert.deepEqual(
    named.filter(({ document }) => !existsSync(document)),
    [],
  )
})

/** Files of ours that a text names by their path from the project's folder; `<dialect>` stands for a name. */
function filesNamedIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w/.-])(?:src|test|bench|migrations|scripts)\/[\w./-]+\.(?:ts|sh)\b/g)].map(
    ([path]) => path,
  )
}

/** Files below `src` that a document names between backticks: `api/app.ts`. */
function sourcesNamedIn(text: string): readonly string[] {
  const layers = readdirSync('src').join('|')
  return [...text.matchAll(new RegExp(`\`((?:${layers})/[\\w/-]+\\.ts)\``, 'g'))].map(
    ([, path = '']) => `src/${path}`,
  )
}

/** Recordings of other systems, and decisions about files that are gone with them. */
function isOfThePast({ file, text }: Source): boolean {
  return file.startsWith('test/vectors') || text.includes('- Status: superseded')
}

test('every file of ours that is named by its path is there', () => {
  const named = SOURCES.filter((source) => !isOfThePast(source)).flatMap(({ file, text }) =>
    [...filesNamedIn(text), ...(file.endsWith('.md') ? sourcesNamedIn(text) : [])].map((path) => ({
      file,
      path,
    })),
  )
  assert.ok(named.length > 100, 'the search for files works')
  assert.deepEqual(
    named.filter(({ path }) => !existsSync(path)),
    [],
  )
})

test('nothing cites a document that is not in the repository', () => {
  assert.deepEqual(
    SOURCES.filter(({ text }) => OUT_OF_REACH.test(text)).map(({ file }) => file),
    [],
  )
})

/** Citations of sections that do not say of which document. */
function sectionsOfNothing(text: string): readonly string[] {
  return [...text.matchAll(SECTION)]
    .filter(([, before = '']) => !PUBLISHED.test(before))
    .map(([citation]) => citation)
}

test('a section that is cited has its document beside it, and no document is left to guess', () => {
  const own = SOURCES.filter((source) => !source.file.startsWith('test/vectors'))
  assert.deepEqual(
    own.flatMap(({ file, text }) => sectionsOfNothing(text).map((citation) => `${file}: ${citation}`)),
    [],
  )
  assert.deepEqual(
    own.filter(({ file, text }) => !file.startsWith(PEERS) && UNNAMED.test(text)).map(({ file }) => file),
    [],
  )
  assert.ok(own.filter(({ text }) => [...text.matchAll(SECTION)].length > 0).length > 20, 'the search works')
  for (const bad of ['padding (sect' + 'ion 6.1)', 'RFC 9113 says so. As in sect' + 'ion 7 of it']) {
    assert.equal(sectionsOfNothing(bad).length, 1, bad)
  }
  const good = 'Frames (RFC 9113 sections 4 and 6) and RFC 7541\n * section 5.2'
  assert.deepEqual(sectionsOfNothing(asOneLine(good)), [])
  for (const bad of [
    'The reference’s own example',
    'has the keys of the reference',
    'slower, as measured there',
    '§ 4',
  ]) {
    assert.match(bad, UNNAMED)
  }
})

test('citations are found however they are written', () => {
  const comment =
    ' * As HAProxy (docs/peers/probing.md\n * 18, 20 to 22 and 24) and docs/peers/elb.md 3; 4 do not count.'
  assert.deepEqual(citedIn(asOneLine(comment)), [
    'probing 18',
    'probing 20',
    'probing 21',
    'probing 22',
    'probing 24',
    'elb 3',
  ])
  // In parts, so that this file has no such citation itself.
  const old = [
    ['(octavia', '-api 2.2)'],
    ['octavia', '-api section 3'],
    ['probe', '-semantics 6.1'],
    ['DES', 'IGN section 7'],
    ['(tr', 'ap 4)'],
    ['elb', '-api.md 4.5'],
  ]
  for (const parts of old) assert.match(parts.join(''), OUT_OF_REACH)
  assert.doesNotMatch("from '../support/octavia-api.ts'", OUT_OF_REACH)
})
