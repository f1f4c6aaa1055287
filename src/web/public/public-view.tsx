/** The page for strangers: how pools are, and how they were. */
import { useEffect } from 'preact/hooks'
import { now } from '../net/clock.ts'
import { StatusMark } from '../part/mark.tsx'
import { Alert, Reading } from '../part/page.tsx'
import type { Mark } from '../words/status.ts'
import { agoOf, dateOf } from '../words/time.ts'
import { percentOf, WINDOW_NAMES } from '../words/uptime.ts'
import { DayStrip } from './day-strip.tsx'
import { follow, state, type StatusPage, type StatusPool } from './status-page.ts'

const MARKS: Readonly<Record<string, Mark>> = {
  ONLINE: { shape: 'good', word: 'up' },
  DEGRADED: { shape: 'partly', word: 'degraded' },
  ERROR: { shape: 'bad', word: 'down' },
  OFFLINE: { shape: 'unknown', word: 'unknown' },
}
/** Of members, whose OFFLINE says that they are down. */
const MEMBER_MARKS: Readonly<Record<string, Mark>> = {
  ONLINE: { shape: 'good', word: 'up' },
  OFFLINE: { shape: 'bad', word: 'down' },
  DISABLED: { shape: 'off', word: 'switched off' },
}
const UNKNOWN: Mark = { shape: 'unknown', word: 'unknown' }
const SENTENCES: Readonly<Record<string, string>> = {
  ONLINE: 'Everything is up',
  DEGRADED: 'Something is degraded',
  ERROR: 'Something is down',
  OFFLINE: 'Nothing is known of some parts',
}

/** Parts of a window of which something is known: below the first it says nothing, above the second it says all. */
const [HARDLY, ALL_BUT] = [0.01, 0.99]

export function PublicView() {
  useEffect(follow, [])
  const shown = state.value
  const title = shown.kind === 'shown' ? shown.page.title : 'Status'
  useEffect(() => {
    document.title = shown.kind === 'shown' ? `${shown.page.title}: ${wordOf(shown.page)}` : 'Status'
  }, [shown])
  return (
    <main class="public">
      <h1>{title}</h1>
      {shown.kind === 'shown' ? (
        <Page page={shown.page} isOld={shown.isOld} />
      ) : shown.kind === 'unknown' ? (
        <p role="alert">There is no page at this address. Its link may have been replaced or deleted.</p>
      ) : shown.kind === 'trouble' ? (
        <Alert message="The service does not answer. The page tries again." />
      ) : (
        <Reading />
      )}
    </main>
  )
}

const wordOf = ({ status }: StatusPage): string => (MARKS[status] ?? UNKNOWN).word

function Page({ page, isOld }: { readonly page: StatusPage; readonly isOld: boolean }) {
  return (
    <>
      {page.pools.length === 0 ? (
        <p class="quiet">This page shows nothing yet.</p>
      ) : (
        <p class="verdict-line" role="status">
          <StatusMark
            mark={{ ...(MARKS[page.status] ?? UNKNOWN), word: SENTENCES[page.status] ?? 'Unknown' }}
            large
          />
        </p>
      )}
      {isOld ? (
        <Alert message={`The service does not answer. This is how it was at ${dateOf(page.as_of)}.`} />
      ) : null}
      {page.pools.map((pool, i) => (
        <Pool key={`${i} ${pool.name}`} pool={pool} id={`pool-${i}`} />
      ))}
      <footer class="quiet small">
        As of <time dateTime={page.as_of}>{dateOf(page.as_of)}</time>. Days are days of UTC.
      </footer>
    </>
  )
}

function Pool({ pool, id }: { readonly pool: StatusPool; readonly id: string }) {
  return (
    <section aria-labelledby={id} class="public-pool">
      <header class="section-head">
        <h2 id={id}>{pool.name}</h2>
        <span>
          <StatusMark mark={MARKS[pool.status] ?? UNKNOWN} />{' '}
          <span class="quiet small">for {agoOf(pool.since, now.value)}</span>
        </span>
      </header>
      <DayStrip name={pool.name} days={pool.days} />
      <dl class="uptimes">
        {pool.uptime.map(({ hours, up_share: share, coverage }) => (
          <div key={hours}>
            <dt>{WINDOW_NAMES[hours] ?? `${hours} h`}</dt>
            <dd class="number">
              {share === null || coverage < HARDLY ? '–' : percentOf(share)}
              {share === null || coverage > ALL_BUT ? null : (
                <span class="quiet small">
                  {coverage < HARDLY ? 'not known' : `${percentOf(coverage, 0)} known`}
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {pool.members === undefined ? null : <Members members={pool.members} />}
    </section>
  )
}

function Members({ members }: { readonly members: NonNullable<StatusPool['members']> }) {
  const { total, online, shown } = members
  return (
    <details open={shown.some(({ status }) => status === 'OFFLINE')}>
      <summary>
        {online} of {total} {total === 1 ? 'member' : 'members'} up
      </summary>
      {shown.length === 0 ? null : (
        <ul class="plain members-of-pool">
          {shown.map(({ name, status }, i) => (
            <li key={`${i} ${name}`}>
              <StatusMark mark={MEMBER_MARKS[status] ?? UNKNOWN} /> <span>{name}</span>
            </li>
          ))}
        </ul>
      )}
    </details>
  )
}
