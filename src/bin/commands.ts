/** Every command of the program, by its name. Only the one that runs is loaded: all of them take more than a second. */
import type { Command } from './command-line.ts'

type Load = () => Promise<Command>

/** In the order of help. */
const LOADS: Readonly<Record<string, Load>> = {
  serve: async () => (await import('./command/serve.ts')).serveCommand,
  api: async () => (await import('./command/api.ts')).apiCommand,
  prober: async () => (await import('./command/prober.ts')).proberCommand,
  notifier: async () => (await import('./command/notifier.ts')).notifierCommand,
  relay: async () => (await import('./command/relay.ts')).relayCommand,
  migrate: async () => (await import('./command/migrate.ts')).migrateCommand,
  status: async () => (await import('./command/status.ts')).statusCommand,
  health: async () => (await import('./command/health.ts')).healthCommand,
  events: async () => (await import('./command/events.ts')).eventsCommand,
  wait: async () => (await import('./command/wait.ts')).waitCommand,
  probe: async () => (await import('./command/probe.ts')).probeCommand,
  maintenance: async () => (await import('./command/maintenance.ts')).maintenanceCommand,
  webhook: async () => (await import('./command/webhook.ts')).webhookCommand,
  apply: async () => (await import('./command/apply.ts')).applyCommand,
  'nats-access': async () => (await import('./command/nats-access.ts')).natsAccessCommand,
  sql: async () => (await import('./command/sql.ts')).sqlCommand,
  dump: async () => (await import('./command/backup.ts')).dumpCommand,
  restore: async () => (await import('./command/backup.ts')).restoreCommand,
  'probe-once': async () => (await import('./command/probe-once.ts')).probeOnceCommand,
  simulate: async () => (await import('./command/simulate.ts')).simulateCommand,
  completion: async () => (await import('./command/text.ts')).completionCommand(allCommands),
  man: async () => (await import('./command/text.ts')).manCommand(allCommands),
}

export const COMMAND_NAMES: readonly string[] = Object.keys(LOADS)

export async function commandOf(name: string): Promise<Command | undefined> {
  return Object.hasOwn(LOADS, name) ? await LOADS[name]?.() : undefined
}

/** What help, completion and the manual page are made from. */
export async function allCommands(): Promise<Readonly<Record<string, Command>>> {
  const entries = Object.entries(LOADS).map(async ([name, load]) => [name, await load()] as const)
  return Object.fromEntries(await Promise.all(entries))
}
