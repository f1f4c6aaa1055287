/**
 * Every number of the service, once: with unit, range and source; a file per subject below `limits/`. Dialects take their
 * ranges from here, the database's constraints are the union of them, and the defaults of the configuration live here too.
 */
export type { Range } from './range.ts'
export * from './limits/api.ts'
export * from './limits/addresses.ts'
export * from './limits/requests.ts'
export * from './limits/elb.ts'
export * from './limits/octavia.ts'
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
