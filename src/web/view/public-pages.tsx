/** Public pages: what everybody sees who has a link. A link is shown once, when it is made. */
import { type Signal, useSignal } from '@preact/signals'
import { pathWith } from '../net/query.ts'
import { request } from '../net/request.ts'
import { useResource } from '../net/resource.ts'
import { mayWrite } from '../net/session.ts'
import type { PublicPage } from '../net/types.ts'
import { useAttempt } from '../part/attempt.ts'
import { CopyField } from '../part/copy-field.tsx'
import { Alert, Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { PublicPageForm } from '../part/public-page-form.tsx'
import { shownProject } from '../project.ts'
import { nameOf } from '../words/name.ts'
import { dateOf } from '../words/time.ts'

/** A link that was made just now. */
interface NewLink {
  readonly id: string
  readonly title: string
  readonly url: string
}

interface PublicPageList {
  readonly public_pages: readonly PublicPage[]
  /** There may be more behind it. */
  readonly marker?: string
}

export function PublicPagesView() {
  const marker = useSignal('')
  const { state, reload } = useResource<PublicPageList>(
    pathWith('v1/public-pages', { project_id: shownProject.value, marker: marker.value }),
    // No event is written for a change of a public page.
    () => false,
  )
  const link = useSignal<NewLink | undefined>(undefined)
  const isOpen = useSignal(false)
  const { public_pages: pages, marker: next } = state.value.body ?? {}
  const onMade = ({ id, title, token = '' }: PublicPage) => {
    // The address that this browser knows the service by, also behind the prefix of a proxy.
    link.value = { id, title, url: new URL(`../public/${token}`, document.baseURI).href }
    isOpen.value = false
    reload()
  }
  const isLinkListed = pages?.some(({ id }) => id === link.value?.id) === true
  return (
    <>
      <Heading title="Public pages">Public pages</Heading>
      <p class="quiet">
        Whoever has the link of a page sees the names, statuses and uptimes of its pools, but no addresses and
        no reasons. Nobody has to sign in.
      </p>
      {!mayWrite() ? null : isOpen.value ? (
        <PublicPageForm onMade={onMade} onCancel={() => (isOpen.value = false)} />
      ) : (
        <p>
          <button type="button" onClick={() => (isOpen.value = true)}>
            New public page…
          </button>
        </p>
      )}
      {link.value === undefined || isLinkListed ? null : <LinkField link={link.value} />}
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {pages?.length === 0 && marker.value === '' ? <p>There is no public page yet.</p> : null}
      {pages?.map((page) => (
        <Page
          key={page.id}
          page={page}
          newLink={link.value?.id === page.id ? link.value : undefined}
          onLink={onMade}
          onDone={reload}
        />
      ))}
      <Pages marker={marker} next={next} />
    </>
  )
}

function Pages({ marker, next }: { readonly marker: Signal<string>; readonly next: string | undefined }) {
  if (marker.value === '' && next === undefined) return null
  return (
    <nav class="pager" aria-label="Pages of public pages">
      <button type="button" disabled={marker.value === ''} onClick={() => (marker.value = '')}>
        First page
      </button>
      <button type="button" disabled={next === undefined} onClick={() => (marker.value = next ?? '')}>
        Next 100
      </button>
    </nav>
  )
}

function LinkField({ link: { title, url } }: { readonly link: NewLink }) {
  return <CopyField label={`Link of ${title}: copy it now, it is not shown again`} text={url} />
}

interface PageProps {
  readonly page: PublicPage
  readonly newLink: NewLink | undefined
  readonly onLink: (page: PublicPage) => void
  readonly onDone: () => void
}

function Page({ page, newLink, onLink, onDone }: PageProps) {
  const { error, run } = useAttempt()
  const asked = useSignal<'delete' | 'rotate' | undefined>(undefined)
  const act = (what: 'delete' | 'rotate') =>
    run(async () => {
      const path = `v1/public-pages/${page.id}`
      if (what === 'delete') {
        await request('DELETE', path)
        onDone()
      } else {
        onLink((await request<{ public_page: PublicPage }>('POST', `${path}/rotate`)).public_page)
      }
      asked.value = undefined
    })
  return (
    <Section title={page.title}>
      <p>
        <PoolNames page={page} />
        {page.show_members ? ', with members' : ''}
        <span class="quiet">, made on {dateOf(page.created_at)}</span>
      </p>
      {newLink === undefined ? null : <LinkField link={newLink} />}
      {!mayWrite() ? null : asked.value === undefined ? (
        <p class="inline-form">
          <button
            type="button"
            aria-label={`New link… for ${page.title}`}
            onClick={() => (asked.value = 'rotate')}
          >
            New link…
          </button>
          <button type="button" aria-label={`Delete… ${page.title}`} onClick={() => (asked.value = 'delete')}>
            Delete…
          </button>
        </p>
      ) : (
        <Confirm what={asked.value} onYes={act} onNo={() => (asked.value = undefined)} />
      )}
      <Alert message={error.value} />
    </Section>
  )
}

interface ConfirmProps {
  readonly what: 'delete' | 'rotate'
  readonly onYes: (what: 'delete' | 'rotate') => Promise<void>
  readonly onNo: () => void
}

function Confirm({ what, onYes, onNo }: ConfirmProps) {
  return (
    <p class="inline-form" role="alert">
      <span>The link of now stops working.</span>
      <button type="button" class="main" onClick={() => void onYes(what)}>
        {what === 'delete' ? 'Delete the page' : 'Make a new link'}
      </button>
      <button type="button" onClick={onNo}>
        Cancel
      </button>
    </p>
  )
}

/** Names that are shown of the pools of a page; the rest is a number. */
const NAMES_SHOWN = 5

function PoolNames({ page: { pools, pool_names: names } }: { readonly page: PublicPage }) {
  if (pools.length === 0) return <>No pools</>
  const shown = pools.slice(0, NAMES_SHOWN).map((id, i) => nameOf({ id, name: names[i] ?? '' }))
  const more = pools.length - shown.length
  return <>{`${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`}</>
}
