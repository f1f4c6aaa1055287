/** `healthmonitor simulate`: what would this monitor do? A timeline for people, JSON in and out for machines. */
import { DomainError } from '../../domain/errors.ts'
import { SIMULATION_INPUT_MAX_BYTES } from '../../domain/limits.ts'
import { simulateTrace } from '../../domain/status/simulation.ts'
import { type Command, endWhenNobodyReads, parseFlags, UsageError } from '../command-line.ts'
import { parseSimulation, SIMULATE_FLAGS, SIMULATE_WORDS } from './simulate-flags.ts'
import { renderTimeline } from './simulate-timeline.ts'

export const simulateCommand: Command = {
  summary: 'what a monitor would do with given results',
  about: [
    'Shows what a monitor would do with given results. With results after --, it prints a timeline. Without them, it reads traces as JSON from standard input ({"id", "unified_config", "results"}, one or a list) and prints a list of {"id", "steps"}.',
    '  healthmonitor simulate --rise 2 --fall 3 -- pass pass fail fail fail pass\n  healthmonitor simulate < TRACES.json',
  ],
  words: SIMULATE_WORDS,
  flags: SIMULATE_FLAGS,
  run: async (args) => {
    endWhenNobodyReads()
    return await simulateFor(args, {
      input: process.stdin,
      isTerminal: process.stdin.isTTY,
      out: (text) => process.stdout.write(text),
    })
  },
}

/** Given by the caller: where JSON comes from, whether that is a terminal, and where text goes. */
export interface SimulateSurroundings {
  readonly input: AsyncIterable<Uint8Array>
  readonly isTerminal: boolean
  readonly out: (text: string) => void
}

/**
 * Simulates the results of `argv` (without the subcommand) or of the input. Resolves with the exit code 0. Throws
 * UsageError.
 */
export async function simulateFor(
  argv: readonly string[],
  { input, isTerminal, out }: SimulateSurroundings,
): Promise<number> {
  try {
    const { values, words } = parseFlags(argv, SIMULATE_FLAGS, { min: 0, max: Infinity, named: '' })
    if (words.length > 0) out(renderTimeline(parseSimulation(values, words)))
    else if (Object.keys(values).length > 0 || isTerminal) throw new UsageError('there are no results')
    else out(`[${simulateTraces(await readJson(input)).join()}]\n`)
    return 0
  } catch (error) {
    if (error instanceof DomainError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

/**
 * One trace, or a list of traces, each with its number for error messages. Each result becomes JSON before the next one
 * is made, which takes less memory than the steps; nothing is printed before all traces are valid.
 */
function simulateTraces(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [JSON.stringify(simulateTrace(value))]
  return value.map((trace: unknown, index) => {
    try {
      return JSON.stringify(simulateTrace(trace))
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      throw badInput(`trace ${index + 1}: ${error.message}`, error)
    }
  })
}

async function readJson(input: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of input) {
    bytes += chunk.length
    if (bytes > SIMULATION_INPUT_MAX_BYTES) {
      throw badInput(`the input is longer than ${SIMULATION_INPUT_MAX_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch (error) {
    throw badInput(`the input is no JSON: ${(error as Error).message}`, error)
  }
}

function badInput(message: string, cause?: unknown): DomainError {
  return new DomainError('INVALID_JSON', message, {}, { cause })
}
