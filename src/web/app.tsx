/** The page: its head, and the view that the address names. */
import { useEffect } from 'preact/hooks'
import { route } from './current-route.ts'
import { follow, isLive } from './net/live.ts'
import { findSession, session, signOut } from './net/session.ts'
import type { Session } from './net/types.ts'
import { textIn } from './part/form.ts'
import { Alert, Reading } from './part/page.tsx'
import { chooseProject, chosenProject, shownProject } from './project.ts'
import { linkTo } from './route.ts'
import { EventsView } from './view/events.tsx'
import { LoadBalancerView } from './view/load-balancer.tsx'
import { MemberView } from './view/member.tsx'
import { OverviewView } from './view/overview.tsx'
import { PoolView } from './view/pool.tsx'
import { ProbersView } from './view/probers.tsx'
import { PublicPagesView } from './view/public-pages.tsx'
import { SignInView } from './view/sign-in.tsx'
import { WebhooksView } from './view/webhooks.tsx'

export function App() {
  useEffect(() => void findSession(), [chosenProject.value])
  const state = session.value
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Head session={state.kind === 'known' ? state.session : undefined} />
      <main id="main" tabIndex={-1}>
        {state.kind === 'known' ? (
          // Another project is another page: nothing of the one before stays.
          <Views key={`${chosenProject.value} ${shownProject.value ?? ''}`} />
        ) : state.kind === 'signed out' ? (
          <SignInView message={state.message} />
        ) : state.kind === 'refused' ? (
          <Refused message={state.message} />
        ) : (
          <Reading />
        )}
      </main>
    </>
  )
}

/** The fragment of the address is the view: going to the content must not change it. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Views() {
  useEffect(() => follow(shownProject.value), [])
  const at = route.value
  switch (at.view) {
    case 'overview':
      return <OverviewView />
    case 'loadbalancer':
      return <LoadBalancerView key={at.id} id={at.id} />
    case 'pool':
      return <PoolView key={at.id} id={at.id} />
    case 'member':
      return <MemberView key={at.id} id={at.id} />
    case 'events':
      return <EventsView />
    case 'webhooks':
      return <WebhooksView />
    case 'probers':
      return <ProbersView />
    case 'public-pages':
      return <PublicPagesView />
  }
}

function Refused({ message }: { readonly message: string }) {
  return (
    <>
      <h1>The page cannot be shown</h1>
      <Alert message={message} />
      <button type="button" onClick={() => void findSession()}>
        Try again
      </button>{' '}
      <button type="button" onClick={() => void signOut()}>
        Sign out
      </button>
    </>
  )
}

/** The views that the head leads to. */
const VIEWS = [
  { name: 'overview', link: linkTo.overview, words: 'Overview', who: 'everybody' },
  { name: 'events', link: linkTo.events, words: 'Events', who: 'everybody' },
  { name: 'webhooks', link: linkTo.webhooks, words: 'Webhooks', who: 'everybody' },
  { name: 'probers', link: linkTo.probers, words: 'Probers', who: 'administrators' },
  { name: 'public-pages', link: linkTo.publicPages, words: 'Public pages', who: 'everybody' },
] as const

function Head({ session: known }: { readonly session: Session | undefined }) {
  const { view } = route.value
  return (
    <header class="head">
      <a class="brand" href={linkTo.overview}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 18h7l3-10 6 17 3-7h7" />
        </svg>
        healthmonitor
      </a>
      {known === undefined ? null : (
        <nav aria-label="Views">
          {VIEWS.filter(({ who }) => who === 'everybody' || known.administrator).map(
            ({ name, link, words }) => (
              <a key={name} href={link} {...(view === name ? { 'aria-current': 'page' } : {})}>
                {words}
              </a>
            ),
          )}
          <a href="../docs">API</a>
        </nav>
      )}
      {known === undefined ? null : <Who session={known} />}
    </header>
  )
}

function Who({ session: known }: { readonly session: Session }) {
  return (
    <div class="who">
      <span class={`live${isLive.value ? ' on' : ''}`} role="status">
        {isLive.value ? 'live' : 'connecting'}
      </span>
      {known.auth === 'none' ? <ProjectField session={known} /> : <Signed session={known} />}
    </div>
  )
}

/** Without identity everybody may look at each project, by its id. */
function ProjectField({ session: known }: { readonly session: Session }) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        chooseProject(textIn(event.currentTarget, 'project').trim())
      }}
    >
      <label>
        <span class="quiet">Project</span>{' '}
        <input
          name="project"
          key={known.project_id}
          defaultValue={known.project_id}
          maxLength={255}
          pattern="[!-~]*"
          autocomplete="off"
          spellcheck={false}
          onBlur={(event) => event.currentTarget.form?.requestSubmit()}
        />
      </label>
    </form>
  )
}

function Signed({ session: known }: { readonly session: Session }) {
  return (
    <>
      {known.administrator ? (
        <span class="quiet">
          {shownProject.value === undefined ? (
            'all projects'
          ) : (
            <>
              project <b>{shownProject.value}</b>{' '}
              <button type="button" class="link" onClick={() => (shownProject.value = undefined)}>
                show all
              </button>
            </>
          )}
        </span>
      ) : (
        <span class="quiet">project {known.project_id}</span>
      )}
      <button type="button" onClick={() => void signOut()}>
        Sign out
      </button>
    </>
  )
}
