/** The sites that probe a member, and what each of them sees. */
import type { SiteOfMember } from '../net/types.ts'
import { memberMark, STALE } from '../words/status.ts'
import { StatusMarks } from './mark.tsx'
import { Section } from './page.tsx'
import { Ago } from './time.tsx'

export function SitesTable({ sites }: { readonly sites: readonly SiteOfMember[] | undefined }) {
  if (sites === undefined) return null
  return (
    <Section title="Seen from">
      <table>
        <thead>
          <tr>
            <th scope="col">Site</th>
            <th scope="col">Status</th>
            <th scope="col">Why</th>
            <th scope="col">Latency</th>
            <th scope="col">For</th>
          </tr>
        </thead>
        <tbody>
          {sites.map((site) => (
            <SiteRow key={site.site} site={site} />
          ))}
        </tbody>
      </table>
    </Section>
  )
}

function SiteRow({ site }: { readonly site: SiteOfMember }) {
  const { site: name, status, votes, served, reason, detail, latency_ms: ms, since } = site
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <StatusMarks marks={[memberMark(status ?? 'UNKNOWN'), ...(votes ? [] : [STALE])]} />
      </td>
      <td>{served ? (detail ?? reason) || reason : 'no prober of this site lives'}</td>
      <td>{ms === null ? '' : `${ms} ms`}</td>
      <td>{since === null ? '' : <Ago at={since} />}</td>
    </tr>
  )
}
