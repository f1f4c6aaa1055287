/** Every command of the program, by its name. */
import { parseConfig } from '../runtime/config.ts'
import { readTlsIdentity } from '../runtime/tls-identity.ts'
import { api } from './command/api.ts'
import { dumpCommand, restoreCommand } from './command/backup.ts'
import { type Command, endWhenNobodyReads, parseFlags } from './command-line.ts'
import { neededDatabaseUrl } from './process/database.ts'
import { eventsCommand } from './command/events.ts'
import { healthCommand } from './command/health.ts'
import { maintenanceCommand } from './command/maintenance.ts'
import { migrate } from './command/migrate.ts'
import { probeCommand } from './command/probe.ts'
import { PROBE_ONCE_OPTIONS, probeOnce } from './command/probe-once.ts'
import { notifier } from './command/notifier.ts'
import { prober } from './command/prober.ts'
import { serve } from './command/serve.ts'
import { SIMULATE_OPTIONS, SIMULATE_WORDS } from './command/simulate-command.ts'
import { simulateCommand } from './command/simulate.ts'
import { sqlCommand } from './command/sql.ts'
import { statusCommand } from './command/status.ts'
import { targetPolicyOf } from './process/target-policy.ts'
import { textCommands } from './command/text.ts'
import { waitCommand } from './command/wait.ts'
import { webhookCommand } from './command/webhook.ts'

const CHECK_CONFIG = {
  'check-config': {
    type: 'boolean',
    what: 'checks the configuration in the environment, and ends (exit code 0 or 1)',
  },
} as const
const PROBER_FLAGS = {
  name: {
    type: 'string',
    default: 'prober',
    value: 'NAME',
    what: 'the name of this process in logs and metrics',
  },
  ...CHECK_CONFIG,
} as const
const THE_ENVIRONMENT = 'The configuration is read from environment variables; README.md lists them.'

export const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'API, prober processes and, without DATABASE_URL, an embedded PostgreSQL',
    about: ['Runs everything of one host until Ctrl-C or SIGTERM.', THE_ENVIRONMENT],
    flags: CHECK_CONFIG,
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true) return checkConfig(environment)
      await serve(environment)
      return undefined
    },
  },
  api: {
    summary: 'the API alone (needs DATABASE_URL)',
    about: ['Serves the API; the probers are other processes with the same DATABASE_URL.', THE_ENVIRONMENT],
    flags: CHECK_CONFIG,
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true)
        return checkConfig(environment, 'api')
      await api(environment)
      return undefined
    },
  },
  prober: {
    summary: 'a prober alone (needs DATABASE_URL)',
    about: ['Probes its share of all members.', THE_ENVIRONMENT],
    flags: PROBER_FLAGS,
    run: async (args, environment) => {
      const { values } = parseFlags(args, PROBER_FLAGS)
      if (values['check-config'] === true) return checkConfig(environment, 'prober')
      await prober(values.name, environment)
      return undefined
    },
  },
  notifier: {
    summary: 'a notifier alone (needs DATABASE_URL)',
    about: [
      'Delivers events to receivers. If several notifiers run, one delivers and the others stand by.',
      THE_ENVIRONMENT,
    ],
    flags: CHECK_CONFIG,
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true)
        return checkConfig(environment, 'notifier')
      await notifier(environment)
      return undefined
    },
  },
  migrate: {
    summary: 'brings the database to the schema of this version, and ends (needs DATABASE_URL)',
    about: ['Brings the database to the schema of this version, and ends.', THE_ENVIRONMENT],
    flags: CHECK_CONFIG,
    run: async (args, environment) => {
      if (parseFlags(args, CHECK_CONFIG).values['check-config'] === true)
        return checkConfig(environment, 'migrate')
      await migrate(environment)
      return 0
    },
  },
  status: statusCommand,
  health: healthCommand,
  events: eventsCommand,
  wait: waitCommand,
  probe: probeCommand,
  maintenance: maintenanceCommand,
  webhook: webhookCommand,
  sql: sqlCommand,
  dump: dumpCommand,
  restore: restoreCommand,
  'probe-once': {
    summary: 'one probe of an address from this host, without the service',
    about: [
      'Makes one probe of a target from this host, as a prober would, and says what it found. It asks no service: `healthmonitor probe` probes a member through the service.',
      'HM_PROBE_ALLOW and HM_PROBE_DENY apply, and HM_TLS_DIR to the files that options name.',
    ],
    flags: PROBE_ONCE_OPTIONS,
    exits: { 0: 'passed', 1: 'failed', 2: 'inconclusive or not started' },
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
    about: [
      'Shows what a monitor would do with given results. With results after --, it prints a timeline. Without them, it reads traces as JSON from standard input ({"id", "unified_config", "results"}, one or a list) and prints a list of {"id", "steps"}.',
      '  healthmonitor simulate --rise 2 --fall 3 -- pass pass fail fail fail pass\n  healthmonitor simulate < TRACES.json',
    ],
    words: SIMULATE_WORDS,
    flags: SIMULATE_OPTIONS,
    run: async (args) => {
      endWhenNobodyReads()
      return await simulateCommand(args, {
        input: process.stdin,
        isTerminal: process.stdin.isTTY,
        out: (text) => process.stdout.write(text),
      })
    },
  },
  ...textCommands(() => COMMANDS),
}

/**
 * Checks whether the configuration is valid and the files that it names are usable. For a command that needs
 * DATABASE_URL, checks that it is set. Throws StartRefusal.
 */
export function checkConfig(environment: NodeJS.ProcessEnv, needsDatabase?: string): number {
  const config = parseConfig(environment)
  if (needsDatabase !== undefined) neededDatabaseUrl(config, needsDatabase)
  if (config.tls !== undefined) readTlsIdentity(config.tls)
  process.stdout.write(`the configuration is usable\n${JSON.stringify(config, null, 2)}\n`)
  return 0
}
