/** The table at the end: by folder, and who was not noticed. */
import type { Verdict } from './results.ts'

export function lineOf(verdict: Verdict): string {
  const { file, line, operator, text, noticedBy, met } = verdict
  const where = `${file}:${line}`.padEnd(42)
  const what = `${operator}: ${text}`.padEnd(60)
  if (noticedBy !== null) return `${where} ${what} ${noticedBy}`
  return `${where} ${what} ${met === 0 ? 'NOT RUN by the tests' : `SURVIVED ${met} test files`}`
}

/** One row per folder; a mutant in code that no test runs counts as not noticed. */
export function tableOf(verdicts: readonly Verdict[]): string {
  const folders = new Map<string, Verdict[]>()
  for (const verdict of verdicts) {
    const folder = verdict.file.split('/').slice(0, 2).join('/')
    folders.set(folder, [...(folders.get(folder) ?? []), verdict])
  }
  const rows = [...folders].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([folder, all]) => row(folder, all))
  return ['folder         mutants  noticed  survived  not run  share', ...rows, row('all', verdicts)].join(
    '\n',
  )
}

function row(name: string, verdicts: readonly Verdict[]): string {
  const noticed = verdicts.filter(({ noticedBy }) => noticedBy !== null).length
  const notRun = verdicts.filter(({ met }) => met === 0).length
  const share = verdicts.length === 0 ? '-' : `${((100 * noticed) / verdicts.length).toFixed(0)} %`
  const figures = [verdicts.length, noticed, verdicts.length - noticed - notRun, notRun, share]
  const widths = [8, 9, 10, 9, 7]
  return name.padEnd(14) + figures.map((figure, i) => String(figure).padStart(widths[i] ?? 0)).join('')
}

export function survivorsOf(verdicts: readonly Verdict[]): readonly Verdict[] {
  return verdicts.filter(({ noticedBy }) => noticedBy === null)
}
