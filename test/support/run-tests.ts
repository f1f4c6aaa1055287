/**
 * Runs the tests: `run-tests.js [--again] unit integration …` takes folders below dist/test, or single files. Starts one
 * server and one template for all files that need a database, and ends with the totals and the exit code.
 *
 * `--again`: a few files that failed beside the others run once more, alone. What passes then is named as a test that
 * depends on the load of the host, which is a defect of the test, and does not fail the run.
 *
 * Names the files that took longest, so that one knows where the time of a run goes.
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
const FILE_TIMEOUT_MS = 600_000
const CLIENT_FILE_TIMEOUT_MS = 900_000

/** More files than these do not fail because of the load of the host. */
const MOST_FILES_AGAIN = 6

/** As many of the slowest files are named, and none that is quicker than this. */
const SLOWEST_SHOWN = 10
const SLOW_FILE_MS = 20_000

const testRoot = resolve(import.meta.dirname, '..')
const isAgain = process.argv.includes('--again')
const asked = process.argv.slice(2).filter((argument) => argument !== '--again')
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
const first = await runFiles(files, filesAtOnce())
const totals = isAgain ? await failedAgain(first) : first
await release?.()
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exit(totals.failedFiles.size > 0 ? 1 : 0)

/** Twice the cores, as most tests wait for sockets and timers; but those of chaos measure how soon something happens. */
function filesAtOnce(): number {
  return (asked.every((name) => name.startsWith('chaos')) ? 1 : 2) * availableParallelism()
}

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

interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly failedFiles: ReadonlySet<string>
}

/** The totals after the files that failed ran once more, one at a time. */
async function failedAgain(before: Totals): Promise<Totals> {
  const { failedFiles } = before
  if (failedFiles.size === 0 || failedFiles.size > MOST_FILES_AGAIN) return before
  console.log(`\nonce more, alone: ${[...failedFiles].map((file) => relative(testRoot, file)).join(', ')}`)
  const again = await runFiles([...failedFiles], 1)
  for (const file of failedFiles) {
    const outcome = again.failedFiles.has(file) ? 'failed alone too' : 'failed beside others, passed alone'
    console.log(`${relative(testRoot, file)}: ${outcome}`)
  }
  return {
    passed: before.passed + before.failed - again.failed,
    failed: again.failed,
    skipped: before.skipped,
    failedFiles: again.failedFiles,
  }
}

function runFiles(some: readonly string[], concurrency: number): Promise<Totals> {
  return new Promise((done, reject) => {
    const figures: Record<string, number> = {}
    const failedFiles = new Set<string>()
    const took = new Map<string, number>()
    const timeout = asked.some((name) => name.startsWith('clients'))
      ? CLIENT_FILE_TIMEOUT_MS
      : FILE_TIMEOUT_MS
    const events = run({ files: some, concurrency })
    const stopLooking = endHangingFiles({
      files: some,
      timeoutMs: timeout,
      onEnded: (file, processes) =>
        console.error(
          `${relative(testRoot, file)} is ended after ${timeout / 1000} s, with ${processes} processes`,
        ),
    })
    // Each file ends as a test of its own name. The events of its tests have the place of their source, or of a support file.
    events.on('test:complete', ({ name, details }) => {
      if (!some.includes(name)) return
      took.set(name, details.duration_ms)
      if (!details.passed) failedFiles.add(name)
    })
    events.on('test:diagnostic', ({ message }) => {
      // The summary comes last, so the last figure of a name is the total.
      const figure = /^(pass|fail|cancelled|skipped|todo) (\d+)$/.exec(message)
      if (figure?.[1] !== undefined) figures[figure[1]] = Number(figure[2])
    })
    const report = events.compose(new spec())
    report.on('end', () => {
      const { pass = 0, fail = 0, cancelled = 0, skipped = 0 } = figures
      nameTheSlowest(took)
      void stopLooking().then(() => done({ passed: pass, failed: fail + cancelled, skipped, failedFiles }))
    })
    report.on('error', reject)
    report.pipe(process.stdout, { end: false })
  })
}

function nameTheSlowest(took: ReadonlyMap<string, number>): void {
  const slowest = [...took]
    .filter(([, ms]) => ms >= SLOW_FILE_MS)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SLOWEST_SHOWN)
  if (slowest.length === 0) return
  console.log('\nthe slowest files:')
  for (const [file, ms] of slowest) console.log(`  ${Math.round(ms / 1000)} s  ${relative(testRoot, file)}`)
}
