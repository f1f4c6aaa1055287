/** `npm run docs:metrics`: writes the reference of the metrics into docs/metrics.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { withMetricReference } from '../../runtime/metrics/metric-reference.ts'

writeFileSync('docs/metrics.md', withMetricReference(readFileSync('docs/metrics.md', 'utf8')))
