/** Every command of the program, by its name. */
import { parseConfig } from '../runtime/config.ts'
import { readTlsIdentity } from '../runtime/tls-identity.ts'
import { api } from './api.ts'
import { dumpCommand, restoreCommand } from './backup-commands.ts'
import { type Command, endWhenNobodyReads, parseFlags } from './command-line.ts'
import { neededDatabaseUrl } from './database.ts'
import { migrate } from './migrate.ts'
import { PROBE_ONCE_USAGE, probeOnce } from './probe-once.ts'
import { notifier } from './notifier-command.ts'
import { prober } from './prober-command.ts'
import { serve } from './serve.ts'
import { SIMULATE_USAGE } from './simulate-command.ts'
import { simulateCommand } from './simulate.ts'
import { sqlCommand } from './sql-command.ts'
import { targetPolicyOf } from './target-policy.ts'

const CHECK_CONFIG = { 'check-config': { type: 'boolean' } } as const

export const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'API, prober processes and, without DATABASE_URL, an embedded PostgreSQL',
    usage: usageOf('serve', 'Runs everything of one host until Ctrl-C or SIGTERM.'),
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true) return checkConfig(environment)
      await serve(environment)
      return undefined
    },
  },
  api: {
    summary: 'the API alone (needs DATABASE_URL)',
    usage: usageOf('api', 'Serves the API; the probers are other processes with the same DATABASE_URL.'),
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true)
        return checkConfig(environment, 'api')
      await api(environment)
      return undefined
    },
  },
  prober: {
    summary: 'a prober alone (needs DATABASE_URL)',
    usage: usageOf('prober', 'Probes its share of all members.', [
      '  --name NAME      of this process in logs and metrics (prober)',
    ]),
    run: async (args, environment) => {
      const { values } = parseFlags(args, { ...CHECK_CONFIG, name: { type: 'string', default: 'prober' } })
      if (values['check-config'] === true) return checkConfig(environment, 'prober')
      await prober(values.name, environment)
      return undefined
    },
  },
  notifier: {
    summary: 'tells receivers of events, alone (needs DATABASE_URL)',
    usage: usageOf('notifier', 'Delivers events to receivers. Of several one does; the others stand by.'),
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true)
        return checkConfig(environment, 'notifier')
      await notifier(environment)
      return undefined
    },
  },
  migrate: {
    summary: 'brings the database to the schema of this version, and ends (needs DATABASE_URL)',
    usage: usageOf('migrate', 'Brings the database to the schema of this version, and ends.'),
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true)
        return checkConfig(environment, 'migrate')
      await migrate(environment)
      return 0
    },
  },
  sql: sqlCommand,
  dump: dumpCommand,
  restore: restoreCommand,
  'probe-once': {
    summary: 'one probe from this host',
    usage: PROBE_ONCE_USAGE,
    run: async (args, environment) => {
      const config = parseConfig(environment)
      return await probeOnce(args, {
        policy: await targetPolicyOf(config, config.databaseUrl),
        ...(config.tlsDir === undefined ? {} : { tlsDir: config.tlsDir }),
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
      })
    },
  },
  simulate: {
    summary: 'what a monitor would do with given results',
    usage: SIMULATE_USAGE,
    run: async (args) => {
      endWhenNobodyReads()
      return await simulateCommand(args, {
        input: process.stdin,
        isTerminal: process.stdin.isTTY,
        out: (text) => process.stdout.write(text),
      })
    },
  },
}

function usageOf(name: string, what: string, flags: readonly string[] = []): string {
  const lines = [
    `usage: healthmonitor ${name} [options]`,
    '',
    what,
    '',
    ...flags,
    '  --check-config   says whether the environment is usable for it, and ends (exit code 0 or 1)',
    '',
    'The configuration is the environment; README.md lists it.',
  ]
  return `${lines.join('\n')}\n`
}

/**
 * Checks whether the environment is valid, and the files that it names are usable; for a command that needs a PostgreSQL
 * also whether it has one. Throws StartRefusal.
 */
export function checkConfig(environment: NodeJS.ProcessEnv, needsDatabase?: string): number {
  const config = parseConfig(environment)
  if (needsDatabase !== undefined) neededDatabaseUrl(config, needsDatabase)
  if (config.tls !== undefined) readTlsIdentity(config.tls)
  process.stdout.write(`the configuration is usable\n${JSON.stringify(config, null, 2)}\n`)
  return 0
}
