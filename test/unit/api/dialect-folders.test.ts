/** What docs/how-to-add-a-dialect.md promises: a dialect is its folders and one line of src/api/dialects.ts. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { DIALECTS, DOORS } from '../../../src/api/dialects.ts'
import { VARIABLES } from '../../../src/runtime/config/variables.ts'

const TABLE = 'src/api/dialects.ts'
/** Folders with one folder per dialect: the second and the third where its objects are not those of LBaaS. */
const HOMES = ['src/api/dialect', 'src/domain', 'src/store']
const NAMES: readonly string[] = [...DIALECTS, ...DOORS].map(({ name }) => name)

const FILES = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file))

/** The dialect in whose folder a file is. */
function dialectOf(file: string): string | undefined {
  return NAMES.find((name) => HOMES.some((home) => file.startsWith(`${home}/${name}/`)))
}

function importsOf(text: string, file: string): readonly string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*'(\.[^']+)'/g)].map(([, specifier = '']) =>
    relative('.', join(dirname(file), specifier)),
  )
}

/** Imports of a dialect's modules from outside of its folders and of the table. */
function strangers(file: string, text: string): readonly string[] {
  if (file === TABLE) return []
  return importsOf(text, file)
    .filter((target) => dialectOf(target) !== undefined && dialectOf(target) !== dialectOf(file))
    .map((target) => `${file} imports ${target}`)
}

test('only the table of dialects and a dialect itself import the modules of a dialect', () => {
  assert.deepEqual(
    FILES.flatMap((file) => strangers(file, readFileSync(file, 'utf8'))),
    [],
  )
  const inTable = importsOf(readFileSync(TABLE, 'utf8'), TABLE).flatMap((target) => dialectOf(target) ?? [])
  assert.deepEqual(new Set(inTable), new Set(NAMES), 'the table takes one module of each dialect')
})

test('the search for imports finds what it forbids', () => {
  const wrong = [
    ['src/api/resource/pools.ts', "import { elbPools } from '../dialect/elb/pool.ts'"],
    ['src/api/dialect/octavia/pool.ts', "import type { Tag } from '../elb/tags.ts'"],
    ['src/store/configuration/pools.ts', "import {\n  a,\n} from '../../domain/elb/selection.ts'"],
    ['src/bin/command/api.ts', "await import('../../api/dialect/octavia/routes.ts')"],
  ] as const
  for (const [file, text] of wrong) assert.equal(strangers(file, text).length, 1, text)
  assert.deepEqual(strangers('src/api/dialect/elb/pool.ts', "import { elbPaths } from './paths.ts'"), [])
})

test('each folder of dialect/ is a dialect of the table, and says what it is in dialect.ts', () => {
  const folders = readdirSync('src/api/dialect', { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  assert.deepEqual(folders.map(({ name }) => name).toSorted(), NAMES.toSorted())
  for (const name of NAMES) assert.ok(existsSync(`src/api/dialect/${name}/dialect.ts`), name)
})

test('no dialect is named in what all dialects store', () => {
  const words = new RegExp(`(${[...NAMES, 'neutron', 'wsme'].join('|')})`, 'i')
  const shared = FILES.filter((file) => file.startsWith('src/store/') && dialectOf(file) === undefined)
  assert.ok(shared.length > 20)
  const naming = shared.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => words.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
  assert.deepEqual(naming, [])
})

test('each dialect that HM_DEFAULT_DIALECT takes is one of the table', () => {
  const { schema, values } = VARIABLES.HM_DEFAULT_DIALECT
  const named = values.split(', ')
  assert.ok(named.length > 1)
  for (const name of named) {
    assert.equal(schema.validate(name).error, undefined, name)
    assert.ok(NAMES.includes(name), name)
  }
  assert.ok(schema.validate('neither').error)
})
