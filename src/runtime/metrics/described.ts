/** How a metric of prom-client is made from its row in the table. */
import type { Registry } from 'prom-client'
import { METRICS, type MetricName } from './metric-table.ts'

/** The options that name and explain it, and register it. */
export function described<Name extends MetricName>(
  registry: Registry,
  name: Name,
): { readonly name: Name; readonly help: string; readonly registers: Registry[] } {
  return { name, help: METRICS[name].help, registers: [registry] }
}
