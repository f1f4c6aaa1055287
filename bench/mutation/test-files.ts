/** Which tests there are, and what each of them imports. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Who starts the whole program, or another, takes too long to be run hundreds of times. */
const STARTS_PROGRAMS =
  /support\/(?:service|client-service|prober-process|chromium|network-namespace)\.js|bench\/|bin\/healthmonitor\.js/
const IMPORT = /\b(?:from|import)\s*\(?['"](\.[^'"]+)['"]/g

export interface TestFile {
  /** As `unit/domain/options/presets.test.js`. */
  readonly name: string
  /** Place of its folder among those that are run. */
  readonly place: number
  /** Compiled files below `dist` that it imports, and they, and so on. */
  readonly imports: ReadonlySet<string>
  /** Changes with any of them. */
  readonly hash: string
}

/** Tests in folders of `test` that have a source and start no program. */
export function testFiles(root: string, folders: readonly string[]): readonly TestFile[] {
  const sources = new Set(
    folders
      .flatMap((folder) =>
        readdirSync(join(root, 'test', folder), { recursive: true, encoding: 'utf8' }).map(
          (file) => `${folder}/${file}`,
        ),
      )
      .filter((file) => file.endsWith('.test.ts')),
  )
  return [...sources].toSorted().flatMap((source) => {
    const name = source.replace(/\.ts$/, '.js')
    const imports = closure(root, `test/${name}`)
    const starts = [...imports].some(
      (file) => file.startsWith('test/') && STARTS_PROGRAMS.test(read(root, file)),
    )
    const place = folders.findIndex((folder) => name.startsWith(`${folder}/`))
    return starts ? [] : [{ name, place, imports, hash: hashOf(root, imports) }]
  })
}

/**
 * Those that import a file, the likeliest to say something about it first: by their folder's place, then those that share
 * a word with the file's name, then those that import little else.
 */
export function inOrder(tests: readonly TestFile[], file: string): readonly TestFile[] {
  const words = wordsOf(file)
  const rank = ({ name, place, imports }: TestFile): number => {
    const shared = wordsOf(name).filter((word) => words.includes(word)).length
    return 10_000 * place - 1000 * shared + imports.size
  }
  return tests.filter(({ imports }) => imports.has(file)).toSorted((a, b) => rank(a) - rank(b))
}

/** `src/api/resource/health-monitors.js`: health, monitor. Plurals are as singulars. */
function wordsOf(file: string): readonly string[] {
  const name = file.split('/').at(-1)?.split('.')[0] ?? ''
  return name.split('-').map((word) => word.replace(/s$/, ''))
}

function closure(root: string, first: string): ReadonlySet<string> {
  const found = new Set([first])
  for (const file of found) {
    for (const [, target = ''] of read(root, file).matchAll(IMPORT)) {
      found.add(relative(join(root, 'dist'), join(root, 'dist', dirname(file), target)))
    }
  }
  return found
}

function read(root: string, file: string): string {
  try {
    return readFileSync(join(root, 'dist', file), 'utf8')
  } catch {
    return ''
  }
}

function hashOf(root: string, files: ReadonlySet<string>): string {
  const hash = createHash('sha256')
  for (const file of [...files].toSorted()) hash.update(file).update(read(root, file))
  return hash.digest('hex').slice(0, 16)
}
