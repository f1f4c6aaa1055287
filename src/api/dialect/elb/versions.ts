/** Neutron's two documents: the versions, and the resources of one. */
import { RESOURCES } from '../../../domain/types.ts'
import type { VersionsDialect } from '../../versions.ts'

const self = (href: string) => [{ href, rel: 'self' }]

export const elbVersions: VersionsDialect = {
  documents: [
    {
      paths: ['/'],
      render: (root) => ({ versions: [{ status: 'CURRENT', id: 'v2.0', links: self(`${root}/v2.0`) }] }),
    },
    {
      paths: ['/v2.0'],
      render: (root) => ({
        resources: [...RESOURCES, 'quota'].map((name) => ({
          name,
          collection: `${name}s`,
          links: self(`${root}/v2.0/lbaas/${name}s`),
        })),
      }),
    },
  ],
}
