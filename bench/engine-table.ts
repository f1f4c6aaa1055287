/** The figures of the engine's bench for people. */
import type { CaseResult, Figures, Spread } from './engine-figures.ts'
import { spreadOf } from './engine-figures.ts'

/** Of the host's CPU: with more than this for others, lateness is theirs. */
const QUIET_SHARE = 0.1

/** One run, as soon as it ended. */
export function printRun(name: string, figures: Figures): void {
  const { latenessMs: late, peer, postgres, lifetime } = figures
  console.log(`\n${name}: ${figures.probesPerSecond.toFixed(0)} probes/s`)
  console.log(
    `  CPU ${figures.cpuMicrosecondsPerProbe.toFixed(1)} us/probe (${figures.userMicrosecondsPerProbe.toFixed(1)} user), lateness p50 ${late.p50} p99 ${late.p99} max ${late.max} ms, ` +
      `GC ${(figures.gcShare * 100).toFixed(1)} %`,
  )
  console.log(
    `  ${figures.bytesPerMember.toFixed(0)} bytes/member reachable, ${figures.residentBytesPerMember.toFixed(0)} resident, ` +
      `${figures.descriptors} descriptors`,
  )
  console.log(
    `  arrived per probe ${figures.arrivedPerProbe.toFixed(3)}; of ${lifetime.started} in all ${lifetime.arrived}; ` +
      JSON.stringify(figures.outcomes),
  )
  if (figures.othersShare > QUIET_SHARE)
    console.log(
      `  other processes took ${(figures.othersShare * 100).toFixed(0)} % of the host: take the figures lightly`,
    )
  if (figures.resumedShare !== undefined) {
    const { ours, theirs } = figures.resumedShare
    console.log(`  TLS sessions resumed: ${percent(ours)} of ours, ${percent(theirs)} of the peer's`)
  }
  if (postgres !== undefined)
    console.log(
      `  PostgreSQL: ${postgres.statementsPerSecond.toFixed(1)} statements/s, ${postgres.rowsWrittenPerSecond.toFixed(1)} rows/s, ` +
        `${(postgres.walBytesPerSecond / 1024).toFixed(0)} KB WAL/s, ` +
        `${postgres.cpuMicrosecondsPerProbe?.toFixed(1) ?? '?'} us of its CPU per probe`,
    )
  if (peer !== undefined)
    console.log(
      `  peer: ${peer.checksPerSecond.toFixed(0)} checks/s, ${peer.cpuMicrosecondsPerCheck.toFixed(1)} us/check; ` +
        `ratio ${figures.ratio?.toFixed(2)}`,
    )
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

type Column = readonly [title: string, cell: (result: CaseResult) => string]

/** Medians of the runs; of the ratio, and of the CPU where there is none, the least and the most as well. */
const COLUMNS: readonly Column[] = [
  ['type', ({ type }) => type],
  ['members', ({ members }) => String(members)],
  ['probes/s', of((run) => run.probesPerSecond, 0)],
  ['us/probe', ({ cpuMicrosecondsPerProbe }) => spread(cpuMicrosecondsPerProbe, 1)],
  ['peer', of((run) => run.peer?.cpuMicrosecondsPerCheck, 1)],
  ['ratio', ({ ratio }) => spread(ratio, 2)],
  ['late p50/p99/max ms', late],
  ['bytes/member', of((run) => run.bytesPerMember, 0)],
  ['descriptors', of((run) => run.descriptors, 0)],
  ['GC %', of((run) => run.gcShare * 100, 1)],
  ['PG stmts/s', of((run) => run.postgres?.statementsPerSecond, 1)],
  ['rows/s', of((run) => run.postgres?.rowsWrittenPerSecond, 1)],
  ['PG us/probe', of((run) => run.postgres?.cpuMicrosecondsPerProbe, 1)],
  ['others %', of((run) => run.othersShare * 100, 0)],
  ['arrived', of((run) => run.arrivedPerProbe, 3)],
]

/** All cases beside each other, as a table of Markdown. */
export function printTable(results: readonly CaseResult[]): void {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...results.map((result) => COLUMNS.map(([, cell]) => cell(result))),
  ]
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const [head = [], ...body] = rows
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  console.log(`\n${[line(head), rule, ...body.map(line)].join('\n')}\n`)
}

function of(read: (run: Figures) => number | undefined, digits: number): Column[1] {
  return ({ runs }) => spreadOf(runs.flatMap((run) => read(run) ?? []))?.median.toFixed(digits) ?? '-'
}

function spread(of: Spread | undefined, digits: number): string {
  if (of === undefined) return '-'
  const { median, min, max } = of
  if (min === max) return median.toFixed(digits)
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
}

function late({ runs }: CaseResult): string {
  const median = (read: (run: Figures) => number): string =>
    spreadOf(runs.map(read))?.median.toFixed(0) ?? '-'
  return [
    median((run) => run.latenessMs.p50),
    median((run) => run.latenessMs.p99),
    median((run) => run.latenessMs.max),
  ].join('/')
}
