/** What `healthmonitor serve` prints when it is ready: where everything is, for the person who started it. */
import { type Config, withoutPassword } from '../../runtime/config/config.ts'
import type { EmbeddedPostgres } from '../../runtime/embedded/embedded-postgres.ts'
import { version } from '../version.ts'

export interface Served {
  readonly config: Config
  /** Absent with DATABASE_URL. */
  readonly embedded: EmbeddedPostgres | undefined
  /** URLs without a slash at the end; that of the metrics is absent when they are off. */
  readonly apiUrl: string
  /** Of the listeners that belong to one door each, by the name of the door. */
  readonly doorUrls: Readonly<Record<string, string>>
  readonly metricsUrl: string | undefined
}

export function welcome({ config, embedded, apiUrl, doorUrls, metricsUrl }: Served): string {
  const lines = [
    `healthmonitor ${version} is ready`,
    `  API       ${apiUrl}/v2.0/lbaas`,
    ...Object.entries(doorUrls).map(([door, url]) => `  ${door.padEnd(9)} ${url}`),
    `  page      ${apiUrl}/ui/`,
    `  docs      ${apiUrl}/docs`,
    ...clientLines(config, apiUrl),
    `  metrics   ${metricsUrl === undefined ? 'off' : `${metricsUrl}/metrics`}`,
    `  probers   ${config.probers}`,
    ...databaseLines(config, embedded),
    '  Ctrl-C stops everything',
  ]
  return `${lines.join('\n')}\n`
}

/** The settings for clients that need Keystone; any user and password will do. */
function clientLines({ auth, defaultProject }: Config, apiUrl: string): readonly string[] {
  if (auth !== 'none') return []
  const variables = [
    `OS_AUTH_URL=${apiUrl}/identity/v3 OS_USERNAME=admin OS_PASSWORD=any OS_PROJECT_NAME=${defaultProject}`,
    'OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default OS_REGION_NAME=RegionOne',
    'OS_IDENTITY_API_VERSION=3',
  ]
  return [`  clients   export ${variables.join(' ')}`]
}

function databaseLines(config: Config, embedded: EmbeddedPostgres | undefined): readonly string[] {
  if (embedded === undefined) {
    return [`  database  ${withoutPassword(config.databaseUrl ?? '')}`, '  psql      psql "$DATABASE_URL"']
  }
  const account = embedded.account === undefined ? '' : `, as ${embedded.account}`
  return [
    `  database  embedded PostgreSQL ${embedded.version} in ${embedded.home}${account}`,
    '  sql       npx healthmonitor sql "select * from member_status"',
    `  psql      ${embedded.psql}`,
  ]
}
