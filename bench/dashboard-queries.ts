/** The queries of the Grafana dashboard and of the alert rules, as Prometheus gets them. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

const DASHBOARD = 'deploy/grafana/healthmonitor.json'
const RULES = 'deploy/prometheus/healthmonitor.rules.yml'

export interface Query {
  /** Title of the panel, or name of the alert. */
  readonly title: string
  readonly expr: string
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string
    readonly targets?: readonly { readonly expr: string }[]
  }[]
}

/** What Grafana puts in the place of its variables: the job, and at least four scrapes. */
export interface Variables {
  readonly job: string
  readonly rateInterval: string
}

/** Those of the dashboard, in its order. */
export function dashboardQueries({ job, rateInterval }: Variables): readonly Query[] {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      expr: expr.replaceAll('$job', job).replaceAll('$__rate_interval', rateInterval),
    })),
  )
}

/** Those of the alert rules, in their order. */
export function alertQueries(): readonly Query[] {
  const { groups } = parse(readFileSync(RULES, 'utf8')) as {
    readonly groups: readonly {
      readonly rules: readonly { readonly alert: string; readonly expr: string }[]
    }[]
  }
  return groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ title: alert, expr })))
}
