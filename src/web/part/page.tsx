/** What every view begins with, and what it shows while there is nothing else. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Loaded } from '../net/loaded.ts'

/** The heading of a view gets the focus when the view changes, so that a screen reader says where one is. */
export function Heading({
  title,
  children,
}: {
  readonly title: string
  readonly children: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · healthmonitor`
    if (document.activeElement === document.body || document.activeElement === null) return
    heading.current?.focus({ preventScroll: true })
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}

/** What went wrong, in a sentence; nothing when nothing did. */
export function Alert({ message }: { readonly message: string | undefined }) {
  if (message === undefined || message === '') return null
  return (
    <p class="trouble" role="alert">
      {message}
    </p>
  )
}

/** A trouble of the last reading; what was read before stays. */
export function Trouble({ state }: { readonly state: Loaded<unknown> }) {
  return <Alert message={state.error} />
}

/** While the first reading lasts. */
export function Waiting({ state }: { readonly state: Loaded<unknown> }) {
  return state.body === undefined && state.error === undefined ? <Reading /> : null
}

export function Reading() {
  return <p class="quiet waiting-text">Reading…</p>
}

/** A part of a view, with its heading. */
export function Section({
  title,
  aside,
  children,
}: {
  readonly title: string
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
}) {
  const id = `part-${title.toLowerCase().replaceAll(/\W+/g, '-')}`
  return (
    <section aria-labelledby={id}>
      <header class="section-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  )
}
