/**
 * Every number of the service, once: with unit, range and source; a file per subject below `limits/`. The defaults of
 * the configuration are here too. Limits of one dialect are in its folder; the database's constraints are the widest.
 */
export type { Range } from './limits/range.ts'
export * from './limits/api.ts'
export * from './limits/addresses.ts'
export * from './limits/requests.ts'
export * from './limits/probing.ts'
export * from './limits/options.ts'
export * from './limits/scheduling.ts'
export * from './limits/writing.ts'
export * from './limits/prober.ts'
export * from './limits/console.ts'
export * from './limits/database.ts'
export * from './limits/identity.ts'
export * from './limits/host.ts'
export * from './limits/metrics.ts'
export * from './limits/events.ts'
export * from './limits/overview.ts'
export * from './limits/waiting.ts'
export * from './limits/client.ts'
export * from './limits/notifying.ts'
export * from './limits/amqp.ts'
