/** What every view begins with, and what it shows while there is nothing else. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Loaded } from '../net/resource.ts'

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

/** A trouble of the last reading; what was read before stays. */
export function Trouble({ state }: { readonly state: Loaded<unknown> }) {
  if (state.error === undefined) return null
  return (
    <p class="trouble" role="alert">
      {state.error}
    </p>
  )
}

export function Waiting({ state }: { readonly state: Loaded<unknown> }) {
  if (state.body !== undefined || state.error !== undefined) return null
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
