/** Every command of the program, by its name. */
import { apiCommand } from './command/api.ts'
import { applyCommand } from './command/apply.ts'
import { dumpCommand, restoreCommand } from './command/backup.ts'
import { eventsCommand } from './command/events.ts'
import { healthCommand } from './command/health.ts'
import { maintenanceCommand } from './command/maintenance.ts'
import { migrateCommand } from './command/migrate.ts'
import { natsAccessCommand } from './command/nats-access.ts'
import { notifierCommand } from './command/notifier.ts'
import { probeCommand } from './command/probe.ts'
import { probeOnceCommand } from './command/probe-once.ts'
import { proberCommand } from './command/prober.ts'
import { relayCommand } from './command/relay.ts'
import { serveCommand } from './command/serve.ts'
import { simulateCommand } from './command/simulate.ts'
import { sqlCommand } from './command/sql.ts'
import { statusCommand } from './command/status.ts'
import { textCommands } from './command/text.ts'
import { waitCommand } from './command/wait.ts'
import { webhookCommand } from './command/webhook.ts'
import type { Command } from './command-line.ts'

export const COMMANDS: Readonly<Record<string, Command>> = {
  serve: serveCommand,
  api: apiCommand,
  prober: proberCommand,
  notifier: notifierCommand,
  relay: relayCommand,
  migrate: migrateCommand,
  status: statusCommand,
  health: healthCommand,
  events: eventsCommand,
  wait: waitCommand,
  probe: probeCommand,
  maintenance: maintenanceCommand,
  webhook: webhookCommand,
  apply: applyCommand,
  'nats-access': natsAccessCommand,
  sql: sqlCommand,
  dump: dumpCommand,
  restore: restoreCommand,
  'probe-once': probeOnceCommand,
  simulate: simulateCommand,
  ...textCommands(() => COMMANDS),
}
