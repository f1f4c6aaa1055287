/** Statements on the objects of meshes: proxies, policies, services. Their bodies are JSON as it is shown. */
import type { ResourceType } from '../../domain/kuma/objects.ts'
import type { StoredObject } from '../../domain/kuma/stored-objects.ts'
import { PAGE_MAX_BYTES } from '../../domain/limits.ts'
import { type Db, type Tx, query } from '../connection/database.ts'
import { timeText } from './meshes.ts'

export interface ResourceKey {
  readonly projectId: string
  readonly mesh: string
  readonly type: ResourceType
  readonly name: string
}

export interface ResourceRow {
  readonly mesh: string
  readonly type: ResourceType
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** RFC 3339 in UTC with six digits. */
  readonly createdAt: string
  readonly updatedAt: string
}

const COLUMNS = `r.mesh, r.type, r.name, r.labels, r.body, ${timeText('r.created_at')} as "createdAt",
  ${timeText('r.updated_at')} as "updatedAt"`

export async function findResource(db: Db, key: ResourceKey): Promise<ResourceRow | undefined> {
  const [row] = await query<ResourceRow>(
    db,
    `select ${COLUMNS} from kuma_resource r
     where r.project_id = $1 and r.mesh = $2 and r.type = $3 and r.name = $4`,
    [key.projectId, key.mesh, key.type, key.name],
  )
  return row
}

/** Creates an object or replaces it; the time of its creation stays. By how many bytes its mesh became larger. */
export async function putResource(
  tx: Tx,
  { projectId, mesh, type, name }: ResourceKey,
  { labels, body }: Pick<ResourceRow, 'labels' | 'body'>,
): Promise<number> {
  const [row] = await query<{ grown: number }>(
    tx,
    `with before as (
       select bytes from kuma_resource where project_id = $1 and mesh = $2 and type = $3 and name = $4
     )
     insert into kuma_resource (project_id, mesh, type, name, labels, body) values ($1, $2, $3, $4, $5, $6)
     on conflict (project_id, mesh, type, name)
     do update set labels = excluded.labels, body = excluded.body, updated_at = clock_timestamp()
     returning bytes - coalesce((select bytes from before), 0) as grown`,
    [projectId, mesh, type, name, JSON.stringify(labels), JSON.stringify(body)],
  )
  return row?.grown ?? 0
}

/** The object that was deleted, and its bytes; undefined = there was none. */
export async function deleteResource(
  tx: Tx,
  { projectId, mesh, type, name }: ResourceKey,
): Promise<(ResourceRow & { readonly bytes: number }) | undefined> {
  const [row] = await query<ResourceRow & { readonly bytes: number }>(
    tx,
    `delete from kuma_resource r where r.project_id = $1 and r.mesh = $2 and r.type = $3 and r.name = $4
     returning ${COLUMNS}, r.bytes`,
    [projectId, mesh, type, name],
  )
  return row
}

/**
 * All objects of a mesh, for what is probed. `createdAt` is empty where nothing depends on it: to make text of all times would take
 * half of the statement.
 */
export async function readMesh(db: Db, projectId: string, mesh: string): Promise<readonly StoredObject[]> {
  return await query<StoredObject>(
    db,
    `select r.type, r.name, r.labels, r.body,
       case when r.type = 'HealthCheck' then ${timeText('r.created_at')} else '' end as "createdAt"
     from kuma_resource r where r.project_id = $1 and r.mesh = $2`,
    [projectId, mesh],
  )
}

/** The objects of some types in a mesh, and one of its proxies. */
export async function readObjects(
  db: Db,
  { projectId, mesh }: Pick<ResourceKey, 'projectId' | 'mesh'>,
  { types, proxy }: { readonly types: readonly ResourceType[]; readonly proxy?: string | undefined },
): Promise<readonly ResourceRow[]> {
  return await query<ResourceRow>(
    db,
    `select ${COLUMNS} from kuma_resource r where r.project_id = $1 and r.mesh = $2 and r.type = any($3)
     union all
     select ${COLUMNS} from kuma_resource r
     where r.project_id = $1 and r.mesh = $2 and r.type = 'Dataplane' and r.name = $4 and 'Dataplane' <> all($3)`,
    [projectId, mesh, types, proxy ?? null],
  )
}

/** How much a mesh has; bytes of the bodies and labels. */
export async function sizeOfMesh(
  db: Db,
  projectId: string,
  mesh: string,
): Promise<{ readonly objects: number; readonly bytes: number }> {
  const [row] = await query<{ objects: number; bytes: number }>(
    db,
    `select count(*)::integer as objects, coalesce(sum(bytes), 0)::double precision as bytes
     from kuma_resource where project_id = $1 and mesh = $2`,
    [projectId, mesh],
  )
  return row ?? { objects: 0, bytes: 0 }
}

/** How many objects of each type there are, by mesh; a mesh without objects is not there. */
export async function countResources(
  db: Db,
  projectId: string,
  meshes: readonly string[],
): Promise<ReadonlyMap<string, ResourceCounts>> {
  const rows = await query<{ mesh: string; type: ResourceType; count: number }>(
    db,
    `select mesh, type, count(*)::integer as count from kuma_resource
     where project_id = $1 and mesh = any($2) group by mesh, type`,
    [projectId, meshes],
  )
  const counts = new Map<string, Partial<Record<ResourceType, number>>>()
  for (const { mesh, type, count } of rows) counts.set(mesh, { ...counts.get(mesh), [type]: count })
  return counts
}

/** A type without an object is not there. */
export type ResourceCounts = Readonly<Partial<Record<ResourceType, number>>>

/** Which objects a list shows. */
export interface ResourceList {
  readonly projectId: string
  readonly type: ResourceType
  /** Absent = of all meshes. */
  readonly mesh?: string
  /** A part of the name. */
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  /** Of proxies: tags that one inbound, or the gateway, has all of; `*` = any value. */
  readonly tags?: Readonly<Record<string, string>>
  /** Of proxies: only gateways, or none. */
  readonly gateway?: boolean
  readonly offset: number
  /** Undefined = all. */
  readonly size: number | undefined
}

export interface ResourcePage {
  readonly total: number
  readonly rows: readonly ResourceRow[]
}

/** One page by name, then mesh, and how many objects there are in all. One of more than PAGE_MAX_BYTES ends earlier. */
export async function listResources(db: Db, list: ResourceList): Promise<ResourcePage> {
  const { where, bindings } = conditionOf(list)
  const next = bindings.length + 1
  // One after the other: a request holds one connection.
  const [counted] = await query<{ total: number }>(
    db,
    `select count(*)::integer as total from kuma_resource r where ${where}`,
    bindings,
  )
  // As the indexes have it: of one mesh, and of all.
  const order = `order by r.name collate "C"${list.mesh === undefined ? ', r.mesh collate "C"' : ''}`
  const page = `select r.* from kuma_resource r where ${where} ${order} offset $${next} limit $${next + 1}`
  const rows = await query<ResourceRow>(
    db,
    `select ${COLUMNS} from (
       select r.*, sum(r.bytes) over (${order}) - r.bytes as bytes_before from (${page}) r
     ) r where r.bytes_before < $${next + 2} ${order}`,
    [...bindings, list.offset, list.size ?? null, PAGE_MAX_BYTES],
  )
  return { total: counted?.total ?? 0, rows }
}

function conditionOf(list: ResourceList): { readonly where: string; readonly bindings: readonly unknown[] } {
  const bindings: unknown[] = [list.projectId, list.type]
  const conditions = ['r.project_id = $1', 'r.type = $2']
  const and = (condition: (binding: string) => string, value: unknown): void => {
    bindings.push(value)
    conditions.push(condition(`$${bindings.length}`))
  }
  if (list.mesh !== undefined) and((mesh) => `r.mesh = ${mesh}`, list.mesh)
  if (list.name !== undefined) and((name) => `position(${name} in r.name) > 0`, list.name)
  if (Object.keys(list.labels).length > 0) {
    and((labels) => `r.labels @> ${labels}::jsonb`, JSON.stringify(list.labels))
  }
  if (list.gateway !== undefined) {
    and((wanted) => `jsonb_exists(r.body->'networking', 'gateway') = ${wanted}`, list.gateway)
  }
  if (list.tags !== undefined && Object.keys(list.tags).length > 0) {
    const exact = Object.entries(list.tags).filter(([, value]) => value !== '*')
    const wanted = { exact: Object.fromEntries(exact), keys: Object.keys(list.tags) }
    and(
      (tags) => `${OF_INBOUNDS} where each.tags @> (${tags}::jsonb->'exact')
        and jsonb_exists_all(each.tags, array(select jsonb_array_elements_text(${tags}::jsonb->'keys'))))`,
      JSON.stringify(wanted),
    )
  }
  return { where: conditions.join(' and '), bindings }
}

/** The sets of tags of a proxy: of each inbound, and of its gateway. */
const OF_INBOUNDS = `exists (select from (
  select i->'tags' as tags from jsonb_array_elements(coalesce(r.body->'networking'->'inbound', '[]')) i
  union all select r.body->'networking'->'gateway'->'tags') each`
