#!/usr/bin/env node
/** The program: which subcommand, and what a person reads when it cannot do its work. */
import { parseConfig } from '../runtime/config.ts'
import { StartRefusal } from '../runtime/start-refusal.ts'
import { SchemaTooNewError } from '../store/migrate.ts'
import { api } from './api.ts'
import { migrate } from './migrate.ts'
import { probeOnce } from './probe-once.ts'
import { prober } from './prober-command.ts'
import { serve } from './serve.ts'
import { simulateCommand } from './simulate.ts'
import { targetPolicyOf } from './target-policy.ts'
import { version } from './version.ts'

const USAGE = `usage: healthmonitor COMMAND

  serve        API, prober processes and, without DATABASE_URL, an embedded PostgreSQL
  api          the API alone (needs DATABASE_URL)
  prober       a prober alone (needs DATABASE_URL)
  migrate      brings the database to the schema of this version, and ends (needs DATABASE_URL)
  probe-once   one probe from this host; probe-once --help tells more
  simulate     what a monitor would do with given results; simulate --help tells more

  --check-config   says whether the environment is usable, and ends (exit code 0 or 1)
  --version
  --help

The configuration is the environment; README.md has the table.
`

/** Runs the command line; answers the exit code, or undefined when the process goes on. */
async function run(args: readonly string[]): Promise<number | undefined> {
  const [command, ...rest] = args
  const hasOwnHelp = command === 'probe-once' || command === 'simulate'
  if (!hasOwnHelp && args.includes('--help')) return print(USAGE)
  if (args.includes('--version')) return print(`${version}\n`)
  if (args.includes('--check-config')) return checkConfig()
  switch (command) {
    case 'serve':
      await serve(process.env)
      return undefined
    case 'api':
      await api(process.env)
      return undefined
    case 'prober':
      await prober(rest, process.env)
      return undefined
    case 'migrate':
      await migrate(process.env)
      return 0
    case 'probe-once': {
      const config = parseConfig(process.env)
      return await probeOnce(rest, {
        policy: await targetPolicyOf(config, config.databaseUrl),
        ...(config.tlsDir === undefined ? {} : { tlsDir: config.tlsDir }),
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
      })
    }
    case 'simulate':
      process.stdout.once('error', endQuietly)
      return await simulateCommand(rest, {
        input: process.stdin,
        isTerminal: process.stdin.isTTY,
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
      })
    case undefined:
    default:
      process.stderr.write(
        `${command === undefined ? 'a command is needed' : `unknown command ${command}`}\n\n${USAGE}`,
      )
      return 2
  }
}

/** Who reads the output has read enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function checkConfig(): number {
  const config = parseConfig(process.env)
  return print(`the configuration is usable\n${JSON.stringify(config, null, 2)}\n`)
}

try {
  const code = await run(process.argv.slice(2))
  if (code !== undefined) process.exitCode = code
} catch (error) {
  if (!(error instanceof StartRefusal) && !(error instanceof SchemaTooNewError)) throw error
  process.stderr.write(`healthmonitor: ${error.message}\n`)
  process.exit(1)
}
