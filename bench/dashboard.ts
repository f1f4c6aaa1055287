/**
 * `node dist/bench/dashboard.js [--seconds 40] [--prometheus URL] [--job healthmonitor]`
 *
 * Tries every query of the Grafana dashboard and of the alert rules. It starts a service with members that pass, fail and
 * flap, and a Prometheus (Debian's package) that scrapes it, and then says which query has data. With `--prometheus` it
 * starts nothing and asks that one. Exit code 1: a query is an error, or a query of the dashboard has no data.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { commandLine } from './command-line.ts'
import { alertQueries, dashboardQueries, type Query } from './dashboard-queries.ts'
import { startObservedService } from './observed-service.ts'
import { type Answer, ask, scrapeErrors, startPrometheus } from './prometheus.ts'

/** At least four scrapes of our own Prometheus, and of one that scrapes every 15 s or less. */
const OWN_RATE_INTERVAL = '20s'
const RATE_INTERVAL = '2m'

const values = commandLine('node dist/bench/dashboard.js [options]', {
  seconds: '40',
  prometheus: '',
  job: 'healthmonitor',
})

async function main(): Promise<boolean> {
  if (values.prometheus !== '') return await report(values.prometheus.replace(/\/$/, ''), RATE_INTERVAL)
  const service = await startObservedService()
  try {
    const prometheus = await startPrometheus(values.job, service.metrics)
    try {
      console.log(`a service with ${service.members} members is scraped for ${values.seconds} s`)
      await Promise.all([service.load(Number(values.seconds)), wait(Number(values.seconds) * 1000)])
      return await report(prometheus.url, OWN_RATE_INTERVAL)
    } finally {
      await prometheus.stop()
    }
  } finally {
    await service.stop()
  }
}

/** Prints what each query answers; whether all is as it should be. */
async function report(url: string, rateInterval: string): Promise<boolean> {
  for (const error of await scrapeErrors(url, values.job)) console.log(`not scraped: ${error}`)
  const panels = await asked(url, dashboardQueries({ job: values.job, rateInterval }))
  const alerts = await asked(url, alertQueries())
  console.log('\ndashboard')
  for (const { query, answer } of panels) console.log(line(query, answer))
  console.log('\nalert rules (no data: the alert is silent)')
  for (const { query, answer } of alerts) console.log(line(query, answer))
  const withData = panels.filter(({ answer }) => answer.kind === 'data').length
  const errors = [...panels, ...alerts].filter(({ answer }) => answer.kind === 'error').length
  console.log(
    `\n${withData} of ${panels.length} queries of the dashboard have data; ${errors} queries are errors`,
  )
  return withData === panels.length && errors === 0
}

interface Asked {
  readonly query: Query
  readonly answer: Answer
}

async function asked(url: string, queries: readonly Query[]): Promise<readonly Asked[]> {
  return await Promise.all(queries.map(async (query) => ({ query, answer: await ask(url, query.expr) })))
}

function line({ title, expr }: Query, answer: Answer): string {
  const name = `  ${title.padEnd(44)} `
  if (answer.kind === 'data') return `${name}${answer.series} series, the first ${answer.first}`
  return `${name}${answer.kind === 'error' ? `ERROR ${answer.message}` : 'no data'}: ${expr}`
}

process.exitCode = (await main()) ? 0 : 1
