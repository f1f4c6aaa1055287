import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'

/** What a layer may import besides its own folder and `domain`: our layers or files, and packages. */
interface Rule {
  readonly ours: readonly string[]
  readonly packages: readonly string[]
}

/** The table of docs/architecture.md: a row per layer with its folder, our layers and files, and packages. */
const RULES = rulesOf(readFileSync('docs/architecture.md', 'utf8'))

function rulesOf(document: string): ReadonlyMap<string, Rule> {
  const table = document.slice(document.indexOf('| folder in `src` |'), document.indexOf('## A request'))
  const rows = table.matchAll(/^\| `([a-z]+)` \| (.*) \| (.*) \|$/gm)
  return new Map(
    [...rows].map(([, layer = '', ours = '', packages = '']) => [
      layer,
      { ours: quoted(ours), packages: quoted(packages) },
    ]),
  )
}

/** Names between backticks; words without them, as "none", name nothing. */
function quoted(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

const ROOT = process.cwd()
const SRC = resolve('src')

interface Import {
  readonly file: string
  readonly specifier: string
  /** Path below src, or below the project for what lies outside; undefined for packages. */
  readonly target: string | undefined
}

function imports(): readonly Import[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .flatMap((file) => {
      const text = readFileSync(join(SRC, file), 'utf8')
      const found = text.matchAll(
        /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*(?:\n[^'"\n;]*)*?\bfrom\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
      )
      return [...found].map((match) => {
        const specifier = match[1] ?? match[2] ?? match[3] ?? ''
        return { file, specifier, target: targetOf(file, specifier) }
      })
    })
}

function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const path = resolve(dirname(join(SRC, file)), specifier)
  const below = relative(SRC, path)
  return below.startsWith('..') ? relative(ROOT, path) : below
}

const layerOf = (path: string): string => path.split('/')[0] ?? ''

function problemOf({ file, specifier, target }: Import): string | undefined {
  const layer = layerOf(file)
  if (layer === 'bin') return undefined
  const rule = RULES.get(layer)
  if (rule === undefined) return `${file}: ${layer} is no layer`
  if (target === undefined) {
    const allowed = rule.packages.some((name) =>
      name.endsWith(':')
        ? specifier.startsWith(name)
        : specifier === name || specifier.startsWith(`${name}/`),
    )
    return allowed ? undefined : `${file} imports ${specifier}`
  }
  const to = layerOf(target)
  // What runs in a browser knows the service by its API only.
  const isOfDomain = to === 'domain' && layer !== 'web'
  if (to === layer || isOfDomain || rule.ours.includes(to) || rule.ours.includes(target)) return undefined
  return `${file} imports ${target}`
}

test('every import goes in the direction that the table of layers allows', () => {
  const all = imports()
  assert.ok(all.length > 30, 'the search for imports works')
  assert.deepEqual(
    all.map(problemOf).filter((problem) => problem !== undefined),
    [],
  )
})

/** Where the protocols come together. */
const OVER_PROTOCOLS: ReadonlySet<string> = new Set(['probe/probers.ts', 'probe/probe-runtime.ts'])

test('what the protocols of probes share, on top and in wire/, knows none of them but TLS', () => {
  const isProtocol = (path: string): boolean => /^probe\/(?!wire\/|tls\/)[^/]+\//.test(path)
  const isShared = (file: string): boolean =>
    /^probe\/(wire\/)?[^/]+$/.test(file) && !OVER_PROTOCOLS.has(file)
  const all = imports()
  assert.ok(all.some(({ file, target }) => file === 'probe/probers.ts' && isProtocol(target ?? '')))
  assert.deepEqual(
    all.filter(({ file, target }) => isShared(file) && isProtocol(target ?? '')).map(({ file }) => file),
    [],
  )
})

/** Groups of files of which each reaches each other by imports (Tarjan's strongly connected components, of two or more). */
function circles(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const order = new Map<string, number>()
  const open: string[] = []
  const found: string[][] = []
  const visit = (file: string): number => {
    let low = order.size
    order.set(file, low)
    open.push(file)
    for (const next of edges.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next))
      else if (open.includes(next)) low = Math.min(low, order.get(next) ?? low)
    }
    if (low === order.get(file)) {
      const circle = open.splice(open.indexOf(file))
      if (circle.length > 1) found.push(circle.toSorted())
    }
    return low
  }
  for (const file of edges.keys()) if (!order.has(file)) visit(file)
  return found
}

function edgesOf(all: readonly Import[]): ReadonlyMap<string, readonly string[]> {
  const edges = new Map<string, string[]>()
  for (const { file, target } of all) {
    if (target !== undefined) edges.set(file, [...(edges.get(file) ?? []), target])
  }
  return edges
}

test('imports go in no circle, those of types included', () => {
  assert.deepEqual(circles(edgesOf(imports())), [])
})

test('the search for circles finds one, and not what only leads to it', () => {
  const edges = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['b']],
    ['d', ['e']],
  ])
  assert.deepEqual(circles(edges), [['b', 'c']])
})

test('the table names every layer that there is, and no other', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.deepEqual([...RULES.keys()].toSorted(), folders.map(({ name }) => name).toSorted())
})

/** What the table lets a layer import of ours, and no file of the layer imports. */
function unusedOf(rules: ReadonlyMap<string, Rule>, all: readonly Import[]): readonly string[] {
  return [...rules].flatMap(([layer, { ours }]) => {
    const targets = all.filter(({ file }) => layerOf(file) === layer).map(({ target = '' }) => target)
    return ours
      .filter((allowed) => !targets.some((target) => target === allowed || layerOf(target) === allowed))
      .map((allowed) => `${layer}: ${allowed}`)
  })
}

test('the table allows no import between layers that nothing needs', () => {
  assert.deepEqual(unusedOf(RULES, imports()), [])
})

test('the search for permissions that nothing needs finds one', () => {
  const rules = new Map([['api', { ours: ['store', 'runtime/output/log.ts'], packages: [] }]])
  const one = { file: 'api/app.ts', specifier: '../store/database.ts', target: 'store/database.ts' }
  assert.deepEqual(unusedOf(rules, [one]), ['api: runtime/output/log.ts'])
})

test('the rule finds what it forbids', () => {
  const wrong = (file: string, specifier: string) =>
    problemOf({ file, specifier, target: targetOf(file, specifier) })
  assert.ok(wrong('domain/x.ts', 'node:fs'))
  assert.ok(wrong('probe/x.ts', '../runtime/output/log.ts'))
  assert.ok(wrong('api/x.ts', '../runtime/config/config.ts'))
  assert.ok(wrong('schedule/x.ts', 'knex'))
  assert.ok(wrong('runtime/x.ts', '../store/database.ts'))
  assert.ok(wrong('store/x.ts', '../bin/serve.ts'))
  assert.ok(wrong('api/resource/x.ts', '../../runtime/output/log.ts'))
  assert.equal(wrong('api/resource/x.ts', '../../store/database.ts'), undefined)
  assert.equal(wrong('schedule/x.ts', '../runtime/metrics/metrics.ts'), undefined)
  assert.ok(wrong('web/x.tsx', '../domain/limits.ts'))
  assert.ok(wrong('web/x.tsx', 'koa'))
  assert.equal(wrong('store/x.ts', '../../migrations/index.ts'), undefined)
})
