/** Statements on public pages: what the API writes, and what strangers are shown. */
import { PUBLIC_PAGES_LISTED, PUBLIC_POOL_MEMBERS_MAX } from '../../domain/limits.ts'
import type { RolledUpStatus } from '../../domain/status/roll-up.ts'
import type { MemberState } from '../../domain/status/member-status.ts'
import { type Db, query, type Tx } from '../connection/database.ts'
import { type AgedObjects, findAged, listAged, lockAged } from './oldest-first.ts'

export interface PublicPage {
  readonly id: string
  readonly projectId: string
  readonly title: string
  readonly showMembers: boolean
  /** In the order in which they are shown. */
  readonly pools: readonly string[]
  /** Of each of them. */
  readonly poolNames: readonly string[]
  readonly createdAt: Date
  readonly updatedAt: Date
}

interface PageRow {
  readonly id: string
  readonly project_id: string
  readonly title: string
  readonly show_members: boolean
  readonly pools: readonly string[]
  readonly pool_names: readonly string[]
  readonly created_at: Date
  readonly updated_at: Date
}

const PAGES: AgedObjects = {
  select: `
    select p.id, p.project_id, p.title, p.show_members, p.created_at, p.updated_at,
      array(select c.pool_id from public_page_pool c where c.page_id = p.id order by c.place) as pools,
      array(
        select o.name from public_page_pool c join pool o on o.id = c.pool_id where c.page_id = p.id order by c.place
      ) as pool_names
    from public_page p`,
  table: 'public_page',
  alias: 'p',
  pageSize: PUBLIC_PAGES_LISTED,
}

function toPage(row: PageRow): PublicPage {
  return {
    id: row.id,
    projectId: row.project_id,
    title: row.title,
    showMembers: row.show_members,
    pools: row.pools,
    poolNames: row.pool_names,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** Of a project; undefined = of all. Oldest first, behind `marker`. Undefined: there is no such marker. */
export async function listPublicPages(
  db: Db,
  projectId: string | undefined,
  marker: string | undefined,
): Promise<readonly PublicPage[] | undefined> {
  return (await listAged<PageRow>(db, PAGES, projectId, marker))?.map(toPage)
}

/** A page by its id; of one project only where one is given. */
export async function findPublicPage(
  db: Db,
  id: string,
  projectId: string | undefined,
): Promise<PublicPage | undefined> {
  const row = await findAged<PageRow>(db, PAGES, id, projectId)
  return row && toPage(row)
}

/** As `findPublicPage`, with a lock until commit. */
export async function lockPublicPage(
  tx: Tx,
  id: string,
  projectId: string | undefined,
): Promise<PublicPage | undefined> {
  const row = await lockAged<PageRow>(tx, PAGES, id, projectId)
  return row && toPage(row)
}

/** The page whose link has a token with this SHA-256. */
export async function findPublicPageByHash(db: Db, hash: Buffer): Promise<PublicPage | undefined> {
  const [row] = await query<PageRow>(db, `${PAGES.select} where p.token_hash = $1`, [hash])
  return row && toPage(row)
}

/** How many pages a project has; a lock prevents others from creating one until commit. */
export async function countPublicPagesLocked(tx: Tx, projectId: string): Promise<number> {
  await query(tx, `select pg_advisory_xact_lock(hashtextextended('public pages ' || $1, 0))`, [projectId])
  const [row] = await query<{ n: number }>(
    tx,
    'select count(*) as n from public_page where project_id = $1',
    [projectId],
  )
  return row?.n ?? 0
}

export type PublicPageFields = Pick<PublicPage, 'id' | 'projectId' | 'title' | 'showMembers' | 'pools'>

export async function insertPublicPage(
  tx: Tx,
  { id, projectId, title, showMembers, pools }: PublicPageFields,
  hash: Buffer,
): Promise<void> {
  await query(
    tx,
    'insert into public_page (id, project_id, title, show_members, token_hash) values ($1, $2, $3, $4, $5)',
    [id, projectId, title, showMembers, hash],
  )
  await writePools(tx, id, pools)
}

export async function updatePublicPage(tx: Tx, page: PublicPageFields): Promise<void> {
  await query(tx, 'update public_page set title = $2, show_members = $3, updated_at = now() where id = $1', [
    page.id,
    page.title,
    page.showMembers,
  ])
  await query(tx, 'delete from public_page_pool where page_id = $1', [page.id])
  await writePools(tx, page.id, page.pools)
}

async function writePools(tx: Tx, id: string, pools: readonly string[]): Promise<void> {
  await query(
    tx,
    `insert into public_page_pool (page_id, place, pool_id)
     select $1, place, pool_id from unnest($2::uuid[]) with ordinality chosen (pool_id, place)`,
    [id, pools],
  )
}

/** From now on the link is another one. */
export async function rotatePublicPage(tx: Tx, id: string, hash: Buffer): Promise<void> {
  await query(tx, 'update public_page set token_hash = $2, updated_at = now() where id = $1', [id, hash])
}

export async function deletePublicPage(tx: Tx, id: string): Promise<void> {
  await query(tx, 'delete from public_page where id = $1', [id])
}

/** Those of these pools that are in a project. They are not deleted until commit. */
export async function lockPoolsOf(
  tx: Tx,
  projectId: string,
  pools: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await query<{ id: string }>(
    tx,
    'select id from pool where id = any($1::uuid[]) and project_id = $2 order by id for key share',
    [pools, projectId],
  )
  return new Set(rows.map(({ id }) => id))
}

export interface ShownPool {
  readonly id: string
  readonly name: string
  readonly status: RolledUpStatus
  readonly since: Date
  readonly members: number
  readonly online: number
}

/** Names and statuses of the pools of a page, in its order. */
export async function readShownPools(db: Db, pageId: string): Promise<readonly ShownPool[]> {
  return await query<ShownPool>(
    db,
    `select p.id, p.name, coalesce(r.operating_status, 'OFFLINE') as status,
       coalesce(r.since, p.created_at) as since, coalesce(r.members, 0) as members, coalesce(r.online, 0) as online
     from public_page_pool c
     join pool p on p.id = c.pool_id
     left join pool_roll_up r on r.pool_id = p.id
     where c.page_id = $1 order by c.place`,
    [pageId],
  )
}

export interface ShownMember {
  readonly pool_id: string
  readonly name: string
  readonly state: MemberState
}

/** Names and states of the members of these pools, those with trouble first. Of a pool with too many members none. */
export async function readShownMembers(db: Db, pools: readonly ShownPool[]): Promise<readonly ShownMember[]> {
  const small = pools.filter(({ members }) => members > 0 && members <= PUBLIC_POOL_MEMBERS_MAX)
  if (small.length === 0) return []
  return await query<ShownMember>(
    db,
    `select m.pool_id, m.name, m.state from member_detail m where m.pool_id = any($1::uuid[])
     order by case m.state when 'OFFLINE' then 0 when 'UNKNOWN' then 1 else 2 end, m.name, m.id`,
    [small.map(({ id }) => id)],
  )
}
