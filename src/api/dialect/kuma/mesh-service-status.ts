/** MeshServices as they are shown: how many proxies are behind them, and whether each port has one that is ready. */
import { meshServiceOf } from '../../../domain/kuma/stored-objects.ts'
import { inboundSelection, shownMeshServiceCounts } from '../../../domain/kuma/status.ts'
import type { Db } from '../../../store/connection/database.ts'
import { countBehind } from '../../../store/kuma/mesh-service-counts.ts'
import type { ResourceRow } from '../../../store/kuma/resources.ts'
import { renderResource, type Shown } from './render.ts'

/** Renders rows of MeshServices. Their `state` and `status` follow from the proxies as they are now. */
export async function meshServiceShown(
  db: Db,
  projectId: string,
  rows: readonly ResourceRow[],
): Promise<(row: ResourceRow) => Shown> {
  const selections = rows.map((row) => ({ mesh: row.mesh, ...inboundSelection(meshServiceOf(row)) }))
  const counted = await countBehind(db, projectId, selections)
  const countsOf = new Map(rows.map((row, i) => [row, counted[i]]))
  return (row) => {
    const { total, healthy, identities } = countsOf.get(row) ?? { total: 0, healthy: 0, identities: [] }
    return {
      ...renderResource(row),
      spec: {
        state: healthy > 0 ? 'Available' : 'Unavailable',
        ...(row.body['spec'] as Shown),
        ...(identities.length === 0
          ? {}
          : { identities: identities.map((value) => ({ type: 'ServiceTag', value })) }),
      },
      status: {
        tls: { status: 'NotReady' },
        dataplaneProxies: shownMeshServiceCounts({ total, healthy, identities }),
      },
    }
  }
}
