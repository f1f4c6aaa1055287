/**
 * `node dist/bench/query-plans.js > docs/query-plans.md`
 *
 * How PostgreSQL runs the lists of the API with 100 000 members stored, by versions, and the rows that they read: the
 * plan that a connection keeps, which is made without knowing the values.
 */
import pg from 'pg'
import { type Database, openDatabase, query } from '../src/store/connection/database.ts'
import { versionedHealthMonitors } from '../src/store/configuration/health-monitors.ts'
import { versionedListeners } from '../src/store/configuration/listeners.ts'
import type { ListQuery } from '../src/store/configuration/lists.ts'
import { listLoadBalancers } from '../src/store/configuration/load-balancers.ts'
import { listMembers, versionedMembers } from '../src/store/configuration/members.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { versionedPools } from '../src/store/configuration/pools.ts'
import { commandLine } from './command-line.ts'
import { MEMBERS, POOLS, PROJECT, storeMembers } from './api-rows.ts'
import { startPostgres } from './postgres.ts'

const PAGE = 100
/** Characters of a line of the document. */
const LINE_MAX = 118

interface Sent {
  readonly text: string
  readonly values: readonly unknown[]
}

/** The statements that `list` sends. */
async function statementsOf(
  db: Database,
  list: (db: Database) => Promise<unknown>,
): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  const { prototype } = pg.Client
  // The driver's method as it is found: it is put back, and called on the client that it is called on.
  const send = Reflect.get(prototype, 'query') as (...args: unknown[]) => unknown
  Reflect.set(prototype, 'query', function (this: pg.Client, ...args: unknown[]): unknown {
    const [statement] = args as [Partial<Sent>]
    sent.push({ text: statement.text ?? '', values: statement.values ?? [] })
    return send.apply(this, args)
  })
  try {
    await list(db)
  } finally {
    Reflect.set(prototype, 'query', send)
  }
  return sent
}

async function planOf(db: Database, { text, values }: Sent): Promise<string> {
  const given = values.map((value) => literal(value)).join(', ')
  await query(db, 'set plan_cache_mode = force_generic_plan')
  // Twice: what is read from disk the first time is in memory from then on.
  await query(db, `prepare shown as ${text}`)
  await query(db, `explain (analyze) execute shown(${given})`)
  const rows = await query<{ 'QUERY PLAN': string }>(
    db,
    `explain (analyze, buffers, costs off, timing off, summary off) execute shown(${given})`,
  )
  await query(db, 'deallocate shown')
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}

/** Arrays as PostgreSQL writes them: here they hold ids. */
function literal(value: unknown): string {
  return pg.escapeLiteral(Array.isArray(value) ? `{${value.join(',')}}` : String(value))
}

/** The text in lines of at most LINE_MAX characters; what follows a break is indented further than its line. */
function wrapped(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => wrappedLine(line, ' '.repeat(line.search(/\S|$/) + 4)))
    .join('\n')
}

function wrappedLine(line: string, indent: string): readonly string[] {
  const cut = line.length <= LINE_MAX ? 0 : line.lastIndexOf(' ', LINE_MAX)
  if (cut <= indent.length) return [line]
  return [line.slice(0, cut), ...wrappedLine(indent + line.slice(cut + 1), indent)]
}

async function main(): Promise<void> {
  commandLine('node dist/bench/query-plans.js > docs/query-plans.md', {})
  const postgres = await startPostgres({ isDurable: false })
  const db = openDatabase({ url: postgres.url, applicationName: 'plans', maxConnections: 1 })
  try {
    await migrateToLatest(db, postgres.url)
    const [poolId = ''] = await storeMembers(db)
    await query(db, 'vacuum analyze', [], 60_000)
    console.log(`# Query plans of the lists

PostgreSQL ${postgres.version}; ${MEMBERS} members in ${POOLS} pools of one project. Made by \`node dist/bench/query-plans.js\`.
Long lines are broken. A plan is the one that a connection keeps (made without knowing the values). Pages are those of
dialect octavia: ordered by creation. A page is read by the versions of its rows; rows that changed since they were
rendered are read by their ids. Data of other tables that a list shows is looked up only for the rows of the page. Data
that a list filters by is looked up for the rows of the project, with one short look-up each.`)
    for (const [name, list] of listsOf(poolId)) {
      console.log(`\n## ${name}`)
      for (const sent of await statementsOf(db, list))
        console.log(
          `\n\`\`\`sql\n${wrapped(sent.text)}\n\`\`\`\n\n\`\`\`\n${wrapped(await planOf(db, sent))}\n\`\`\``,
        )
    }
  } finally {
    await db.destroy()
    await postgres.stop()
  }
}

type Listed = readonly [name: string, list: (db: Database) => Promise<unknown>]

function listsOf(poolId: string): readonly Listed[] {
  const ofPool = { attribute: 'pool_id', values: [poolId] }
  const status = (word: string) => ({ attribute: 'operating_status', values: [word] })
  const failing = { attribute: 'rolled_up_status', values: ['ERROR'] }
  return [
    ['Health monitors', (db) => versionedHealthMonitors(db).versions(page())],
    ['Members of a pool', (db) => versionedMembers(db).versions(page(ofPool))],
    ['Members of a pool by operating_status', (db) => versionedMembers(db).versions(page(failing, ofPool))],
    ['Pools', (db) => versionedPools(db, { isStatusShown: true }).versions(page())],
    [
      'Pools by operating_status',
      (db) => versionedPools(db, { isStatusShown: true }).versions(page(status('DEGRADED'))),
    ],
    ['Pools that have to be rendered', (db) => versionedPools(db, { isStatusShown: true }).rows([poolId])],
    ['Members of a pool, when attributes are chosen', (db) => listMembers(db, page(ofPool))],
    ['Load balancers', (db) => listLoadBalancers(db, page(), 'roll-up')],
    [
      'Load balancers by operating_status',
      (db) => listLoadBalancers(db, page(status('DEGRADED')), 'roll-up'),
    ],
    ['Listeners by operating_status', (db) => versionedListeners(db).versions(page(status('ONLINE')))],
    [
      'All members by operating_status (elb)',
      (db) => versionedMembers(db).versions({ ...page(status('OFFLINE')), sort: [] }),
    ],
  ]
}

function page(...filters: ListQuery['filters']): ListQuery {
  return {
    projectId: PROJECT,
    filters,
    sort: [
      { attribute: 'created_at', direction: 'asc' },
      { attribute: 'id', direction: 'asc' },
    ],
    limit: PAGE,
    reverse: false,
    nulls: 'first',
  }
}

await main()
