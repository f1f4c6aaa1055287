/** Neutron's two documents: the versions, and the resources of one. */
import type { VersionsDialect } from '../../service/versions.ts'
import { elbPaths } from './paths.ts'

/** Members are not a collection of Neutron's root: they are below their pool. */
const COLLECTED = ['loadbalancer', 'listener', 'pool', 'healthmonitor', 'quota'] as const

const self = (href: string) => [{ href, rel: 'self' }]

export const elbVersions: VersionsDialect = {
  documents: [
    {
      paths: ['/'],
      render: (root) => ({ versions: [{ status: 'CURRENT', id: 'v2.0', links: self(`${root}/v2.0`) }] }),
    },
    {
      // The second path is the one that `npm start` prints: a person who opens it sees the resources.
      paths: ['/v2.0', ...elbPaths('')],
      render: (root) => ({
        resources: COLLECTED.map((name) => ({
          name,
          collection: `${name}s`,
          links: self(`${root}/v2.0/lbaas/${name}s`),
        })),
      }),
    },
  ],
}
