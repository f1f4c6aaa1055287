/** From a command line to a command: which one, help, version, and usage errors. */
import { ClientFailure } from '../client/failure.ts'
import { printable } from '../client/terminal/screen.ts'
import { usageOf } from './command-help.ts'
import { mistakeLine, UsageError } from './command-line.ts'
import { allCommands, COMMAND_NAMES, commandOf } from './commands.ts'
import { version } from './version.ts'

const HELP = new Set(['help', '--help', '-h'])
const VERSION = new Set(['version', '--version', '-V'])

const usage = async (): Promise<string> => `usage: healthmonitor COMMAND

${Object.entries(await allCommands())
  .map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  .join('\n')}

  help [COMMAND]   says more, as COMMAND --help does
  version          which version this is
  --check-config   checks the configuration in the environment, and ends (exit code 0 or 1)

The configuration is read from environment variables; README.md lists them.
`

/** Standard output and standard error. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/**
 * Runs the command line. Resolves to the exit code (2: it is not understood), or to undefined when the process keeps
 * running. Throws what the command throws.
 */
export async function dispatch(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { out, err }: Terminal,
): Promise<number | undefined> {
  const [first = '', ...rest] = args
  try {
    const help = await helpOf(args)
    if (help === undefined) return await run(first, rest, environment)
    out(help)
    return 0
  } catch (error) {
    if (error instanceof ClientFailure) {
      err(`healthmonitor ${first}: ${printable(error.message)}\n`)
      return error.exitCode
    }
    if (!(error instanceof UsageError)) throw error
    err(mistakeLine(error, COMMAND_NAMES.includes(first) ? first : undefined))
    return 2
  }
}

/** The text of --help or --version; undefined without these flags. */
async function helpOf([first, ...rest]: readonly string[]): Promise<string | undefined> {
  if (first === undefined) throw new UsageError('a command is needed')
  if (HELP.has(first)) return await helpAbout(rest)
  if (VERSION.has(first)) return `${version}\n`
  if (!rest.includes('--help') && !rest.includes('-h')) return undefined
  const command = await commandOf(first)
  return command === undefined ? undefined : usageOf(first, command)
}

async function run(
  first: string,
  rest: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number | undefined> {
  if (first === '--check-config' && rest.length === 0)
    return (await import('./command/process-command.ts')).checkConfig(environment)
  const command = await commandOf(first)
  if (command === undefined) throw new UsageError(`unknown command ${JSON.stringify(first)}`)
  return await command.run(rest, environment)
}

async function helpAbout([name, ...more]: readonly string[]): Promise<string> {
  if (name === undefined) return await usage()
  const command = await commandOf(name)
  if (command === undefined || more.length > 0)
    throw new UsageError(`unknown command ${JSON.stringify([name, ...more].join(' '))}`)
  return usageOf(name, command)
}
