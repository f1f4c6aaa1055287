/** Counts of services and proxies, made by PostgreSQL from `kuma_inbound`: of the services of a page, and of the meshes of one. */
import type { ProxyCounts, ServiceCount } from '../../domain/kuma/status.ts'
import { type Db, query } from '../connection/database.ts'
import { timeText } from './meshes.ts'
import { withReadiness, withReadinessOfMeshes } from './verdicts.ts'

const IS_SERVICE = 'i.service is not null and not i.ignored'

/** How many services each mesh has, of all meshes of a project or of one; a mesh without any is not there. */
export async function countServices(
  db: Db,
  projectId: string,
  mesh?: string,
): Promise<ReadonlyMap<string, number>> {
  const [where, bindings] = mesh === undefined ? ['', [projectId]] : ['and i.mesh = $2', [projectId, mesh]]
  const rows = await query<{ mesh: string; count: number }>(
    db,
    `select mesh, count(*)::integer as count from (
       select distinct i.mesh, i.service from kuma_inbound i where i.project_id = $1 ${where} and ${IS_SERVICE}
     ) s group by mesh`,
    bindings,
  )
  return new Map(rows.map(({ mesh: name, count }) => [name, count]))
}

export interface ServicesOfMesh {
  readonly projectId: string
  readonly mesh: string
}

/** Some services of a mesh, by name. `size`: undefined = all from the offset on. */
export async function readServices(
  db: Db,
  { projectId, mesh }: ServicesOfMesh,
  { offset, size }: { readonly offset: number; readonly size: number | undefined },
): Promise<readonly ServiceCount[]> {
  const page = `select distinct i.service from kuma_inbound i
    where i.project_id = $1 and i.mesh = $2 and ${IS_SERVICE} order by i.service offset $3 limit $4`
  return await countedServices(db, page, [projectId, mesh, offset, size ?? null])
}

/** One service; undefined when no inbound and no gateway has its tag. */
export async function findService(
  db: Db,
  { projectId, mesh }: ServicesOfMesh,
  service: string,
): Promise<ServiceCount | undefined> {
  const [found] = await countedServices(db, 'select $3::text collate "C" as service', [
    projectId,
    mesh,
    service,
  ])
  return found
}

/** `page`: the services that are counted. Inbounds come before gateways of the same name. */
async function countedServices(
  db: Db,
  page: string,
  bindings: readonly unknown[],
): Promise<readonly ServiceCount[]> {
  const inbounds = `select i.* from (${page}) page
    join kuma_inbound i on i.project_id = $1 and i.mesh = $2 and i.service = page.service and ${IS_SERVICE}`
  return await query<ServiceCount>(
    db,
    `select service, max(kind) filter (where kind <> 'internal') as gateway, bool_or(kind = 'internal') as "hasInbounds",
       count(*)::integer as total, count(*) filter (where is_ready)::integer as online
     from (${withReadiness(inbounds)}) counted group by service order by service`,
    bindings,
  )
}

/** Between which times the proxies of a mesh were written. RFC 3339 in UTC with six digits. */
export interface ProxyTimes {
  readonly createdAt: string
  readonly updatedAt: string
}

/** By mesh; one without proxies is not there. */
export async function readProxyTimes(
  db: Db,
  projectId: string,
  meshes: readonly string[],
): Promise<ReadonlyMap<string, ProxyTimes>> {
  const rows = await query<ProxyTimes & { readonly mesh: string }>(
    db,
    `select mesh, ${timeText('min(created_at)')} as "createdAt", ${timeText('max(updated_at)')} as "updatedAt"
     from kuma_resource where project_id = $1 and mesh = any($2) and type = 'Dataplane' group by mesh`,
    [projectId, meshes],
  )
  return new Map(rows.map(({ mesh, ...times }) => [mesh, times]))
}

/** Proxies of one kind in a mesh, by their status (docs/peers/kuma.md 50). */
export interface ProxyCountRow extends ProxyCounts {
  readonly mesh: string
  readonly kind: 'standard' | 'gateway_builtin' | 'gateway_delegated'
}

/** Of these meshes; a kind without a proxy is not there. */
export async function countProxies(
  db: Db,
  projectId: string,
  meshes: readonly string[],
): Promise<readonly ProxyCountRow[]> {
  const inbounds = 'select i.* from kuma_inbound i where i.project_id = $1 and i.mesh = any($2)'
  return await query<ProxyCountRow>(
    db,
    `select mesh, kind, count(*)::integer as total, count(*) filter (where status = 'online')::integer as online,
       count(*) filter (where status = 'offline')::integer as offline,
       count(*) filter (where status = 'partiallyDegraded')::integer as "partiallyDegraded"
     from (
       select mesh, coalesce(gateway, 'standard') as kind,
         case when gateway is not null or down = 0 then 'online' when down = inbounds then 'offline'
           else 'partiallyDegraded' end as status
       from (
         select mesh, dataplane, max(kind) filter (where kind <> 'internal') as gateway,
           count(*) filter (where kind = 'internal') as inbounds,
           count(*) filter (where kind = 'internal' and not is_ready) as down
         from (${withReadinessOfMeshes(inbounds)}) counted group by mesh, dataplane
       ) proxy
     ) counted group by mesh, kind`,
    [projectId, meshes],
  )
}
