/**
 * A mutation run: does one small wrong after the other to the compiled code and checks whether a test notices. It measures
 * the tests, not the code. `npm run mutate -- --help`.
 */
import { createHash } from 'node:crypto'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { setPriority } from 'node:os'
import { executedBy, isExecuted } from './coverage.ts'
import { type Databases, startDatabases } from './databases.ts'
import { type Mutant, mutantsOf } from './operators.ts'
import { type MutationOptions, parseOptions, USAGE } from './options.ts'
import { lineOf, survivorsOf, tableOf } from './report.ts'
import { type Baseline, Results, type Verdict } from './results.ts'
import { inOrder, type TestFile, testFiles } from './test-files.ts'
import { runTest } from './test-process.ts'
import { makeWorkspace, type Workspace } from './workspace.ts'
import { progress } from '../progress.ts'

/** Milliseconds that a test file may take: a multiple of what it took, and what a busy machine needs besides. */
const TIMEOUT_FACTOR = 4
const TIMEOUT_EXTRA_MS = 20_000
const BASELINE_TIMEOUT_MS = 300_000
/** Tests that are measured, for each that a mutant may meet, to find those that run its place. */
const MEASURED_PER_TEST = 2
/** The niceness: other work on this machine goes first. */
const PRIORITY = 10

interface Candidate extends Mutant {
  readonly id: string
  readonly file: string
  readonly line: number
  readonly text: string
}

interface Run {
  readonly options: MutationOptions
  readonly workspace: Workspace
  readonly results: Results
  readonly databases: Databases
  /** Tests that fail without a mutant. */
  readonly failing: Map<string, Baseline>
  /** Whether there is time for one more mutant, and no signal to end has come. */
  readonly hasTime: () => boolean
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    console.log(USAGE)
    return
  }
  setPriority(PRIORITY)
  const workspace = makeWorkspace()
  const databases = await startDatabases()
  const endMs = performance.now() + options.minutes * 60_000
  let isAskedToEnd = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isAskedToEnd = true))
  const hasTime = (): boolean => !isAskedToEnd && performance.now() < endMs
  try {
    const run: Run = {
      options,
      workspace,
      results: new Results(options.results),
      databases,
      failing: new Map(),
      hasTime,
    }
    const candidates = options.files.flatMap((selection) => chosen(run, selection))
    const verdicts = await judged(run, candidates)
    console.log(`\n${tableOf(verdicts)}\n`)
    for (const verdict of survivorsOf(verdicts)) console.log(lineOf(verdict))
    if (verdicts.length < candidates.length) {
      console.log(`\n${candidates.length - verdicts.length} mutants are left: run it again`)
    }
  } finally {
    await databases.stop()
    workspace.remove()
  }
}

/** The mutants of a selection, the same ones for the same seed. */
function chosen({ options, workspace, results }: Run, selection: string): readonly Candidate[] {
  const files = workspace.filesOf(selection)
  if (files.length === 0) throw new Error(`there is nothing at ${selection}`)
  const all = files.flatMap((file) => candidatesOf(workspace, file))
  const chosen = all.filter(({ id, file, operator, text }) => {
    if (options.only !== undefined && !`${file} ${operator}: ${text}`.includes(options.only)) return false
    return !options.survivors || results.verdict(id)?.noticedBy === null
  })
  const rank = (id: string): string => hash(`${options.seed} ${id}`)
  return chosen.toSorted((a, b) => (rank(a.id) < rank(b.id) ? -1 : 1)).slice(0, options.count)
}

function candidatesOf(workspace: Workspace, file: string): readonly Candidate[] {
  const code = workspace.read(file)
  const map = new SourceMap(JSON.parse(workspace.read(`${file}.map`)) as SourceMapPayload)
  const version = hash(code)
  return mutantsOf(code).map((mutant) => {
    const text = code.slice(mutant.start, mutant.end).replaceAll(/\s+/g, ' ').slice(0, 50)
    const before = code.slice(0, mutant.start).split('\n')
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0)
    const line = 'originalLine' in entry ? entry.originalLine + 1 : 0
    const id = hash(`${version} ${mutant.start} ${mutant.end} ${mutant.replacement}`)
    return { ...mutant, id, file, line, text }
  })
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** Verdicts on as many as there is time for; what is known is not repeated. */
async function judged(run: Run, candidates: readonly Candidate[]): Promise<readonly Verdict[]> {
  const { options, results } = run
  const tests = testFiles(run.workspace.root, options.folders)
  const verdicts: Verdict[] = []
  for (const [i, candidate] of candidates.entries()) {
    progress.show(`mutant ${i + 1} of ${candidates.length}: ${candidate.file}`)
    const known = options.survivors ? undefined : results.verdict(candidate.id)
    if (known === undefined && !run.hasTime()) continue
    const verdict = known ?? (await judge(run, candidate, tests))
    if (known === undefined) {
      results.add(verdict)
      console.log(lineOf(verdict))
    }
    verdicts.push(verdict)
  }
  return verdicts
}

/** What a test runs; measured when it is first needed, and kept. */
async function measure(
  { workspace: { root }, results, databases, failing }: Run,
  test: TestFile,
): Promise<Baseline> {
  let ms = 0
  let failed: string | undefined
  const executed = await executedBy(
    root,
    (file) => file.startsWith('src/'),
    async (environment) => {
      const outcome = await runTest({
        root,
        file: test.name,
        timeoutMs: BASELINE_TIMEOUT_MS,
        environment: { ...databases.environment, ...environment },
      })
      ms = outcome.ms
      failed = outcome.failed
    },
  )
  await databases.sweep()
  const baseline = { hash: test.hash, ms, ...(failed === undefined ? {} : { failed }), executed }
  // One that fails is tried again by the next run: the machine may have been busy.
  if (failed === undefined) results.keepBaseline(test.name, baseline)
  else failing.set(test.name, baseline)
  console.log(
    `${test.name}: ${(ms / 1000).toFixed(1)} s${failed === undefined ? '' : `, left out: ${failed}`}`,
  )
  return baseline
}

/** Runs the tests that run the place, the likeliest first, until one fails. */
async function judge(run: Run, candidate: Candidate, tests: readonly TestFile[]): Promise<Verdict> {
  const { file, line, id, operator, text } = candidate
  const { options } = run
  let [met, measured] = [0, 0]
  let noticedBy: string | null = null
  for (const test of inOrder(tests, file)) {
    if (noticedBy !== null || met >= options.tests || measured >= MEASURED_PER_TEST * options.tests) break
    const known = run.results.baseline(test.name, test.hash) ?? run.failing.get(test.name)
    if (known === undefined) measured++
    const baseline = known ?? (await measure(run, test))
    if (baseline.failed !== undefined || !isExecuted(baseline.executed, file, candidate.start)) continue
    met++
    noticedBy = await askedOf(run, candidate, { test, ms: baseline.ms })
  }
  return { id, file: file.replace(/\.js$/, '.ts'), line, operator, text, noticedBy, met }
}

/** The test that fails with the mutant in its place; null when all pass. */
async function askedOf(
  { workspace, databases }: Run,
  { file, start, end, replacement }: Candidate,
  { test, ms }: { readonly test: TestFile; readonly ms: number },
): Promise<string | null> {
  const code = workspace.read(file)
  const { failed } = await workspace.withContent(
    file,
    code.slice(0, start) + replacement + code.slice(end),
    () =>
      runTest({
        root: workspace.root,
        file: test.name,
        timeoutMs: TIMEOUT_FACTOR * ms + TIMEOUT_EXTRA_MS,
        environment: databases.environment,
      }),
  )
  if (!test.name.startsWith('unit/')) await databases.sweep()
  return failed === undefined ? null : `${test.name}: ${failed}`
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
