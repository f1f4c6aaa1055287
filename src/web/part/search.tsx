/** A field for a search that begins while one types; "/" leads to it. */
import type { Signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

/** Milliseconds without a key after which the search begins. */
const SETTLE_MS = 250

export function Search({ value, label }: { readonly value: Signal<string>; readonly label: string }) {
  const field = useRef<HTMLInputElement>(null)
  const timer = useRef(0)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      field.current?.focus()
    }
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('keydown', onKey)
      clearTimeout(timer.current)
    }
  }, [])
  return (
    <search>
      <label class="search">
        <span class="hidden">{label}</span>
        <input
          ref={field}
          type="search"
          name="search"
          placeholder={label}
          autocomplete="off"
          spellcheck={false}
          maxLength={255}
          defaultValue={value.peek()}
          onInput={(event) => {
            const text = event.currentTarget.value.trim()
            clearTimeout(timer.current)
            timer.current = window.setTimeout(() => (value.value = text), SETTLE_MS)
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
    </search>
  )
}
