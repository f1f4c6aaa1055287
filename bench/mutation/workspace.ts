/** A copy of what was compiled, in a folder of its own where tests find everything else by links: only the copy is changed. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export interface Workspace {
  /** Where tests run. */
  readonly root: string
  /** Compiled files below a folder of the project (`src/domain`), or one (`src/domain/options/presets`); paths as `src/domain/options/presets.js`. */
  filesOf(selection: string): readonly string[]
  read(file: string): string
  /** Runs `work` while a file has other content. */
  withContent<Result>(file: string, content: string, work: () => Promise<Result>): Promise<Result>
  remove(): void
}

const PROJECT = resolve(import.meta.dirname, '../../..')

export function makeWorkspace(): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'healthmonitor-mutation-'))
  for (const name of readdirSync(PROJECT)) {
    if (name !== 'dist' && name !== '.git') symlinkSync(join(PROJECT, name), join(root, name))
  }
  cpSync(join(PROJECT, 'dist'), join(root, 'dist'), { recursive: true })
  const pathOf = (file: string): string => join(root, 'dist', file)
  return {
    root,
    filesOf: (selection) => compiledBelow(selection.replace(/\.[jt]s$/, '')),
    read: (file) => readFileSync(pathOf(file), 'utf8'),
    withContent: async (file, content, work) => {
      const original = readFileSync(pathOf(file), 'utf8')
      writeFileSync(pathOf(file), content)
      try {
        return await work()
      } finally {
        writeFileSync(pathOf(file), original)
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** The compiler leaves the output of files that are gone: the sources say which there are. */
function compiledBelow(selection: string): readonly string[] {
  const sources = readdirSync(join(PROJECT, 'src'), { recursive: true, encoding: 'utf8' })
  return sources
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file.slice(0, -'.ts'.length)}`)
    .filter((file) => file === selection || file.startsWith(`${selection}/`))
    .map((file) => `${file}.js`)
    .toSorted()
}
