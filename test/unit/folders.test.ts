/** docs/architecture.md says where a newcomer finds a file of the largest layers; this holds it to the folders. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Layers that are divided by subject. */
const DIVIDED = ['domain', 'api', 'schedule', 'store', 'runtime', 'bin'] as const
/** A folder with fewer files divides nothing. */
const FILES_MIN = 2

/** Rows of the table, as `domain/limits/` or `domain/limits.ts`. */
function rowsOf(document: string): readonly string[] {
  const table = document.slice(document.indexOf('| folder in `src` | what it has |'))
  const rows = table.slice(0, table.indexOf('\n\n')).matchAll(/^\| `([a-z0-9/.-]+)` \|/gm)
  return [...rows].map(([, path = '']) => path)
}

/** What lies directly in a layer, in the form of the table. */
function contentOf(layer: string): readonly string[] {
  return readdirSync(`src/${layer}`, { withFileTypes: true }).map(
    (entry) => `${layer}/${entry.name}${entry.isDirectory() ? '/' : ''}`,
  )
}

test('each folder and file on top of a divided layer has its row in docs/architecture.md', () => {
  const rows = rowsOf(readFileSync('docs/architecture.md', 'utf8'))
  assert.deepEqual(rows.toSorted(), DIVIDED.flatMap(contentOf).toSorted())
})

test('a folder of a divided layer has a subject with several files', () => {
  const folders = DIVIDED.flatMap(contentOf).filter((path) => path.endsWith('/'))
  assert.ok(folders.length > 10, 'the search for folders works')
  assert.deepEqual(
    folders.filter((path) => readdirSync(`src/${path}`).length < FILES_MIN),
    [],
  )
})

test('the unit tests of these layers are in the folders of what they test', () => {
  const names = (root: string): readonly string[] =>
    readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  for (const layer of DIVIDED) {
    const known = new Set(names(`src/${layer}`))
    assert.deepEqual(
      names(`test/unit/${layer}`).filter((folder) => !known.has(folder)),
      [],
    )
  }
})
