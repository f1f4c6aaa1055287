/** Public pages: what everybody sees who has a link. A link is shown once, when it is made. */
import { useSignal } from '@preact/signals'
import { request } from '../net/request.ts'
import { useResource } from '../net/resource.ts'
import { mayWrite, noteRefusal } from '../net/session.ts'
import type { Pool, PublicPage } from '../net/types.ts'
import { CopyField } from '../part/copy-field.tsx'
import { Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { PublicPageForm } from '../part/public-page-form.tsx'
import { shownProject } from '../project.ts'
import { dateOf } from '../words/time.ts'

/** A link that was made just now. */
interface NewLink {
  readonly id: string
  readonly url: string
}

export function PublicPagesView() {
  const query = shownProject.value === undefined ? '' : `project_id=${encodeURIComponent(shownProject.value)}`
  const { state, reload } = useResource<{ public_pages: readonly PublicPage[] }>(`v1/public-pages?${query}`)
  const link = useSignal<NewLink | undefined>(undefined)
  const isOpen = useSignal(false)
  const pages = state.value.body?.public_pages
  const onMade = (page: PublicPage) => {
    // The address that this browser knows the service by, also behind the prefix of a proxy.
    link.value = { id: page.id, url: new URL(`../public/${page.token ?? ''}`, document.baseURI).href }
    isOpen.value = false
    reload()
  }
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
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {pages?.length === 0 ? <p>There is no public page yet.</p> : null}
      {pages?.map((page) => (
        <Page
          key={page.id}
          page={page}
          newLink={link.value?.id === page.id ? link.value.url : undefined}
          onLink={onMade}
          onDone={reload}
        />
      ))}
    </>
  )
}

interface PageProps {
  readonly page: PublicPage
  readonly newLink: string | undefined
  readonly onLink: (page: PublicPage) => void
  readonly onDone: () => void
}

function Page({ page, newLink, onLink, onDone }: PageProps) {
  const error = useSignal('')
  const asked = useSignal<'delete' | 'rotate' | undefined>(undefined)
  const act = async (what: 'delete' | 'rotate') => {
    error.value = ''
    try {
      const path = `v1/public-pages/${page.id}`
      if (what === 'delete') {
        await request('DELETE', path)
        onDone()
      } else {
        onLink((await request<{ public_page: PublicPage }>('POST', `${path}/rotate`)).public_page)
      }
      asked.value = undefined
    } catch (refusal) {
      noteRefusal(refusal)
      error.value = refusal instanceof Error ? refusal.message : String(refusal)
    }
  }
  return (
    <Section title={page.title}>
      <p>
        <PoolNames page={page} />
        {page.show_members ? ', with members' : ''}
        <span class="quiet">, made on {dateOf(page.created_at)}</span>
      </p>
      {newLink === undefined ? null : (
        <CopyField label={`Link of ${page.title}: copy it now, it is not shown again`} text={newLink} />
      )}
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
      {error.value === '' ? null : (
        <p class="trouble" role="alert">
          {error.value}
        </p>
      )}
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

/** The first names; the rest as a number. */
const NAMES_SHOWN = 5

function PoolNames({ page }: { readonly page: PublicPage }) {
  const { state } = useResource<{ pools: readonly Pool[] }>(
    `v1/overview/pools?limit=100&project_id=${encodeURIComponent(page.project_id)}`,
  )
  const names = new Map(state.value.body?.pools.map(({ id, name }) => [id, name]))
  const shown = page.pools.slice(0, NAMES_SHOWN).map((id) => names.get(id) || id.slice(0, 8))
  const more = page.pools.length - shown.length
  if (page.pools.length === 0) return <>No pools</>
  return <>{`${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`}</>
}
