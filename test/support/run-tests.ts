/**
 * Runs the tests: `run-tests.js unit integration …` takes folders below dist/test, or single files. Starts one server
 * and one template for all files that need a database, and ends with the totals and the exit code.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { endHangingFiles } from './hanging-files.ts'
import { createTemplate, dropDatabase, testServer } from './postgres.ts'

/** Folders whose files open no database. */
const WITHOUT_DATABASE = new Set(['unit'])
/** Milliseconds that one file may take before it counts as hanging; clients of other makers are slow, and built first. */
const FILE_TIMEOUT_MS = 300_000
const CLIENT_FILE_TIMEOUT_MS = 900_000

const testRoot = resolve(import.meta.dirname, '..')
const asked = process.argv.slice(2)
const files = asked.flatMap(testFiles).toSorted()
const unknown = asked.filter((name) => testFiles(name).length === 0)
if (files.length === 0 || unknown.length > 0) {
  console.error(`no test files in ${unknown.join(', ') || 'nothing: name folders or files'}`)
  process.exit(1)
}

const release = asked.every((name) => WITHOUT_DATABASE.has(name)) ? undefined : await provideDatabase()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Promise.resolve(release?.()).finally(() => process.exit(1))
  })
}
const totals = await runFiles()
await release?.()
console.log(
  `${totals['pass'] ?? 0} passed, ${(totals['fail'] ?? 0) + (totals['cancelled'] ?? 0)} failed, ${totals['skipped'] ?? 0} skipped`,
)
process.exit(totals.failed ? 1 : 0)

function testFiles(name: string): string[] {
  const path = [join(testRoot, name), resolve(name)].find((candidate) => existsSync(candidate))
  if (path === undefined) return []
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(path, file))
    .filter(hasSource)
}

/** The compiler leaves the output of a test that was removed or renamed. */
function hasSource(file: string): boolean {
  return existsSync(join(testRoot, '../../test', relative(testRoot, file)).replace(/\.js$/, '.ts'))
}

async function provideDatabase(): Promise<() => Promise<void>> {
  const server = await testServer()
  const template = `hm_template_${process.pid}`
  await createTemplate(server.url, template)
  process.env['TEST_DATABASE_URL'] = server.url
  process.env['TEST_DATABASE_TEMPLATE'] = template
  // A process of a test must get its database from the test, and never use this one.
  delete process.env['DATABASE_URL']
  return async () => {
    await dropDatabase(server.url, template)
    await server.stop()
  }
}

type Totals = Record<string, number> & { failed: boolean }

function runFiles(): Promise<Totals> {
  return new Promise((done, reject) => {
    const totals = { failed: false } as Totals
    // Twice the cores: most tests wait for sockets and timers.
    const concurrency = 2 * availableParallelism()
    const timeout = asked.some((name) => name.startsWith('clients'))
      ? CLIENT_FILE_TIMEOUT_MS
      : FILE_TIMEOUT_MS
    const events = run({ files, concurrency })
    const stopLooking = endHangingFiles({
      files,
      timeoutMs: timeout,
      onEnded: (file, processes) =>
        console.error(
          `${relative(testRoot, file)} is ended after ${timeout / 1000} s, with ${processes} processes`,
        ),
    })
    events.on('test:fail', () => {
      totals.failed = true
    })
    events.on('test:diagnostic', ({ message }) => {
      // The summary comes last, so the last figure of a name is the total.
      const figure = /^(pass|fail|cancelled|skipped|todo) (\d+)$/.exec(message)
      if (figure?.[1] !== undefined) totals[figure[1]] = Number(figure[2])
    })
    const report = events.compose(new spec())
    report.on('end', () => void stopLooking().then(() => done(totals)))
    report.on('error', reject)
    report.pipe(process.stdout, { end: false })
  })
}
