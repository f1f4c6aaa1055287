/** How many proxies are behind MeshServices, and how many of them are healthy: for those of a page, made by PostgreSQL. */
import type { InboundSelection, MeshServiceCounts } from '../../domain/kuma/status.ts'
import { type Db, query } from '../connection/database.ts'
import { withReadiness } from './verdicts.ts'

/** What a MeshService of a mesh selects. */
export interface SelectionOfMesh extends InboundSelection {
  readonly mesh: string
}

/** The inbounds that each kind of selector finds; the others of a service are not looked at. */
const SELECTED: Readonly<Record<Exclude<InboundSelection['by'], 'nothing'>, string>> = {
  name: 'from kuma_inbound i where OF_MESH and i.dataplane = w.name',
  service: 'from kuma_inbound i where OF_MESH and i.service = w.name and HAS_TAGS',
  tags: 'from kuma_inbound i where OF_MESH and HAS_TAGS',
  labels: `from kuma_resource d
    join kuma_inbound i on i.project_id = d.project_id and i.mesh = d.mesh and i.dataplane = d.name
    where d.project_id = $1 and d.mesh = w.mesh and d.type = 'Dataplane' and d.labels @> w.exact`,
}

/**
 * The counts of each selection, in their order. An inbound is behind a service when the selector finds it and its port, or its
 * name, is a target (src/domain/kuma/destinations.ts, `isBehind`).
 */
export async function countBehind(
  db: Db,
  projectId: string,
  selections: readonly SelectionOfMesh[],
): Promise<readonly MeshServiceCounts[]> {
  const places = selections.map((selection, place) => ({ place, ...selection }))
  const rows = await query<MeshServiceCounts & { readonly place: number }>(db, COUNTS, [
    projectId,
    JSON.stringify(
      places.filter(({ by, ports, names }) => by !== 'nothing' && ports.length + names.length > 0),
    ),
  ])
  const byPlace = new Map(rows.map(({ place, ...counts }) => [place, counts]))
  return places.map(({ place }) => byPlace.get(place) ?? { total: 0, healthy: 0, identities: [] })
}

const BRANCHES = Object.entries(SELECTED).map(([by, from]) =>
  `select i.* ${from} and w.by = '${by}'`
    .replace('OF_MESH', 'i.project_id = $1 and i.mesh = w.mesh')
    .replace('HAS_TAGS', 'i.tags @> w.exact and jsonb_exists_all(i.tags, w.present)'),
)

const INBOUNDS = `select w.place as service_place, i.*
  from jsonb_to_recordset($2::jsonb) as w (place integer, mesh text, by text, name text, exact jsonb, present text[],
    ports integer[], names text[])
  cross join lateral (${BRANCHES.join(' union all ')}) i
  where i.port is not null and not i.ignored and (i.port = any(w.ports) or i.name = any(w.names))`

const COUNTS = `
  with behind as (
    select service_place, project_id, mesh, dataplane, bool_and(is_ready) as is_healthy
    from (${withReadiness(INBOUNDS)}) counted group by service_place, project_id, mesh, dataplane
  ), identity as (
    select b.service_place, array_agg(distinct i.service) as services
    from behind b join kuma_inbound i on i.project_id = b.project_id and i.mesh = b.mesh and i.dataplane = b.dataplane
    where i.service is not null and i.port is not null group by b.service_place
  )
  select b.service_place as place, count(*)::integer as total, count(*) filter (where b.is_healthy)::integer as healthy,
    coalesce((select services from identity where identity.service_place = b.service_place), '{}') as identities
  from behind b group by b.service_place`
