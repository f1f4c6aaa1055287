/** What the commands share that are processes of the service: their settings come from the environment. */
import { parseConfig } from '../../runtime/config/config.ts'
import { readTlsIdentity } from '../../runtime/listener/tls-identity.ts'
import { type Command, parseFlags } from '../command-line.ts'
import { neededDatabaseUrl } from '../process/database.ts'

export const CHECK_CONFIG = {
  'check-config': {
    type: 'boolean',
    what: 'checks the configuration in the environment, and ends (exit code 0 or 1)',
  },
} as const

/** The last paragraph of their help. */
export const THE_ENVIRONMENT = 'The configuration is read from environment variables; README.md lists them.'

/** A command of which --check-config is the only flag. */
export function processCommand({
  summary,
  about,
  needsDatabaseAs,
  run,
  ends = false,
}: {
  readonly summary: string
  readonly about: string
  /** Its name, if it needs DATABASE_URL. */
  readonly needsDatabaseAs?: string
  readonly run: (environment: NodeJS.ProcessEnv) => Promise<void>
  /** Whether the process ends when `run` is done; else it keeps running. */
  readonly ends?: boolean
}): Command {
  return {
    summary,
    about: [about, THE_ENVIRONMENT],
    flags: CHECK_CONFIG,
    run: async (args, environment) => {
      const { values } = parseFlags(args, CHECK_CONFIG)
      if (values['check-config'] === true) return checkConfig(environment, needsDatabaseAs)
      await run(environment)
      return ends ? 0 : undefined
    },
  }
}

/**
 * Checks whether the configuration is valid and the files that it names are usable. For a command that needs
 * DATABASE_URL, checks that it is set. Prints the settings and returns the exit code 0. Throws StartRefusal.
 */
export function checkConfig(environment: NodeJS.ProcessEnv, needsDatabaseAs?: string): number {
  const config = parseConfig(environment)
  if (needsDatabaseAs !== undefined) neededDatabaseUrl(config, needsDatabaseAs)
  if (config.tls !== undefined) readTlsIdentity(config.tls)
  process.stdout.write(`the configuration is usable\n${JSON.stringify(config, null, 2)}\n`)
  return 0
}
