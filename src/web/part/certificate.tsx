/** The certificate that a member shows over TLS: whose it is, and when it ends. */
import { now } from '../net/clock.ts'
import type { Certificate } from '../net/types.ts'
import { dateOf, durationOf } from '../words/time.ts'
import { EXPIRED, EXPIRING } from '../words/status.ts'
import { StatusMarks } from './mark.tsx'
import { Section } from './page.tsx'

export function CertificateFacts({ certificate }: { readonly certificate: Certificate | undefined }) {
  if (certificate === undefined) return null
  const { not_after: notAfter, subject, issuer, expiring } = certificate
  const leftSeconds = (Date.parse(notAfter) - now.value) / 1000
  return (
    <Section title="Certificate">
      {expiring ? (
        <p class="verdict-line">
          <StatusMarks marks={[leftSeconds < 0 ? EXPIRED : EXPIRING]} />
          <span>
            {leftSeconds < 0 ? 'It has expired.' : 'It ends soon.'} The status does not change by that.
          </span>
        </p>
      ) : null}
      <dl class="facts">
        <dt>Name</dt>
        <dd>{subject ?? 'none'}</dd>
        <dt>Issued by</dt>
        <dd>{issuer ?? 'not named'}</dd>
        <dt>{leftSeconds < 0 ? 'Expired' : 'Expires'}</dt>
        <dd>
          <time dateTime={notAfter}>{dateOf(notAfter)}</time>{' '}
          <span class="quiet">
            {leftSeconds < 0 ? `${durationOf(-leftSeconds)} ago` : `in ${durationOf(leftSeconds)}`}
          </span>
        </dd>
      </dl>
    </Section>
  )
}
