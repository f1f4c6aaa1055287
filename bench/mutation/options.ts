/** What `npm run mutate -- …` takes. */
import { parseArgs } from 'node:util'

export interface MutationOptions {
  /** Folders or files of the sources. */
  readonly files: readonly string[]
  /** Mutants of each of them. */
  readonly count: number
  readonly seed: number
  /** After which no further mutant is begun. */
  readonly minutes: number
  /** Test files that a mutant meets at most, the likeliest first. */
  readonly tests: number
  /** Folders of test/ whose tests are run, in this order. */
  readonly folders: readonly string[]
  /** Folder of what is kept between runs. */
  readonly results: string
  /** Only mutants that this says were not noticed, again. */
  readonly survivors: boolean
  /** Only mutants whose description contains it. */
  readonly only: string | undefined
}

export const USAGE = `usage: npm run mutate -- [--files src/domain,src/store/probing/verdicts] [--count 40] [--seed 1] [--minutes 30]
         [--tests 12] [--folders unit] [--results /tmp/mutation] [--survivors] [--only TEXT]

  --files      folders or files of src, separated by commas
  --count      mutants of each of them, chosen by the seed
  --minutes    no mutant is begun after that; what is known stays in --results, and the next run goes on
  --tests      test files that a mutant meets at most, the likeliest first
  --folders    folders of test/ that are run, in this order: unit,integration,conformance
  --results    folder for what each test runs and for the verdicts on mutants
  --survivors  tries those that were not noticed again
  --only       mutants whose description contains the text`

const DEFAULT_FILES = ['src/domain', 'src/identity', 'src/schedule', 'src/store', 'src/api']

/** Throws an Error with one sentence. */
export function parseOptions(args: readonly string[]): MutationOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      files: { type: 'string' },
      count: { type: 'string', default: '40' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '30' },
      tests: { type: 'string', default: '12' },
      folders: { type: 'string', default: 'unit,integration,conformance' },
      results: { type: 'string', default: 'data/mutation' },
      survivors: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    files: values.files?.split(',') ?? DEFAULT_FILES,
    count: number('count', values.count),
    seed: number('seed', values.seed),
    minutes: number('minutes', values.minutes),
    tests: number('tests', values.tests),
    folders: values.folders.split(','),
    results: values.results,
    survivors: values.survivors,
    only: values.only,
  }
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} takes a whole number above 0, not '${text}'`)
  return value
}
