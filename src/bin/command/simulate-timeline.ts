/** The timeline of a simulation, for people. */
import { simulate, type SimulatedResult } from '../../domain/status/simulation.ts'
import type { StatePolicy } from '../../domain/status/state-machine.ts'
import type { Simulation } from './simulate-flags.ts'

const COLUMNS = ['time', 'result', 'status', 'counter', 'next probe', ''] as const

/** One line per result: when its probe starts (probes take no time here), and its effect. */
export function renderTimeline({ policy, words, results }: Simulation): string {
  const rows: string[][] = [[...COLUMNS]]
  let atMs = 0
  for (const [index, step] of simulate(policy, results).entries()) {
    const word = words[index] ?? ''
    if (step === null) {
      rows.push([spelledTime(atMs), word])
      continue
    }
    rows.push([
      spelledTime(atMs),
      word,
      [step.status, ...flagsOf(step)].join(' '),
      counterOf(policy, step),
      step.next_interval_ms === null ? (step.timer ?? '') : `in ${spelledTime(step.next_interval_ms)}`,
      { Changed: 'changed', ChangePending: 'change pending', Unchanged: '' }[step.transition],
    ])
    atMs += step.next_interval_ms ?? 0
  }
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padStart(width) : cell.padEnd(width)
      })
      return `${cells.join('  ').trimEnd()}\n`
    })
    .join('')
}

function flagsOf(step: SimulatedResult): readonly string[] {
  return (['degraded', 'warning', 'draining'] as const).filter((flag) => step[flag] === true)
}

/** How far the next change of the status is. */
function counterOf(policy: StatePolicy, { state }: SimulatedResult): string {
  const { rise, fall, unknownFall, recoveryExtra = 0 } = policy
  switch (state.status) {
    case 'ONLINE':
      return `${state.badRun}/${fall} failed`
    case 'OFFLINE':
      return `${state.okRun}/${rise + recoveryExtra} passed`
    case 'UNKNOWN':
      return `${state.okRun}/${rise} passed, ${state.badRun}/${unknownFall} failed`
  }
}

function spelledTime(milliseconds: number): string {
  return milliseconds > 0 && milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`
}
