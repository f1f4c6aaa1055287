/** The version document, which lists every minor version up to the one that is spoken, and the bare version paths. */
import type { VersionsDialect } from '../../service/versions.ts'

/** Days on which the minor versions 0, 1, 2, … appeared (Octavia's root controller); the last is the current one. */
const UPDATED = [
  '2016-12-11',
  '2018-04-20',
  '2018-07-31',
  '2018-12-18',
  '2018-12-19',
  '2019-01-21',
  '2019-01-25',
  '2018-01-25',
  '2019-02-12',
  '2019-03-04',
  '2019-03-05',
  '2019-06-24',
  '2019-09-11',
  '2019-09-13',
  '2019-11-10',
  '2020-03-10',
  '2020-03-15',
  '2020-04-29',
  '2020-04-29',
  '2020-05-12',
  '2020-08-02',
  '2020-08-03',
  '2020-09-04',
  '2020-09-07',
  '2020-10-15',
  '2021-10-02',
  '2022-08-29',
  '2023-05-05',
  '2023-11-08',
  '2024-10-15',
  '2025-02-13',
] as const

export const octaviaVersions: VersionsDialect = {
  documents: [
    {
      paths: ['/'],
      render: (root) => ({
        versions: UPDATED.map((day, minor) => ({
          id: `v2.${minor}`,
          status: minor === UPDATED.length - 1 ? 'CURRENT' : 'SUPPORTED',
          updated: `${day}T00:00:00Z`,
          links: [{ href: `${root}/v2`, rel: 'self' }],
        })),
      }),
    },
    // Octavia answers the name of the version, as JSON, to those who may ask.
    { paths: ['/v2.0', '/v2', '/v2/lbaas', '/v2.0/lbaas'], closed: true, render: () => 'v2' },
  ],
}
