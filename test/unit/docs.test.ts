/** The documents as files: their lines, and the head of the decision records. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Characters of a line: what an editor beside a terminal shows without a break. */
const LINE_MAX = 120
const RECORDS = 'docs/adr'
const HEAD = /^# (\d+)\. [^\n]+\n\n- Status: ([^\n]+)\n- Date: \d{4}-\d\d-\d\d\n\n## Context\n/
const STATUS = /^(?:accepted|superseded by )/

/** Markdown files in the root, and below docs, deploy and test; the vectors are data of others. */
function documents(): readonly string[] {
  const root = readdirSync('.').filter((name) => name.endsWith('.md'))
  const below = ['docs', 'deploy', 'test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !/(?:^|\/)(?:vectors|node_modules)\//.test(name))
      .map((name) => `${folder}/${name}`),
  )
  return [...root, ...below]
}

/** `file:line` of each line that is longer than LINE_MAX, in characters. */
function longLines(file: string, text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (Buffer.byteLength(line) > LINE_MAX ? [`${file}:${index + 1}`] : []))
}

/** What is wrong with a decision record; undefined = nothing. */
function problemOf(file: string, text: string): string | undefined {
  const [, number, status = ''] = HEAD.exec(text) ?? []
  if (number === undefined) return `${file}: title, Status, Date and Context are not its head`
  if (Number(number) !== Number(file.slice(0, 4))) return `${file}: its title has number ${number}`
  if (!STATUS.test(status)) return `${file}: its status is ${status}`
  const sections = [...text.matchAll(/^## (Decision|Consequences)\b/gm)].map(([, name]) => name)
  return sections.join() === 'Decision,Consequences'
    ? undefined
    : `${file}: its sections are ${sections.join()}`
}

/** Numbers of the records that `text` names after `word`, in the form `[ADR 19](0019-….md)`. */
function named(text: string, word: 'superseded by' | 'supersedes'): readonly number[] {
  const status = /^- Status: (.*)$/m.exec(text)?.[1] ?? ''
  const list = new RegExp(`${word} ((?:\\[ADR \\d+\\]\\([^)]*\\)(?:, | and )?)+)`).exec(status)?.[1] ?? ''
  return [...list.matchAll(/\[ADR (\d+)\]/g)].map(([, number]) => Number(number))
}

test('no line of a document is longer than 120 bytes, so whatever counts them agrees', () => {
  const files = documents()
  assert.ok(files.length > 20, 'the search for documents works')
  assert.deepEqual(
    files.flatMap((file) => longLines(file, readFileSync(file, 'utf8'))),
    [],
  )
})

test('every decision record has title, status, date, context, decision and consequences, in this order', () => {
  const files = readdirSync(RECORDS)
  assert.deepEqual(
    files.flatMap((file) => problemOf(file, readFileSync(`${RECORDS}/${file}`, 'utf8')) ?? []),
    [],
  )
})

test('a decision record that is superseded says by which, and that one says what it supersedes', () => {
  const records = readdirSync(RECORDS).map((file) => {
    const text = readFileSync(`${RECORDS}/${file}`, 'utf8')
    return { number: Number(file.slice(0, 4)), text }
  })
  const pairs = (word: 'superseded by' | 'supersedes') =>
    records.flatMap(({ number, text }) =>
      named(text, word).map((other) =>
        word === 'supersedes' ? `${number} supersedes ${other}` : `${other} supersedes ${number}`,
      ),
    )
  assert.ok(pairs('supersedes').length > 0, 'the search for superseded records works')
  assert.deepEqual(pairs('supersedes').toSorted(), pairs('superseded by').toSorted())
})

test('the rules find what they forbid', () => {
  assert.deepEqual(longLines('x.md', `short\n${'µ'.repeat(61)}\n${'µ'.repeat(60)}`), ['x.md:2'])
  const record = '# 7. A title\n\n- Status: accepted\n- Date: 2026-11-30\n\n## Context\n'
  assert.equal(problemOf('0007-a.md', `${record}\n## Decision\n\n## Consequences\n`), undefined)
  assert.ok(problemOf('0008-a.md', `${record}\n## Decision\n\n## Consequences\n`))
  assert.ok(problemOf('0007-a.md', `${record}\n## Consequences\n`))
  assert.ok(problemOf('0007-a.md', record.replace('- Date: 2026-11-30\n', '')))
})
