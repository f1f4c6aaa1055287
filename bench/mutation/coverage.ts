/** Which test file runs which bytes of the compiled code: V8's own count, block by block. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface V8Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}
interface V8Report {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly { readonly ranges: readonly V8Range[] }[]
  }[]
}

/** By compiled file: start and end of what was run, in turn. */
export type Executed = Readonly<Record<string, readonly number[]>>

/** Runs something with NODE_V8_COVERAGE and reads what it leaves; of files below `dist` that `isWanted`. */
export async function executedBy(
  root: string,
  isWanted: (file: string) => boolean,
  run: (environment: NodeJS.ProcessEnv) => Promise<void>,
): Promise<Executed> {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-coverage-'))
  try {
    await run({ NODE_V8_COVERAGE: folder })
    const base = `${pathToFileURL(join(root, 'dist')).href}/`
    const executed: Record<string, number[]> = {}
    for (const name of readdirSync(folder)) {
      for (const { url, functions } of readReport(join(folder, name)).result) {
        const file = url.startsWith(base) ? url.slice(base.length) : ''
        if (isWanted(file)) executed[file] = [...(executed[file] ?? []), ...executedRanges(functions)]
      }
    }
    return executed
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A process that was killed leaves half a report, or none. */
function readReport(path: string): V8Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as V8Report
  } catch {
    return { result: [] }
  }
}

/** Ranges are nested, and the innermost counts: each piece between two ends belongs to the last range that began. */
function executedRanges(functions: V8Report['result'][number]['functions']): number[] {
  const ranges = functions
    .flatMap((each) => each.ranges)
    .toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  const pieces: number[] = []
  const open: V8Range[] = []
  let at = 0
  const upTo = (offset: number): void => {
    const inner = open.at(-1)
    if (inner !== undefined && inner.count > 0 && offset > at) pieces.push(at, offset)
    at = Math.max(at, offset)
  }
  const closeUntil = (offset: number): void => {
    for (let inner = open.at(-1); inner !== undefined && inner.endOffset <= offset; inner = open.at(-1)) {
      upTo(inner.endOffset)
      open.pop()
    }
  }
  for (const range of ranges) {
    closeUntil(range.startOffset)
    upTo(range.startOffset)
    open.push(range)
  }
  closeUntil(Number.POSITIVE_INFINITY)
  return pieces
}

/** Whether the byte at an offset was run. */
export function isExecuted(executed: Executed, file: string, offset: number): boolean {
  const pieces = executed[file] ?? []
  for (let i = 0; i < pieces.length; i += 2) {
    if ((pieces[i] ?? 0) <= offset && offset < (pieces[i + 1] ?? 0)) return true
  }
  return false
}
