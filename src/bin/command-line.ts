/** What every command of the program shares: its entry in the table of commands, flags and words, and usage errors. */
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** The command line is wrong: one line for the user, exit code 2. */
export class UsageError extends Error {}

/** A flag, in the form of node:util's parser, with its text for help. */
export interface Flag {
  readonly type: 'string' | 'boolean'
  /** One letter that is as good as its name. */
  readonly short?: string
  readonly default?: string | boolean
  /** What stands for its value in help: `SECONDS`; only of strings. */
  readonly value?: string
  /** The values that it may have, for completion; absent = free. */
  readonly choices?: readonly string[]
  readonly what: string
}

export type FlagTable = Readonly<Record<string, Flag>>

/** A word of the command line that is no flag. */
export interface Word {
  /** In help: `MEMBER`. */
  readonly name: string
  readonly what?: string
  readonly choices?: readonly string[]
  readonly isOptional?: true
  readonly isRepeated?: true
  readonly isFile?: true
}

/** One command of `healthmonitor`: help, completion and the man page are made from this. */
export interface Command {
  /** What it does, for the list of commands. */
  readonly summary: string
  /** What it does, in paragraphs; one that begins with a space is an example and stays as it is. */
  readonly about: readonly string[]
  readonly words?: readonly Word[]
  readonly flags?: FlagTable
  /** Whether it calls the API of a running service. */
  readonly isClient?: true
  /** Exit codes that say more than 0 (done) and 2 (not understood). */
  readonly exits?: Readonly<Record<number, string>>
  /**
   * Runs it with the words after its name. Resolves to the exit code, or to undefined when the process keeps running.
   * Throws UsageError, StartRefusal, SchemaTooNewError and ClientFailure for people.
   */
  readonly run: (args: readonly string[], environment: NodeJS.ProcessEnv) => Promise<number | undefined>
}

/** Flags and words of a command line. Throws UsageError for a flag that is unknown, and for words beyond `words`. */
export function parseFlags<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
  words: { readonly min: number; readonly max: number; readonly named: string } = {
    min: 0,
    max: 0,
    named: '',
  },
) {
  const { values, positionals } = understood(() =>
    parseArgs({ args: [...args], options, strict: true, allowPositionals: true }),
  )
  const excess = positionals[words.max]
  if (excess !== undefined) throw new UsageError(`${JSON.stringify(excess)} is not understood`)
  if (positionals.length < words.min) throw new UsageError(`${words.named} is missing`)
  return { values, words: positionals }
}

/** The result of `parse`; errors of node:util's parser become UsageError, without its advice for programmers. */
export function understood<Value>(parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    if (!isParseArgsError(error)) throw error
    throw new UsageError(error.message.replace(/\.? (To specify|Did you).*$/s, ''), { cause: error })
  }
}

function isParseArgsError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

/** The one line for a usage error; `command` is absent when no command was understood. */
export function mistakeLine(error: UsageError, command: string | undefined): string {
  const name = command === undefined ? 'healthmonitor' : `healthmonitor ${command}`
  return `${name}: ${error.message} (${name} --help says more)\n`
}

/** For commands that print and end: a reader may close the pipe early, which is no error. */
export function endWhenNobodyReads(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}
